"""Which versions are swept: those named by the begin of their names, or those a revision lacks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import layouts
from harness.cli import git_revision, version_choice
from harness.errors import EnvironmentProblem, NothingSelected, UsageError
from harness.layouts import Migration, Script

NAMES = ("0001_users", "0002_phone", "0003_fax", "00031_fax_again", "0010_notes", "0011_tags")


def migration(name: str) -> Migration:
    script = Script(f"db/{name}.sql", 1, "SELECT 1;")
    return Migration(name.partition("_")[0].lstrip("0"), name, script, None, (script.file,))


def options(**asked: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"only": (), "range_": None, "since": None, **asked})


def chosen(**asked: Any) -> tuple[str, ...]:
    folder = tuple(map(migration, NAMES))
    return version_choice.chosen(Path("db"), "golang-migrate", folder, options(**asked))


@pytest.mark.parametrize(
    ("asked", "versions"),
    [
        ({}, ("1", "2", "3", "31", "10", "11")),
        ({"range_": "0002..0003"}, ("2", "3")),
        ({"range_": "0010.."}, ("10", "11")),
        ({"range_": "..2"}, ("1", "2")),
        ({"range_": "0003_fax..0010_n"}, ("3", "31", "10")),
        ({"range_": "002.."}, ("2", "3", "31", "10", "11")),
        ({"only": ("0011", "0002_phone")}, ("2", "11")),
    ],
)
def test_a_version_is_named_by_the_begin_of_its_name(asked, versions):
    """Up to the end of a word first, so that 0003 is not 00031; else as a number."""
    assert chosen(**asked) == versions


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"range_": "001.."}, "'001' is the begin of 2 migrations: 0010_notes, 0011_tags. Next"),
        ({"only": ("0",)}, "0010_notes and 1 more"),
        ({"only": ("0042",)}, "unknown migration '0042'"),
        ({"range_": "0003"}, "--range wants A..B, found '0003'"),
        ({"range_": "0010..0002"}, "0002 comes before 0010"),
        ({"only": ("1",), "range_": "1.."}, "wanted one of them"),
    ],
)
def test_what_names_no_version_or_several_is_refused(asked, says):
    with pytest.raises(UsageError) as told:
        chosen(**asked)
    assert says in str(told.value)


# ----------------------------------------------------------------------------- since a revision

FIRST = {
    "db/1_users.up.sql": "CREATE TABLE users (id int);\n",
    "db/1_users.down.sql": "DROP TABLE users;\n",
    "db/2_phone.up.sql": "ALTER TABLE users ADD phone text;\n",
    "db/3_fax.up.sql": "ALTER TABLE users ADD fax text;\n",
}


class Repository:
    """A git repository with migrations in ``db``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(FIRST)
        self.commit("first")

    @property
    def folder(self) -> Path:
        return self.path / "db"

    def git(self, *words: str) -> str:
        author = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0")
        done = subprocess.run(
            ["git", *author, *words], cwd=self.path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text, "utf-8", newline="")

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def since(self, revision: str, layout: str = "golang-migrate", **more: Any) -> tuple[str, ...]:
        migrations = layouts.read(self.folder, layout)
        asked = options(since=revision, **more)
        return version_choice.chosen(self.folder, layout, migrations, asked)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return Repository(tmp_path / "shop")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(version_choice.selection, "say", lines.append)
    return lines


def test_what_is_new_or_changed_since_a_revision_is_chosen(repository, said):
    """Committed or not, tracked or not; and what was published otherwise is named."""
    repository.git("tag", "published")
    repository.write({"db/4_notes.up.sql": "CREATE TABLE notes (id int);\n"})
    repository.commit("second")
    repository.write({"db/5_tags.up.sql": "CREATE TABLE tags (id int);\n"})
    repository.write({"db/2_phone.up.sql": "ALTER TABLE users ADD phone varchar(20);\n"})
    assert repository.since("published") == ("2", "4", "5")
    assert repository.since("HEAD") == ("2", "5")
    assert repository.since("published", range_="4..") == ("4", "5")
    changed = [line for line in said if "was changed after it was published" in line]
    assert len(changed) == 3
    assert f"2 was changed after it was published: {repository.folder}/2_phone.up.sql" in changed[0]


def test_a_way_down_that_came_later_is_a_change(repository, said):
    repository.write({"db/3_fax.down.sql": "ALTER TABLE users DROP fax;\n"})
    assert repository.since("main") == ("3",)
    assert any("3_fax.down.sql is not as main has it" in line for line in said)


def test_another_name_or_other_line_ends_are_no_change(repository, said):
    """The tool has the version and the text."""
    repository.git("mv", "db/3_fax.up.sql", "db/3_facsimile.up.sql")
    crlf = FIRST["db/2_phone.up.sql"].replace("\n", "\r\n")
    repository.write({"db/2_phone.up.sql": crlf, "db/4_new.up.sql": "SELECT 1;\n"})
    assert repository.since("main") == ("4",)


def test_what_is_gone_since_is_told(repository, said):
    (repository.folder / "3_fax.up.sql").unlink()
    repository.write({"db/4_new.up.sql": "SELECT 1;\n"})
    assert repository.since("main") == ("4",)
    assert "3_fax is not here any more; main has it" in said


def test_migrations_that_are_code_are_compared_by_their_files(repository, said):
    name = "db/20240101_users.js"
    repository.write({name: "exports.up = (knex) => 1;\n", "db/20240102_b.js": "// knex\n"})
    repository.commit("knex")
    repository.write({name: "exports.up = (knex) => 2;\n"})
    assert repository.since("HEAD", "knex") == ("20240101_users.js",)


def test_a_folder_that_the_revision_lacks_is_all_new(repository, said):
    repository.git("mv", "db", "other")
    repository.commit("moved")
    repository.git("mv", "other", "db")
    assert repository.since("HEAD") == ("1", "2", "3")
    assert any("it has no such folder" in line for line in said)


def test_nothing_new_is_no_sweep(repository, said):
    """An empty choice would be every version, or a green that has not looked."""
    with pytest.raises(NothingSelected, match=r"main .* has all 3 migrations, as they are here"):
        repository.since("main")
    with pytest.raises(NothingSelected, match="has 2, as they are here"):
        repository.since("main", only=("2",))


def test_a_link_counts_as_what_it_leads_to(repository, said):
    (repository.folder / "4_link.up.sql").symlink_to("sub/linked.sql")
    repository.write({"db/sub/linked.sql": "SELECT 1;\n"})
    repository.commit("link")
    with pytest.raises(NothingSelected):
        repository.since("HEAD")
    repository.write({"db/sub/linked.sql": "SELECT 2;\n"})
    assert repository.since("HEAD") == ("4",)


@pytest.mark.parametrize("revision", ["", "--output=x", "-h", "a\nb"])
def test_a_revision_is_never_taken_for_an_option(repository, revision):
    with pytest.raises(UsageError, match="--since wants a git revision"):
        git_revision.revision(repository.folder, revision)


def test_an_unknown_revision_names_what_is_known(repository):
    with pytest.raises(UsageError) as told:
        git_revision.revision(repository.folder, "origin/main")
    says = str(told.value)
    assert f"{repository.path}: found no revision 'origin/main'" in says
    assert "such as main" in says
    assert "shallow" not in says


@pytest.mark.parametrize(
    ("revision", "next_move"),
    [
        ("HEAD~1", "git fetch --unshallow, or git fetch --depth=N"),
        ("origin/next", "git fetch --depth=1 origin next:refs/remotes/origin/next"),
    ],
)
def test_in_a_shallow_clone_the_next_move_is_to_fetch(repository, tmp_path, revision, next_move):
    """And what is there can be compared with."""
    repository.write({"db/4_new.up.sql": "SELECT 1;\n"})
    repository.commit("second")
    url = repository.path.as_uri()
    repository.git("clone", "--quiet", "--depth=1", url, str(tmp_path / "clone"))
    folder = tmp_path / "clone" / "db"
    with pytest.raises(UsageError) as told:
        git_revision.revision(folder, revision)
    assert "It is a shallow clone" in str(told.value)
    assert next_move in str(told.value)
    assert "fetch-depth: 0" in str(told.value)
    assert git_revision.revision(folder, "HEAD").tree


def test_what_a_partial_clone_lacks_is_not_fetched(repository, tmp_path):
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.write({"db/4_new.up.sql": "SELECT 1;\n", "db/3_fax.up.sql": "SELECT 3;\n"})
    repository.commit("second")
    url = repository.path.as_uri()
    repository.git("clone", "--quiet", "--filter=blob:none", url, str(tmp_path / "clone"))
    at = git_revision.revision(tmp_path / "clone" / "db", "HEAD~1")
    with pytest.raises(EnvironmentProblem, match="partial clone"), at.files():
        pass


def test_a_folder_outside_of_any_repository_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"found no git repository .*--only or --range"):
        git_revision.revision(tmp_path, "main")


def test_nothing_that_a_repository_configures_is_run(repository, tmp_path, said):
    """No hook, pager, filter, textconv, monitor or alias; and nothing of it is written to."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\nexec cat\n")
    trap.chmod(0o755)
    for name in (
        *("core.fsmonitor", "core.pager", "pager.ls-tree", "core.sshCommand", "diff.external"),
        *("filter.x.smudge", "filter.x.clean", "diff.x.textconv", "alias.ls-tree"),
    ):
        repository.git("config", name, str(trap))
    repository.git("config", "filter.x.required", "true")
    repository.write({".git/info/attributes": "*.sql filter=x diff=x\n"})
    hooks = {f".git/hooks/{name}": trap.read_text() for name in ("post-checkout", "post-index")}
    repository.write({**hooks, "db/4_new.up.sql": "SELECT 1;\n"})
    before = state_of(repository.path)
    assert repository.since("main") == ("4",)
    assert not (tmp_path / "sprung").exists()
    assert state_of(repository.path) == before


def state_of(path: Path) -> dict[str, tuple[int, int]]:
    """When each file was last written to, and its size."""
    found = ((file, file.stat()) for file in sorted(path.rglob("*")))
    return {str(file): (told.st_mtime_ns, told.st_size) for file, told in found}


def test_variables_of_git_do_not_lead_to_another_repository(
    repository, tmp_path, said, monkeypatch: pytest.MonkeyPatch
):
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    found = git_revision.revision(repository.folder, "HEAD")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_WORK_TREE")
    assert found.commit == repository.git("rev-parse", "HEAD")

"""What makes the state before a migration another one, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness import registry
from harness.cli import state_key, sweep_selection
from harness.cli.sweep_selection import SweepPlan
from harness.ports import Recipe
from harness.testing import FakeBackend

FILES = {
    "1_users.up.sql": "CREATE TABLE users (id serial PRIMARY KEY);",
    "2_name.up.sql": "ALTER TABLE users ADD COLUMN name text;",
    "3_mail.up.sql": "ALTER TABLE users ADD COLUMN mail text;",
    "4_last.up.sql": "ALTER TABLE users ADD COLUMN last text;",
}


class OnData(FakeBackend):
    """A backend that could start a server on the data of another one."""

    runs = "program 1"

    def what_runs(self, recipe: Recipe) -> str:
        return self.runs

    def start_on(self, recipe: Recipe, fill: Callable[[Path], bool]) -> None:
        raise AssertionError("no server is needed to tell")


class Options:
    """The options of a sweep that was asked for nothing but a version."""

    def __init__(self, **given: object) -> None:
        self.only: tuple[str, ...] = ("3",)
        self.placeholder: tuple[str, ...] = ()
        vars(self).update(given)

    def __getattr__(self, name: str) -> None:
        return None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "cache"))
    made = tmp_path / "migrations"
    made.mkdir()
    write(made, FILES)
    return made


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def plan(folder: Path, **given: object) -> SweepPlan:
    return sweep_selection.plan(folder, Options(engine="postgres", **given))


def key(
    planned: SweepPlan,
    environment: Mapping[str, str] | None = None,
    runs: str = OnData.runs,
    engine: str = "postgres",
) -> str:
    backend = OnData()
    backend.runs = runs
    found = state_key.state_before(
        planned, registry.engine(engine), backend, "run", environment or {}
    )
    assert found is not None
    return found.key


def test_the_same_question_has_the_same_key(folder):
    assert key(plan(folder)) == key(plan(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"3_mail.up.sql": "SELECT 3;"},
        {"4_last.up.sql": "SELECT 4;"},
        {"3_mail.down.sql": "SELECT 3;"},
        {"5_more.up.sql": "SELECT 5;"},
    ],
    ids=["itself", "a-later-one", "its-way-down", "one-more"],
)
def test_what_comes_after_does_not_matter(folder, files):
    """It is there to be changed until the sweep is green."""
    before = key(plan(folder))
    write(folder, files)
    assert key(plan(folder)) == before


def changed(folder: Path) -> None:
    write(folder, {"2_name.up.sql": FILES["2_name.up.sql"].replace("text", "tExt")})


def line_ends(folder: Path) -> None:
    (folder / "2_name.up.sql").write_bytes(FILES["2_name.up.sql"].encode() + b"\r\n")


def renamed(folder: Path) -> None:
    (folder / "2_name.up.sql").rename(folder / "2_names.up.sql")


def one_between(folder: Path) -> None:
    (folder / "3_mail.up.sql").rename(folder / "33_mail.up.sql")
    write(folder, {"3_more.up.sql": "SELECT 1;", "33_mail.up.sql": FILES["3_mail.up.sql"]})


def swapped(folder: Path) -> None:
    write(folder, {"1_users.up.sql": FILES["2_name.up.sql"]})
    write(folder, {"2_name.up.sql": FILES["1_users.up.sql"]})


@pytest.mark.parametrize("change", [changed, line_ends, renamed, swapped])
def test_what_comes_before_matters(folder, change):
    """To the byte, to the name, to the order."""
    before = key(plan(folder))
    change(folder)
    assert key(plan(folder)) != before


def test_of_a_migration_that_is_code_its_files_matter(folder):
    """Nothing else is known of what it does."""

    def of_code() -> str:
        planned = plan(folder)
        code = tuple(replace(migration, up=None) for migration in planned.migrations)
        return key(replace(planned, migrations=code))

    before = of_code()
    write(folder, {"4_last.up.sql": "SELECT 4;"})
    assert of_code() == before
    changed(folder)
    assert of_code() != before


def test_one_more_before_it_matters(folder):
    before = key(plan(folder))
    one_between(folder)
    assert key(plan(folder, only=("33",))) != before


def test_which_one_it_is_before_matters(folder):
    assert key(plan(folder)) != key(plan(folder, only=("4",)))
    assert key(plan(folder)) == key(plan(folder, only=("3", "4")))


def test_what_runs_it_matters(folder):
    """Another program of the server, another version that is asked for, a changed adapter."""
    planned = plan(folder)
    tool = replace(planned.tool, notes=f"{planned.tool.notes} changed")
    keys = {
        key(planned),
        key(planned, runs="program 2"),
        key(planned, engine="postgres:18"),
        key(replace(planned, tool=tool)),
    }
    assert len(keys) == 4


def test_a_value_in_an_earlier_file_matters(tmp_path, monkeypatch):
    """What is sent counts, not only what the file says."""
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "sql"
    folder.mkdir()
    write(
        folder,
        {"V1__a.sql": "CREATE TABLE ${name} (id serial);", "V2__b.sql": "SELECT '${other}';"},
    )

    def with_values(*values: str) -> str:
        return key(plan(folder, only=("2",), tool="flyway", placeholder=values, layout="flyway"))

    assert with_values("name=a", "other=x") != with_values("name=b", "other=x")
    assert with_values("name=a", "other=x") == with_values("name=a", "other=y")


@pytest.fixture
def program(folder: Path) -> Path:
    """A program of a tool that tells its version."""
    path = folder.parent / "program"
    path.write_text("#!/bin/sh\ncat $0.version\n")
    path.chmod(0o755)
    Path(f"{path}.version").write_text("1.0")
    return path


def test_of_a_real_program_all_that_it_can_read_matters(folder, program):
    """Its version, its own file, its environment, and every other file of the project."""
    planned = plan(folder, layout="golang-migrate", tool="golang-migrate")
    tool = replace(planned.tool, how="run", version=("{program}",), project=())
    planned = replace(planned, tool=tool, program=str(program))
    keys = [key(planned)]
    assert key(planned) == keys[0]
    write(folder, {"3_mail.up.sql": "SELECT 3;", "4_last.up.sql": "SELECT 4;"})
    assert key(planned) == keys[0]
    Path(f"{program}.version").write_text("1.1")
    keys.append(key(planned))
    keys.append(key(planned, {"GIVEN": "x"}))
    write(folder, {"helper.conf": "x"})
    keys.append(key(planned))
    program.write_text(program.read_text() + "# more\n")
    keys.append(key(planned))
    assert len(set(keys)) == len(keys)


def test_a_program_that_tells_no_version_has_nothing_kept(folder, program, capsys):
    planned = plan(folder)
    tool = replace(planned.tool, how="run", version=("{program}.none",))
    planned = replace(planned, tool=tool, program=str(program))
    backend = OnData()
    assert state_key.state_before(planned, registry.engine("postgres"), backend, "run", {}) is None
    assert "does not tell its version" in capsys.readouterr().err


def test_an_empty_database_is_not_kept(folder):
    """Before the first migration there is nothing that would have to be made."""
    backend = OnData()
    planned = plan(folder, only=("1",))
    assert state_key.state_before(planned, registry.engine("postgres"), backend, "run", {}) is None

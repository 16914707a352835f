"""``mdrill backup`` as people call it: its words, its exit codes, and what it writes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner
from making import written
from places import backend_of

from harness.cli import mdrill


@dataclass(frozen=True)
class Outcome:
    """How it ended, and what its reports say."""

    code: Any
    out: str
    folder: Path

    @property
    def backups(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "backup.json").read_text())["backups"]

    def names(self) -> list[list[str]]:
        """Of each backup what speaks against it."""
        return [
            [f["name"] for f in backup["findings"] if f["grade"] != "note"]
            for backup in self.backups
        ]


def run(tmp_path: Path, *more: str, engine: str = "postgres") -> Outcome:
    out = tmp_path / "out"
    argv = ["backup", *more, "--out", str(out), "--backend", backend_of(engine)]
    done = CliRunner().invoke(mdrill, argv, standalone_mode=False)
    if done.exception:
        return Outcome(done.exception, str(done.exception), out)
    return Outcome(done.return_value, done.output, out / "latest")


def test_a_manifest_is_written_of_what_was_proven_and_holds(postgres, tmp_path):
    """The same dump is compared with it to the last row; a file that was changed is told."""
    path = written(tmp_path, postgres.dump("-Fc"))
    beside = tmp_path / "shop.dump.manifest.json"
    first = run(tmp_path, str(path), "--manifest")
    assert (first.code, first.names()) == (0, [[]])
    assert "USABLE" in first.out
    manifest = json.loads(beside.read_text())
    assert manifest["tables"]["public.orders"][0] == 900
    assert "trigger public.customers.stamp" in manifest["objects"]
    assert manifest["sequences"]["public.customers_id_seq"] == 401
    again = run(tmp_path, str(path))
    assert (again.code, again.backups[0]["compared_with"]) == (0, beside.name)
    manifest["tables"]["public.orders"][1] = "1"
    beside.write_text(json.dumps(manifest))
    assert run(tmp_path, str(path)).names() == [["rows-differ"]]
    postgres.sql("DELETE FROM visits WHERE page LIKE '%1' OR page LIKE '%2'")
    path.write_bytes(postgres.dump("-Fc"))
    changed = run(tmp_path, str(path))
    assert (changed.code, changed.names()) == (1, [["fewer-rows", "other-file"]])


def test_nothing_is_written_beside_a_dump_that_is_not_proven(postgres, tmp_path):
    postgres.sql("DELETE FROM visits")
    path = written(tmp_path, postgres.dump("-Fc"))
    done = run(tmp_path, str(path), "--manifest")
    assert (done.code, done.names()) == (3, [["empty-table"]])
    assert not (tmp_path / "shop.dump.manifest.json").exists()


def test_a_folder_is_checked_in_the_order_of_age_each_against_the_one_before(postgres, tmp_path):
    """Not of names; a night without bytes is told, what is no dump is skipped."""
    folder = tmp_path / "nights"
    folder.mkdir()
    os.utime(written(folder, postgres.dump(), "shop-2.sql"), (1_000_000, 1_000_000))
    postgres.sql("DROP TRIGGER stamp ON customers; DELETE FROM orders WHERE id > 100")
    written(folder, postgres.dump(), "shop-1.sql")
    empty = written(folder, b"", "shop-0.sql.gz")
    os.utime(empty, (0, 0))
    written(folder, b"ask Ada", "README")
    done = run(tmp_path, str(folder))
    assert done.code == 1
    told = [(Path(b["path"]).name, b["verdict"]) for b in done.backups]
    assert told == [
        ("shop-0.sql.gz", "NOT USABLE"), ("shop-2.sql", "USABLE"), ("shop-1.sql", "NOT USABLE"),
    ]  # fmt: skip
    assert done.names() == [["unreadable"], [], ["fewer-rows", "object-missing"]]
    assert "README" in done.out
    cases = Xml.parse(done.folder / "junit.xml").getroot()
    assert (cases.get("tests"), cases.get("failures")) == ("3", "2")
    assert "shop-1.sql" in (done.folder / "backup.md").read_text()


def test_objectives_are_held_against_age_and_restore(postgres, tmp_path):
    path = written(tmp_path, postgres.dump())
    os.utime(path, (0, 0))
    done = run(tmp_path, str(path), "--max-age", "26h", "--max-restore", "1ms")
    assert (done.code, done.names()) == (1, [["too-old", "too-slow"]])
    os.utime(path)
    assert run(tmp_path, str(path), "--max-age", "26h", "--max-restore", "10h").code == 0


def test_a_folder_without_a_dump_is_not_green(tmp_path):
    (tmp_path / "nothing").mkdir()
    done = run(tmp_path, str(tmp_path / "nothing"))
    assert done.code == 5
    assert "nothing was proved" in done.out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("nowhere.dump",), "is not there"),
        (("--shrink", "a bit"), "wants a share such as 10%"),
        (("--max-age", "26"), "wants a duration with its unit"),
        (("--against", "nowhere.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_understood_is_usage(tmp_path, argv, says):
    dump = written(tmp_path, b"-- PostgreSQL database dump\n")
    words = argv if argv[0].endswith("dump") else (str(dump), *argv)
    done = run(tmp_path, *words)
    assert done.code.exit_code == 2
    assert says in done.out

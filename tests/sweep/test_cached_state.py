"""The state before the first swept migration, kept for the next sweep: never a stale one."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from swept import Outcome, run, write

from harness import cache, registry
from harness.backends.local import LocalBackend

pytestmark = pytest.mark.matrix(of=2)

ENGINES = ("postgres", "mariadb")
FILES = {
    "1_users.up.sql": "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);",
    "2_rows.up.sql": "INSERT INTO users VALUES (1, 'one'), (2, 'two');",
    "3_index.up.sql": "CREATE INDEX users_name ON users (name);",
    "4_phone.up.sql": "ALTER TABLE users ADD COLUMN phone varchar(60);\n"
    "UPDATE users SET phone = name;",
    "5_fax.up.sql": "ALTER TABLE users ADD COLUMN fax varchar(60);",
}
FEW = ("--ways", "client-sigkill", "--rows", "5")
FOR_ONE_RUN = {
    "postgres": "ALTER SYSTEM SET work_mem = '5MB';",
    "mariadb": "SET GLOBAL max_error_count = 65;",
}
"""What only a restart brings into force, or undoes."""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if problem := LocalBackend("tests").cannot_run(registry.engine(request.param).recipe):
        pytest.skip(problem)
    return request.param


class Place:
    """A folder of migrations and a cache of a test's own."""

    def __init__(self, path: Path, engine: str) -> None:
        self.folder = write(path / "migrations", FILES)
        self.cache = path / "cache"
        self._out, self._engine = path / "out", engine

    def arguments(self, *more: str, only: str = "4") -> list[str]:
        return [
            *("sweep", str(self.folder), "--engine", self._engine, "--backend", "local"),
            *("--only", only, "--out", str(self._out), "--json", *more),
        ]

    def sweep(self, *more: str, only: str = "4") -> Outcome:
        done = run(*self.arguments(*more, only=only), MDRILL_CACHE=str(self.cache))
        assert done.code == 0, done.err
        return done

    def entry(self) -> Path:
        (found,) = (self.cache / cache.STATES).iterdir()
        return found


@pytest.fixture
def place(tmp_path: Path, engine: str) -> Place:
    return Place(tmp_path, engine)


def found_out(outcome: Outcome) -> object:
    """All that a sweep finds out, but for what differs from run to run: times and processes."""
    result = outcome.result
    return (
        [(m.version, m.reference.states, m.reference.rows, m.rollback) for m in result.migrations],
        {
            (m.version, c.point): (c.left, c.grade, c.heals, c.applied, c.state)
            for m in result.migrations
            for c in m.every_cell
        },
        {(m.version, h.state): (h.grade, h.gone) for m in result.migrations for h in m.healings},
        (result.grades, result.all_pending),
    )


def test_what_is_found_out_does_not_depend_on_the_cache(place):
    """Without it, with nothing in it yet, and out of it: the same states, cells and grades."""
    more = ("--exhaustive", "--rows", "5", "--range", "4..5")
    arguments = [a for a in place.arguments(*more) if a not in ("--only", "4")]
    told = [
        run(*arguments, *last, MDRILL_CACHE=str(place.cache)) for last in (("--no-cache",), (), ())
    ]
    without, cold, warm = told
    assert [one.code for one in told] == [0, 0, 0], "".join(one.err for one in told)
    assert found_out(cold) == found_out(without)
    assert found_out(warm) == found_out(without)
    assert len(found_out(warm)[1]) > 50
    assert (without.result.from_cache, cold.result.from_cache) == (None, None)
    assert warm.result.from_cache.migration == "4"
    assert warm.result.from_cache.count == 3
    assert warm.result.from_cache.run == cold.result.run


def test_nobody_takes_it_for_a_sweep_that_ran_the_earlier_ones(place):
    """The reports tell it, and sweep.json does."""
    place.sweep(*FEW)
    warm = place.sweep(*FEW)
    told = "its 3 earlier migrations were not run again"
    assert told in warm.file("sweep.md")
    assert told in warm.file("sweep.html")
    assert json.loads(warm.file("sweep.json"))["from_cache"]["count"] == 3


def test_only_a_change_before_it_makes_it_anew(place):
    """The migration itself and later ones may change as they like: that is what it is for."""
    place.sweep(*FEW)
    write(place.folder, {"4_phone.up.sql": "ALTER TABLE users ADD COLUMN telephone varchar(61);"})
    write(place.folder, {"5_fax.up.sql": "SELECT 1;", "6_more.up.sql": "SELECT 2;"})
    assert place.sweep(*FEW).result.from_cache is not None
    write(place.folder, {"2_rows.up.sql": "INSERT INTO users VALUES (1, 'one'), (2, 'twO');"})
    assert place.sweep(*FEW).result.from_cache is None
    assert place.sweep(*FEW).result.from_cache is not None


def test_what_is_damaged_is_made_anew_and_told(place):
    """A file that was cut stops it before a server starts."""
    place.sweep(*FEW)
    data = place.entry() / cache.DATA
    largest = max(data.rglob("*"), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size - 1)
    again = place.sweep(*FEW)
    assert again.result.from_cache is None
    assert "the state before 4 that was kept is not used" in again.err
    assert place.sweep(*FEW).result.from_cache is not None


def test_what_does_not_hold_what_it_held_is_made_anew_and_told(place):
    """Every file is whole, and the database is another: the snapshot tells."""
    place.sweep(*FEW)
    note = place.entry() / cache.ABOUT
    told = json.loads(note.read_text())
    name = next(name for name in told["about"]["snapshot"]["contents"] if "users" in name)
    told["about"]["snapshot"]["contents"][name][1] += "0"
    note.write_text(json.dumps(told))
    again = place.sweep(*FEW)
    assert again.result.from_cache is None
    assert "is not used" in again.err
    assert "users" in again.err
    assert place.sweep(*FEW).result.from_cache is not None


KILLED = """
import os, signal, sys
from harness import cache
def killed(source, target, copy=cache.copy):
    copy(source, target)
    if cache.STATES in target.parts:
        os.kill(os.getpid(), signal.SIGKILL)
cache.copy = killed
from harness.cli import main
main()
"""


def test_a_sweep_killed_while_it_keeps_the_state_leaves_nothing_that_is_used(place):
    """The next one runs the earlier migrations itself, and clears away what was half made."""
    died = subprocess.run(
        [sys.executable, "-c", KILLED, *place.arguments(*FEW)],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env={**os.environ, "MDRILL_CACHE": str(place.cache)},
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    left = place.entry()
    again = place.sweep(*FEW)
    assert again.result.from_cache is None
    assert not left.exists()
    assert place.sweep(*FEW).result.from_cache is not None
    run("gc", MDRILL_CACHE=str(place.cache))


def test_what_a_restart_changes_is_not_kept(place, engine):
    """A sweep goes on as if there were no cache, and the next one does not even try."""
    write(place.folder, {"2_rows.up.sql": FOR_ONE_RUN[engine]})
    first, second = place.sweep(*FEW), place.sweep(*FEW)
    assert first.result.from_cache is None
    assert second.result.from_cache is None
    assert "is made anew and not kept" in first.err
    assert "is made anew and not kept" not in second.err
    without = place.sweep(*FEW, "--no-cache")
    assert found_out(first) == found_out(second) == found_out(without)


def test_a_dump_is_part_of_what_makes_it(place, tmp_path):
    """A sweep from a dump begins with what was kept from that very dump, and of no other."""
    dump = tmp_path / f"{secrets.token_hex(4)}.sql"
    dump.write_text("CREATE TABLE other (id integer PRIMARY KEY);\n")
    place.sweep(*FEW)
    more = (*FEW, "--seed-dump", str(dump))
    assert place.sweep(*more).result.from_cache is None
    assert place.sweep(*more).result.from_cache is not None
    dump.write_text("CREATE TABLE other (id bigint PRIMARY KEY);\n")
    assert place.sweep(*more).result.from_cache is None

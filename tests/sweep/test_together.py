"""What a deployment really does: all pending files in one run of the tool; two runs at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from swept import Outcome, arguments, run, write

from harness.sweep.events import Outcome as OfOneRun

QUICK = ("--ways", "client-sigkill", "--rows", "5")
Sweeps = Callable[..., Outcome]

# ----------------------------------------------------------------------------- all in one run

LEAKS = {
    "1_base.sql": """\
-- migrate:up
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.parcels (id integer PRIMARY KEY, weight integer NOT NULL);
-- migrate:down
DROP TABLE public.parcels;
""",
    "2_label.sql": """\
-- migrate:up
ALTER TABLE parcels ADD COLUMN label text;
-- migrate:down
ALTER TABLE parcels DROP COLUMN label;
""",
    "3_depot.sql": """\
-- migrate:up
CREATE TABLE depots (id integer PRIMARY KEY);
-- migrate:down
DROP TABLE depots;
""",
}
"""The first file leaves a session in which no table is found without its schema."""


def test_a_setting_that_leaks_into_the_next_file_is_found(sweep: Sweeps):
    """Each file passes alone; a deployment applies them in one session, and the second fails."""
    outcome = sweep(LEAKS, "postgres", "--tool", "dbmate-emulated", *QUICK)
    found = outcome.result.all_pending
    assert found is not None
    assert (found.outcome, found.migration, found.count) == (OfOneRun.FAILS, "2", 3)
    assert found.file.endswith("2_label.sql")
    assert 'relation "parcels" does not exist' in found.says
    assert outcome.code == 1
    for name in ("sweep.md", "sweep.html", "junit.xml"):
        assert "2_label.sql" in outcome.file(name).replace("\\", "")
        assert "as a deployment applies all 3 that are pending" in outcome.file(name)


def in_one_run(outcome: Outcome) -> OfOneRun:
    assert outcome.result.all_pending is not None
    return outcome.result.all_pending.outcome


DIFFERS = {
    "1_a.sql": """\
-- migrate:up
CREATE TABLE notes (id integer PRIMARY KEY, text_ varchar(40) DEFAULT 'none');
SET search_path = other, public;
CREATE SCHEMA other;
-- migrate:down
DROP TABLE notes;
DROP SCHEMA other CASCADE;
""",
    "2_b.sql": """\
-- migrate:up
CREATE TABLE tags (id integer PRIMARY KEY);
-- migrate:down
DROP TABLE tags;
""",
}
"""Alone the second makes its table in ``public``, after the first in the same session elsewhere."""


def test_all_in_one_run_may_leave_another_state(sweep: Sweeps):
    """Nothing fails, and the table stands in another schema."""
    outcome = sweep(DIFFERS, "postgres", "--tool", "dbmate-emulated", *QUICK)
    found = outcome.result.all_pending
    assert found is not None
    assert (found.outcome, outcome.code) == (OfOneRun.DIFFERS, 1)
    assert "gone: table public.tags" in "; ".join(found.differs)
    assert "leave another state than one by one" in outcome.file("sweep.md")


CLOCKS = {
    "1_a.sql": """\
-- migrate:up
CREATE TABLE notes (id integer PRIMARY KEY, at timestamp(6) NULL DEFAULT CURRENT_TIMESTAMP(6));
INSERT INTO notes (id) VALUES (1), (2);
-- migrate:down
DROP TABLE notes;
""",
    "2_b.sql": """\
-- migrate:up
ALTER TABLE notes ADD COLUMN text_ varchar(40);
-- migrate:down
ALTER TABLE notes DROP COLUMN text_;
""",
}


def test_times_are_no_difference(sweep: Sweeps, some_engine: str):
    """What differs from run to run by itself is aside; what is the same is told as well."""
    outcome = sweep(CLOCKS, some_engine, "--tool", "dbmate-emulated", *QUICK)
    assert in_one_run(outcome) is OfOneRun.SAME
    assert outcome.code == 0, outcome.err
    assert "All 2 in one run of the tool" in outcome.file("sweep.md")


DEFERRED = {
    "1_base.sql": """\
-- migrate:up
CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE parcels (id integer PRIMARY KEY, weight integer NOT NULL, owner integer NOT NULL
  REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED);
-- migrate:down
DROP TABLE parcels;
DROP TABLE people;
""",
    "2_owners.sql": """\
-- migrate:up
UPDATE parcels SET owner = (SELECT max(id) FROM people);
-- migrate:down
SELECT 1;
""",
    "3_column.sql": """\
-- migrate:up
ALTER TABLE parcels ADD COLUMN label text;
-- migrate:down
ALTER TABLE parcels DROP COLUMN label;
""",
}
ONE_TRANSACTION = """\
title: one transaction a run
how: emulated
layouts: [dbmate]
engines: [postgres]
tables: [applied]
applied: SELECT version FROM applied ORDER BY version
mark_applied: ["INSERT INTO applied (version) VALUES ('{version}')"]
mark_reverted: ["DELETE FROM applied WHERE version = '{version}'"]
emulation:
  postgres:
    wire: per-statement
    setup: [CREATE TABLE applied (version varchar(50) PRIMARY KEY)]
    before_run: [BEGIN]
    after_run: [COMMIT]
    after: ["INSERT INTO applied (version) VALUES ('{version}')"]
    before_down: [BEGIN]
    after_down: ["DELETE FROM applied WHERE version = '{version}'", COMMIT]
"""


def test_it_starts_with_rows_where_there_are_tables(tmp_path: Path):
    """A run that is one transaction fails only on rows, and the file is told that it fails at."""
    folder = write(tmp_path / "migrations", DEFERRED)
    (tmp_path / "tool.yaml").write_text(ONE_TRANSACTION)
    more = ("--tool", str(tmp_path / "tool.yaml"), "--range", "2..3", *QUICK)
    outcome = run(*arguments(folder, "postgres", tmp_path / "out", *more))
    found = outcome.result.all_pending
    assert found is not None, outcome.err
    assert (found.outcome, found.migration) == (OfOneRun.FAILS, "3")
    assert found.rows > 0
    assert "pending trigger events" in found.says


def test_a_tool_without_a_record_has_nothing_pending(sweep: Sweeps):
    """It is said, and is no finding."""
    files = {
        "1_a.sql": "CREATE TABLE a (id integer);\n",
        "2_b.sql": "CREATE TABLE b (id integer);\n",
    }
    outcome = sweep(files, "postgres", "--tool", "psql-single-transaction", *QUICK)
    assert in_one_run(outcome) is OfOneRun.NOT_RUN
    assert "keeps no record, so to it nothing is pending" in outcome.file("sweep.md")


def test_one_migration_is_one_run(sweep: Sweeps):
    """There is nothing to compare."""
    only: Mapping[str, str] = {"1_a.sql": "CREATE TABLE a (id integer);\n"}
    assert sweep(only, "postgres", "--tool", "psql", *QUICK).result.all_pending is None


# ----------------------------------------------------------------------------- two at once

RIVALS = ("rival", "rival-first-killed", "rival-second-killed")
TWO = ("--rows", "5", *(word for way in RIVALS for word in ("--ways", way)))
LOCK = {
    "none": "",
    "waits": """\
    lock: SELECT true FROM pg_advisory_lock(7)
    unlock: SELECT pg_advisory_unlock(7)
""",
    "refuses": """\
    lock: SELECT pg_try_advisory_lock(7)
    unlock: SELECT pg_advisory_unlock(7)
""",
    "polls": """\
    lock: SELECT pg_try_advisory_lock(7)
    lock_every: 100ms
    lock_timeout: 600s
    unlock: SELECT pg_advisory_unlock(7)
""",
    "row": """\
    lock: UPDATE busy SET taken = true WHERE NOT taken RETURNING true
    lock_every: 100ms
    lock_timeout: 600s
    unlock: UPDATE busy SET taken = false
""",
}
"""What a made-up tool does before it looks what is pending."""
TOOL = """\
title: a made-up tool
how: emulated
layouts: [dbmate]
engines: [ENGINE]
tables: [applied, busy]
applied: SELECT version FROM applied ORDER BY n
mark_applied: ["INSERT INTO applied (version) VALUES ('{version}')"]
mark_reverted: ["DELETE FROM applied WHERE version = '{version}'"]
rerun_timeout: PATIENCE
emulation:
"""
SENDS = """\
    wire: per-statement
    before: [BEGIN]
    after: ["INSERT INTO applied (version) VALUES ('{version}')", COMMIT]
    failed: [ROLLBACK]
"""
SETUP = {
    "postgres": """\
  postgres:
    setup:
      - CREATE TABLE applied (n serial PRIMARY KEY, version varchar(50))
      - CREATE TABLE busy (taken boolean)
      - INSERT INTO busy VALUES (false)
""",
    "mysql": """\
  mysql:
    setup:
      - CREATE TABLE applied (n serial PRIMARY KEY, version varchar(50))
      - CREATE TABLE busy (taken boolean)
      - INSERT INTO busy VALUES (false)
""",
}
NOTES = {
    "1_notes.sql": """\
-- migrate:up
CREATE TABLE notes (text_ varchar(40));
-- migrate:down
DROP TABLE notes;
""",
    "2_fill.sql": """\
-- migrate:up
INSERT INTO notes VALUES ('one'), ('two');
-- migrate:down
DELETE FROM notes WHERE text_ IN ('one', 'two');
""",
    "3_more.sql": """\
-- migrate:up
INSERT INTO notes VALUES ('three');
-- migrate:down
DELETE FROM notes WHERE text_ = 'three';
""",
    "4_wide.sql": """\
-- migrate:up
ALTER TABLE notes ADD COLUMN wide varchar(40);
-- migrate:down
ALTER TABLE notes DROP COLUMN wide;
""",
}
"""Nothing in it protects itself against a second run, but for what is made."""


def together(place: Path, lock: str, engine: str = "postgres", *more: str) -> Outcome:
    """Two at once, of a made-up tool with that lock."""
    folder = write(place / "migrations", NOTES)
    dialect = "postgres" if engine == "postgres" else "mysql"
    told = TOOL.replace("ENGINE", engine).replace("PATIENCE", "8s" if lock == "row" else "60s")
    (place / "tool.yaml").write_text(told + SETUP[dialect] + SENDS + LOCK[lock])
    tool = ("--tool", str(place / "tool.yaml"))
    return run(*arguments(folder, engine, place / "out", *tool, *TWO, *more))


def met(outcome: Outcome, version: str, way: str = "rival") -> set[tuple[str, str, str]]:
    """What the second came to, what is left, and the grade of that."""
    cells = [c for c in outcome.rivals(version) if c.way == way]
    assert cells
    assert not [c for c in cells if c.missed]
    return {(str(c.rival.meets), c.left.name, str(c.grade)) for c in cells}


def test_a_tool_without_a_lock_doubles_rows(tmp_path: Path, some_engine: str):
    """Both find the file pending, both insert, and both end well: it is found, and it is red."""
    outcome = together(tmp_path, "none", some_engine, "--only", "2")
    assert outcome.code == 1, outcome.err
    twice = [c for c in outcome.rivals("2") if c.rival.doubled]
    assert twice
    assert {str(c.grade) for c in twice} == {"applied-twice"}
    assert all(c.rival.both_say_done for c in twice)
    (doubled,) = {told for c in twice for told in c.rival.doubled}
    assert doubled.startswith("9 rows of ")
    assert doubled.endswith("notes, an unbroken run has 7")
    for name in ("sweep.md", "sweep.html", "junit.xml"):
        assert "applied twice" in outcome.file(name)


def test_without_a_lock_the_second_waits_for_the_first_ones_table(tmp_path: Path):
    """The server tells what it waits for; the work is done once, and one of them fails."""
    outcome = together(tmp_path, "none", "postgres", "--only", "4")
    cells = {c.point: c for c in outcome.rivals("4")}
    (waits,) = [c for c in cells.values() if c.way == "rival" and c.rival.meets == "waits"]
    assert waits.rival.waits_for.startswith("Lock:relation: ALTER TABLE notes")
    assert (waits.rival.first_status, waits.rival.second_status) == (0, 1)
    assert (waits.left.name, str(waits.grade)) == ("after", "self-heals")
    killed = [c for c in cells.values() if c.way == "rival-first-killed" and c.n == waits.n]
    assert [(c.left.name, c.rival.second_status) for c in killed] == [("after", 0)]


def test_a_lock_that_waits_lets_one_through(tmp_path: Path):
    """The second waits, and finds the work done, or does it when the first is killed; what the
    first migration of a shape has shown holds for the next, and one is struck all the same."""
    alone = ("--ways", "client-sigkill", "--ways", "reply-lost", "--range", "2..4")
    outcome = together(tmp_path, "waits", "postgres", *alone)
    assert outcome.code == 0, outcome.err
    assert met(outcome, "2") == {("waits", "after", "done"), ("ends-well", "after", "done")}
    assert met(outcome, "2", "rival-first-killed") == {("waits", "after", "done")}
    assert met(outcome, "2", "rival-second-killed") == {("waits", "after", "done")}
    (pending,) = [c for c in outcome.rivals("2") if c.n == 0]
    assert pending.rival.second_sent == 1
    assert {c.rule for c in outcome.rivals("2")} == {""}
    later = [c for v in "34" for c in outcome.rivals(v)]
    assert {c.left.name for c in later} == {"after"}
    assert {c.rule for c in later} == {"", "tool-lock"}
    assert outcome.result.audited >= 1
    assert outcome.result.revoked == ()
    assert "two at once: the second waits" in outcome.file("sweep.md")


def test_a_lock_that_refuses_fails_the_second(tmp_path: Path):
    """Its application does not start; the work is done once, or by the next run."""
    outcome = together(tmp_path, "refuses", "postgres", "--only", "2")
    assert met(outcome, "2") == {("fails", "after", "self-heals"), ("ends-well", "after", "done")}
    assert met(outcome, "2", "rival-first-killed") == {("fails", "before", "self-heals")}
    assert not [c for c in outcome.rivals("2") if c.way == "rival-second-killed"]


def test_a_tool_that_asks_again_and_again_is_seen(tmp_path: Path):
    """It waits by what it sends, and no session of it waits in the server."""
    outcome = together(tmp_path, "polls", "postgres", "--only", "2")
    assert met(outcome, "2") >= {("asks-again", "after", "done")}
    assert met(outcome, "2", "rival-first-killed") == {("asks-again", "after", "done")}


def test_a_lock_that_outlives_its_owner_blocks_the_second_for_ever(tmp_path: Path):
    """A row that says somebody is at work: killed, the first leaves it, and the second waits."""
    outcome = together(tmp_path, "row", "postgres", "--only", "2")
    killed = [c for c in outcome.rivals("2") if c.way == "rival-first-killed"]
    assert {c.rival.hung for c in killed} == {"second"}
    assert {str(c.grade) for c in killed} <= {"stuck-on-own-lock", "unhealed"}
    assert met(outcome, "2") >= {("asks-again", "after", "done")}
    assert "waits for ever" in outcome.file("sweep.md")

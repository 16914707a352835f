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
    assert "new: table other.tags" in "; ".join(found.differs)
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

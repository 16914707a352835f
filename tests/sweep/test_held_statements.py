"""Statements that are hard to hold are struck amid their work, and what they leave is found."""

from __future__ import annotations

import pytest

QUICK = ("--tool", "psql", "--rows", "20", "--only", "2")
ENDED = ("--ways", "session-kill")
STOPPED = (*ENDED, "--ways", "query-cancel")

PARTS = """\
CREATE TABLE trips (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE trips_24 PARTITION OF trips FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE trips_25 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
"""
DETACH = """\
ALTER TABLE trips DETACH PARTITION trips_24 CONCURRENTLY;
CREATE TABLE after_it (id integer PRIMARY KEY);
"""


def test_a_detach_that_waits_for_readers_is_struck_and_finished(sweep):
    """Killed there it stays pending, and the tool that is run again is refused."""
    outcome = sweep({"1_a.sql": PARTS, "2_b.sql": DETACH}, "postgres", *QUICK, *ENDED)
    assert outcome.code == 0, outcome.err
    inside = [c for c in outcome.cells("2") if c.where == "inside" and c.n == 1]
    assert [(c.wait, c.grade) for c in sorted(inside, key=lambda c: c.wait)] == [
        (1, "needs-hand-work"),
        (2, "needs-hand-work"),
    ]
    assert {c.left.name for c in inside} == {inside[0].left.name}
    assert "DETACH PENDING" in inside[0].left.differs[0]
    healing = outcome.healing("2", inside[0].left.name)
    again, first = healing.attempts[0], next(a for a in healing.attempts if a.healed)
    assert "already pending detach" in again.says
    assert first.commands[0].endswith(" FINALIZE;")
    assert "CREATE TABLE after_it" in first.commands[1]


TABLES = """\
CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(90) NOT NULL);
CREATE TYPE mood AS ENUM ('a', 'b');
"""
HARD = """\
ALTER TYPE mood ADD VALUE 'c';
GRANT SELECT ON users TO PUBLIC;
COMMENT ON TABLE users IS 'people';
CREATE EXTENSION IF NOT EXISTS citext;
SELECT setval('users_id_seq', 5000);
CREATE EVENT TRIGGER told ON sql_drop EXECUTE FUNCTION tell();
"""
TELL = "CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';\n"


@pytest.mark.parametrize("tool", ["psql", "psql-single-transaction"])
def test_what_no_catalogue_lock_holds_is_struck_inside(sweep, tool):
    """Alone, and within a transaction of the tool's."""
    files = {"1_a.sql": TABLES + TELL, "2_b.sql": HARD}
    more = ("--tool", tool, *QUICK[2:], *STOPPED, "--ways", "server-sigkill", "--exhaustive")
    outcome = sweep(files, "postgres", *more)
    assert outcome.code == 0, outcome.err
    inside = [c for c in outcome.cells("2") if c.where == "inside"]
    assert {c.way for c in inside} == {"session-kill", "query-cancel", "server-sigkill"}
    assert [(c.point, c.missed) for c in outcome.cells("2") if c.missed] == []


NOTIFIED = "ALTER TABLE users ADD COLUMN a integer;\nNOTIFY news;\n"
NOTIFIED += "ALTER TABLE users ADD COLUMN b integer;\n"


def test_what_no_lock_holds_and_a_transaction_undoes_follows_by_rule(sweep):
    """It is not unknown: whatever died in the transaction left what the others left."""
    files = {"1_a.sql": TABLES, "2_b.sql": NOTIFIED}
    more = ("--tool", "psql-single-transaction", *QUICK[2:], *STOPPED)
    outcome = sweep(files, "postgres", *more)
    assert outcome.code == 0, outcome.err
    (row,) = [r for r in outcome.migration("2").reference.rows if "NOTIFY" in r.label]
    cells = [c for c in outcome.cells("2") if c.n == row.n and c.where == "inside"]
    assert [(c.rule, c.left.name) for c in cells] == 2 * [("open-transaction", "before")]


def test_alone_it_is_told_as_not_struck(sweep):
    """There is no transaction from which it could follow."""
    files = {"1_a.sql": TABLES, "2_b.sql": NOTIFIED}
    outcome = sweep(files, "postgres", *QUICK, *ENDED)
    assert outcome.code == 3, outcome.err
    assert [c.missed[:7] for c in outcome.cells("2") if c.missed] == ["no lock"]


TWO = """\
CREATE TABLE one (id integer PRIMARY KEY, x integer);
CREATE TABLE two (id integer PRIMARY KEY, y integer);
"""
OF_MYSQL = """\
DELIMITER //
CREATE PROCEDURE fill() BEGIN UPDATE one SET x = -1; UPDATE two SET y = -2; END //
DELIMITER ;
CALL fill();
"""
PROCEDURES = {
    "postgres": "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN UPDATE one SET x = -1;\n"
    "INSERT INTO two VALUES (-7); COMMIT; UPDATE two SET y = -2; END $$;\nCALL fill();\n",
    "mysql": OF_MYSQL,
    "mariadb": OF_MYSQL,
}


def test_a_procedure_that_commits_is_struck_after_its_first_commit(sweep, engine):
    """Its first work is there, its last is not: no state of a run that nothing broke."""
    files = {"1_a.sql": TWO, "2_b.sql": PROCEDURES[engine]}
    outcome = sweep(files, engine, *QUICK, *ENDED)
    inside = {c.wait: c for c in outcome.cells("2") if c.where == "inside" and c.n == 2}
    assert {n: c.missed for n, c in inside.items()} == {1: "", 2: ""}
    assert inside[1].left.name == "1 of 2"
    assert inside[2].left.name.endswith("and debris")
    told = [line.split(": ")[1].removeprefix("public.") for line in inside[2].left.differs]
    assert told in (["one"], ["two"]), inside[2].left.differs


OWN = """\
BEGIN;
ALTER TABLE one ADD COLUMN c integer;
COMMIT;
ALTER TABLE two ADD COLUMN d integer;
"""


def test_a_file_with_a_commit_of_its_own_can_stop_half_way(sweep):
    """Although it is one message; and its half is a state that can be completed."""
    files = {"1_a.up.sql": TWO, "2_b.up.sql": OWN}
    outcome = sweep(files, "postgres", "--tool", "golang-migrate", *QUICK[2:], *ENDED)
    assert outcome.code == 0, outcome.err
    assert not outcome.migration("2").atomic
    attempts = outcome.healing("2", "1 of 2").attempts
    assert "complete by hand" in {a.name for a in attempts if a.healed}


LOCKED = "LOCK TABLES one WRITE;\nALTER TABLE one ADD COLUMN z integer;\nUNLOCK TABLES;\n"


def test_ddl_under_locks_of_its_own_is_held_by_the_backup_lock(sweep):
    """The global read lock is not to be had there."""
    outcome = sweep({"1_a.sql": TWO, "2_b.sql": LOCKED}, "mysql", *QUICK, *STOPPED)
    assert outcome.code == 0, outcome.err
    inside = {c.n for c in outcome.cells("2") if c.where == "inside"}
    assert len(inside) == 2

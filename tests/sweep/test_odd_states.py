"""States that cannot be compared, copied or seen like others, and are told truly all the same."""

from __future__ import annotations

import pytest

QUICK = ("--tool", "psql", "--ways", "client-sigkill", "--ways", "session-kill", "--rows", "20")

TABLE = "CREATE TABLE logs (id integer PRIMARY KEY, said varchar(90), at_time integer);\n"
OF_MYSQL = (
    "column logs.k",
    "SET @s = CONCAT('ALTER TABLE logs ADD COLUMN k bigint DEFAULT ', FLOOR(RAND() * 1e12));\n"
    "PREPARE p FROM @s;\nEXECUTE p;\n",
)
# PostgreSQL writes a number that fits into an integer bare, and a greater one with its cast: of a
# default that is sometimes one and sometimes the other the cast is told as a change.
DIFFERS = {
    "mysql": OF_MYSQL,
    "mariadb": OF_MYSQL,
    "postgres": (
        "column public.logs.k",
        "DO $$ BEGIN EXECUTE format('ALTER TABLE logs ADD COLUMN k bigint DEFAULT %s', "
        "(random() * 1e12)::bigint + 4000000000); END $$;\n",
    ),
}


@pytest.mark.parametrize("engine", DIFFERS)
@pytest.mark.matrix(of=2)
def test_a_definition_that_differs_from_run_to_run_is_left_out_and_listed(sweep, engine):
    """As a column with now() in it: two unbroken runs differ in it, so no crash is blamed."""
    name, statement = DIFFERS[engine]
    work = f"{statement}ALTER TABLE logs ADD COLUMN two integer;\n"
    outcome = sweep({"1_a.sql": TABLE, "2_b.sql": work}, engine, *QUICK, "--only", "2")
    reference = outcome.migration("2").reference
    assert name in reference.volatile
    left = {cell.left.name for cell in outcome.cells("2")}
    assert left == {"before", "1 of 2", "after"}
    assert {cell.grade for cell in outcome.cells("2")} <= {"done", "self-heals", "needs-hand-work"}


PAIR = """\
CREATE TABLE owners (code char(12) NOT NULL PRIMARY KEY) DEFAULT CHARSET=utf8mb3;
CREATE TABLE boats (id integer PRIMARY KEY, owner char(12) NOT NULL,
  CONSTRAINT boats_owner FOREIGN KEY (owner) REFERENCES owners (code)) DEFAULT CHARSET=utf8mb3;
"""
CONVERTED = """\
SET FOREIGN_KEY_CHECKS = 0;
ALTER TABLE owners CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE boats CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
SET FOREIGN_KEY_CHECKS = 1;
"""


def test_a_state_that_no_statement_makes_anew_is_struck_again(sweep):
    """Tables that fit no longer, and are there: what heals it is found all the same."""
    outcome = sweep({"1_a.sql": PAIR, "2_b.sql": CONVERTED}, "mysql", *QUICK, "--only", "2")
    assert outcome.code in (0, 1, 3), outcome.err
    half = {c.left.name for c in outcome.cells("2")} & {"1 of 2"}
    assert half, outcome.cells("2")
    for name in half:
        healing = outcome.healing("2", name)
        assert "complete by hand" in {a.name for a in healing.attempts if a.healed}
        assert [a.says for a in healing.attempts if "not tried" in a.says] == []


LOCKED = """\
LOCK TABLES logs WRITE;
UPDATE logs SET said = 'x';
UNLOCK TABLES;
"""


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
@pytest.mark.matrix(of=2)
def test_a_migration_that_locks_everybody_out_is_not_waited_for(sweep, engine):
    """What it holds cannot be looked at from outside; its sessions die with their locks."""
    outcome = sweep({"1_a.sql": TABLE, "2_b.sql": LOCKED}, engine, *QUICK, "--only", "2")
    assert outcome.code in (0, 3), outcome.err
    assert {c.left.name for c in outcome.cells("2") if c.where == "before"} >= {"before"}
    assert all("lock" in cell.missed for cell in outcome.cells("2") if cell.missed)


OF_A_SESSION = """\
CREATE TABLE app.notes (id integer PRIMARY KEY);
SET search_path TO app, public;
CREATE TEMP TABLE picked AS SELECT id FROM logs WHERE id < 9;
ALTER TABLE logs ADD COLUMN c integer;
UPDATE logs SET c = 5 WHERE id IN (SELECT id FROM picked);
DROP TABLE picked;
CREATE TABLE later (id integer PRIMARY KEY);
"""


def test_what_completes_a_migration_brings_its_session_along(sweep):
    """A path of schemas and a temporary table are gone with the session that died."""
    first = TABLE.replace("logs", "app.logs")
    files = {"1_a.sql": f"CREATE SCHEMA app;\n{first}", "2_b.sql": OF_A_SESSION}
    outcome = sweep(files, "postgres", *QUICK, "--only", "2")
    assert outcome.code == 0, outcome.err
    left = {cell.left.name for cell in outcome.cells("2")}
    assert {"1 of 6", "3 of 6", "4 of 6"} <= left
    assert {cell.grade for cell in outcome.cells("2")} <= {"done", "self-heals", "needs-hand-work"}


WITH_A_BODY = """\
-- +goose Up
ALTER TABLE logs ADD COLUMN c integer;
-- +goose StatementBegin
CREATE PROCEDURE mend() BEGIN
  UPDATE logs SET c = 1;
  IF 1 = 2 THEN DELETE FROM logs; END IF;
END
-- +goose StatementEnd
UPDATE logs SET c = 2;
"""


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
@pytest.mark.matrix(of=2)
def test_a_body_is_one_statement(sweep, engine):
    """As the server counts, so that what is missing after a crash is completed from there."""
    files = {"1_a.sql": f"-- +goose Up\n{TABLE}", "2_b.sql": WITH_A_BODY}
    more = ("--tool", "goose", "--ways", "session-kill", "--rows", "20", "--only", "2")
    outcome = sweep(files, engine, *more)
    assert outcome.migration("2").reference.statements == 3
    left = {c.left.name for c in outcome.cells("2")}
    assert {"1 of 3", "2 of 3"} <= left
    for name in ("1 of 3", "2 of 3"):
        attempts = outcome.healing("2", name).attempts
        assert "complete by hand" in {a.name for a in attempts if a.healed}


OWN_INDEX = """\
ALTER TABLE boats ADD COLUMN berth integer NULL,
  ADD CONSTRAINT boats_berth FOREIGN KEY (berth) REFERENCES berths (id);
UPDATE boats SET name = 'x';
ALTER TABLE boats ADD KEY berth_and_name (berth, name);
"""


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
@pytest.mark.matrix(of=2)
def test_what_a_copy_cannot_know_is_tried_on_the_state_itself(sweep, engine):
    """The server drops an index that it made for a foreign key by itself; no copy tells which."""
    first = (
        "CREATE TABLE berths (id integer PRIMARY KEY);\n"
        "CREATE TABLE boats (id integer PRIMARY KEY, name varchar(9) NOT NULL);\n"
    )
    outcome = sweep({"1_a.sql": first, "2_b.sql": OWN_INDEX}, engine, *QUICK, "--only", "2")
    assert {"1 of 3", "2 of 3"} <= {cell.left.name for cell in outcome.cells("2")}
    for name in ("1 of 3", "2 of 3"):
        attempts = outcome.healing("2", name).attempts
        assert "complete by hand" in {a.name for a in attempts if a.healed}
    assert outcome.code == 0, outcome.err

"""What must be found is found, and what is wrong is never called healed."""

from __future__ import annotations

import sys

import pytest
from swept import arguments, run, run_here, write

from harness.sweep.recoveries import Recoveries

pytestmark = pytest.mark.matrix(of=2)

USERS = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);"
REBUILT = """\
DROP TABLE IF EXISTS users_old;
CREATE TABLE users_old AS SELECT * FROM users;
DROP TABLE users;
CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL);
INSERT INTO users SELECT * FROM users_old;
DROP TABLE users_old;
"""
"""Idempotent to the eye. Run again after its fourth statement, it copies the empty table."""

RECREATED = """\
DROP TABLE users;
CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL);
"""
"""Loses every row even where nothing goes wrong."""

THREE_STEPS = """\
ALTER TABLE users ADD COLUMN phone varchar(60);
UPDATE users SET phone = CONCAT('+', name);
CREATE INDEX users_phone ON users (phone);
"""
LIAR = """\
title: a tool whose repair only marks
how: emulated
layouts: [numbered]
engines: [postgres, mysql, mariadb]
tables: [applied]
applied: SELECT version FROM applied
mark_applied: ["INSERT INTO applied (version) VALUES ('{version}')"]
repairs:
  - name: mark it and hope
    sql: ["INSERT INTO applied (version) VALUES ('{version}')"]
emulation:
  postgres:
    wire: per-statement
    setup: ["CREATE TABLE IF NOT EXISTS applied (version varchar(50) PRIMARY KEY)"]
    after: ["INSERT INTO applied (version) VALUES ('{version}')"]
  mysql:
    wire: per-statement
    setup: ["CREATE TABLE IF NOT EXISTS applied (version varchar(50) PRIMARY KEY)"]
    after: ["INSERT INTO applied (version) VALUES ('{version}')"]
"""
KILLED = ("--tool", "psql", "--only", "2", "--ways", "session-kill")

IDLE = """\
title: a tool that ends well
how: run
layouts: [numbered]
engines: [postgres]
program: "true"
url: postgresql://{user}:{password}@{host}:{port}/{database}
environment:
  URL: "{url}"
folder: subset
apply: ["{program}"]
"""


def test_a_migration_that_loses_rows_when_run_again_is_found(sweep, engine):
    """Between DROP and the copy back: the crash keeps the rows, the re-run destroys them."""
    outcome = sweep({"1_users.sql": USERS, "2_rebuilt.sql": REBUILT}, engine, *KILLED)
    assert outcome.code == 1
    healing = outcome.healing("2", "4 of 6")
    rerun = healing.attempts[0]
    assert rerun.kind == "re-run"
    assert list(rerun.lost.values()) == [200]
    assert not rerun.healed
    assert healing.grade == "loses-data"
    # the last statements, run by hand, bring the rows back
    by_hand = healing.attempts[-1]
    assert by_hand.kind == "completion"
    assert by_hand.healed


@pytest.mark.matrix(of=2)
def test_a_migration_that_takes_rows_away_by_itself_is_told(sweep, engine):
    """Dropped and made again: nothing breaks, every state has its name, and the rows are gone."""
    outcome = sweep({"1_users.sql": USERS, "2_recreated.sql": RECREATED}, engine, *KILLED)
    migration = outcome.migration("2")
    assert list(migration.reference.removes.values()) == [200]
    assert {h.left.name for h in migration.healings} == {"before", "1 of 2"}


def test_a_repair_that_only_marks_heals_nothing(sweep, engine, tmp_path):
    """The tool is content, the data is not: judged by the data."""
    tool = write(tmp_path, {"liar.yaml": LIAR}) / "liar.yaml"
    outcome = sweep(
        {"1_users.sql": USERS, "2_phone.sql": THREE_STEPS}, engine,
        "--tool", str(tool), "--only", "2", "--ways", "session-kill",
    )  # fmt: skip
    half = outcome.healing("2", "1 of 3")
    liar = next(a for a in half.attempts if a.kind == "repair")
    assert not liar.healed
    assert liar.says
    whole = outcome.healing("2", "after")
    assert next(a for a in whole.attempts if a.kind == "repair").healed


def test_a_wrong_completion_is_caught(engine, tmp_path, monkeypatch):
    """One statement too few, or one that writes something else: not healed."""
    right = Recoveries.missing

    def too_few(self, crash):
        return right(self, crash)[:-1]

    def another(self, crash):
        return [*right(self, crash), "UPDATE users SET phone = 'lost' WHERE id > 0"]

    folder = write(tmp_path / "m", {"1_users.sql": USERS, "2_phone.sql": THREE_STEPS})
    healed = {}
    for how in (right, too_few, another):
        monkeypatch.setattr(Recoveries, "missing", how)
        outcome = run_here(arguments(folder, engine, tmp_path / how.__name__, *KILLED))
        attempts = outcome.healing("2", "1 of 3").attempts
        healed[how.__name__] = [a.healed for a in attempts if a.kind == "completion"]
    assert healed == {"missing": [True], "too_few": [False], "another": [False]}


@pytest.mark.parametrize(
    ("program", "more", "says"),
    [
        ("true", "", "without a connection to the server"),
        (
            "psql.sh",
            "tables: [applied]\napplied: SELECT version FROM applied\n",
            "its table does not tell it",
        ),
    ],
)
def test_a_tool_that_does_nothing_here_is_never_green(tmp_path, program, more, says):
    """A wrong adapter ends well at every point, for nothing is struck; that must not pass."""
    connect = "import os, psycopg; psycopg.connect(os.environ['URL']).close()"
    script = tmp_path / "psql.sh"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{connect}"\n', "utf-8")
    script.chmod(0o755)
    folder = write(tmp_path / "migrations", {"1_users.sql": USERS})
    tool = write(tmp_path, {"tool.yaml": IDLE + more}) / "tool.yaml"
    named = program if program == "true" else str(script)
    more_ = ("--tool", str(tool), "--program", named)
    done = run(*arguments(folder, "postgres", tmp_path / "out", *more_))
    assert done.code == 1
    assert says in done.migration("1").broken
    assert done.result.every_cell == []

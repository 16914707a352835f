"""What of a script is counted, and what completes it in another session."""

from __future__ import annotations

import pytest

from harness import sqltext
from harness.sweep.steps import missing, steps


def cut(text: str, dialect: str = "postgres"):
    return sqltext.split(text, dialect)


SETTINGS = """\
BEGIN;
SET search_path TO app, public;
SET LOCAL lock_timeout = '1s';
ALTER TABLE g ADD COLUMN c int;
SELECT set_config('work_mem', '64MB', false);
UPDATE g SET c = 1;
SELECT count(*) FROM g;
CREATE TABLE h (id int);
COMMIT;
"""


def test_only_what_changes_something_is_a_step():
    assert [s.kind for s in steps(cut(SETTINGS), "postgres")] == [
        "ALTER TABLE",
        "UPDATE",
        "CREATE TABLE",
    ]


@pytest.mark.parametrize(
    "done, first, last",
    [
        (0, "SET search_path TO app, public", "CREATE TABLE h (id int)"),
        (1, "SET search_path TO app, public", "CREATE TABLE h (id int)"),
        (2, "SET search_path TO app, public", "CREATE TABLE h (id int)"),
    ],
)
def test_a_completion_begins_with_the_settings_of_its_session(done, first, last):
    """Each once, in their order; nothing that held for a transaction that is gone."""
    found = missing(cut(SETTINGS), done, "postgres")
    assert (found[0], found[-1]) == (first, last)
    work = [sql.split()[0] for sql in found if sql.split()[0] in ("ALTER", "UPDATE", "CREATE")]
    assert work == ["ALTER", "UPDATE", "CREATE"][done:]
    assert sum("search_path" in sql for sql in found) == 1
    assert [sql for sql in found if "LOCAL" in sql or sql in ("BEGIN", "COMMIT")] == []
    assert any("set_config" in sql for sql in found)


def test_what_is_all_there_is_not_completed():
    assert missing(cut(SETTINGS), 3, "postgres") == []


TEMPORARY = """\
CREATE TEMP TABLE picked AS SELECT id FROM g WHERE a > 0;
INSERT INTO picked VALUES (7);
ALTER TABLE g ADD COLUMN f boolean;
UPDATE g SET f = true WHERE id IN (SELECT id FROM picked);
DROP TABLE picked;
ALTER TABLE g ALTER COLUMN f SET DEFAULT false;
"""


def test_a_temporary_table_is_made_and_filled_again():
    """And dropped again, where it was."""
    found = missing(cut(TEMPORARY), 3, "postgres")
    assert [sql.split()[0] for sql in found] == ["CREATE", "INSERT", "UPDATE", "DROP", "ALTER"]
    found = missing(cut(TEMPORARY), 5, "postgres")
    assert [sql.split()[0] for sql in found] == ["CREATE", "INSERT", "DROP", "ALTER"]


def test_variables_and_prepared_statements_of_mysql_come_along():
    text = (
        "SET @n = 3; PREPARE p FROM 'UPDATE g SET a = ?'; ALTER TABLE g ADD b int; "
        "EXECUTE p USING @n"
    )
    found = missing(cut(text, "mysql"), 1, "mysql")
    assert [sql.split()[0] for sql in found] == ["SET", "PREPARE", "EXECUTE"]
    assert missing(cut("SET GLOBAL x = 1; ALTER TABLE g ADD b int", "mysql"), 1, "mysql") == [
        "ALTER TABLE g ADD b int"
    ]

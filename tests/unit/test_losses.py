"""What nothing brings back, told from the SQL alone: a table of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.layouts import Migration, Script
from harness.record.timeline import Event
from harness.rollback import foretelling, results, static
from harness.rollback.events import Came, DownInOrder, Foretold, UpAgain
from harness.rollback.results import MigrationBack, RollbackHeader
from harness.sqltext.column_types import loses, type_at
from harness.sqltext.words import tokens
from harness.sweep.rollback import Leads, Rollback

BEFORE = "CREATE TABLE t (id bigint PRIMARY KEY, a text, b varchar(100), n numeric(10,4), d date);"


def migration(version: str, up: str, down: str = "") -> Migration:
    def script(text: str) -> Script:
        return Script(f"{version}.sql", 1, text)

    return Migration(version, version, script(up), script(down) if down else None, ())


def signs(up: str, dialect: str = "postgres", down: str = "") -> Sequence[tuple[str, str]]:
    found = static.signs([migration("1", BEFORE), migration("2", up, down)], dialect)
    assert found["1"] == ()
    return [(str(sign.loss), sign.says) for sign in found["2"]]


@pytest.mark.parametrize(
    "up, wanted",
    [
        ("ALTER TABLE t DROP COLUMN a", [("drop-column", "t.a")]),
        ('ALTER TABLE "public"."t" DROP "a", ADD COLUMN z int', [("drop-column", "t.a")]),
        ("ALTER TABLE IF EXISTS ONLY t DROP COLUMN IF EXISTS a CASCADE", [("drop-column", "t.a")]),
        ("ALTER TABLE t DROP CONSTRAINT a, DROP COLUMN b", [("drop-column", "t.b")]),
        ("ALTER TABLE t ALTER a DROP DEFAULT, ALTER b DROP NOT NULL", []),
        ("ALTER TABLE t ADD COLUMN z int; ALTER TABLE t DROP COLUMN z", []),
        ("DROP TABLE IF EXISTS t, other", [("drop-table", "t"), ("drop-table", "other")]),
        ("CREATE TABLE x (i int); DROP TABLE x", []),
        ("CREATE TABLE x (i int); ALTER TABLE x RENAME TO y; DROP TABLE y", []),
        ("DROP INDEX t_a; DROP VIEW v; DROP FUNCTION f()", []),
        ("TRUNCATE TABLE t, other CASCADE", [("truncate", "t"), ("truncate", "other")]),
        ("UPDATE t SET a = lower(a), b = 'x' WHERE id > 3", [
            ("update-in-place", "t.a"), ("update-in-place", "t.b")]),
        ("ALTER TABLE t ADD z text; UPDATE t SET z = a", []),
        ("ALTER TABLE t ADD z text; UPDATE t SET z = a; UPDATE t SET a = lower(a)", []),
        ("ALTER TABLE t ADD z text; UPDATE t SET z = upper(a); UPDATE t SET a = lower(a)", [
            ("update-in-place", "t.a")]),
        ("DELETE FROM t WHERE a IS NULL", [("delete", "t")]),
        ("WITH old AS (SELECT 1) DELETE FROM t", [("delete", "t")]),
        ("INSERT INTO t VALUES (1)", []),
        ("INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 'x'", [
            ("update-in-place", "rows of t")]),
        ("CREATE TRIGGER g AFTER UPDATE ON t EXECUTE FUNCTION f()", []),
        ("ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES o ON DELETE SET NULL", []),
        ("-- DROP TABLE t\nSELECT 'DROP TABLE t' /* DELETE FROM t */", []),
        ("DO $$ BEGIN DELETE FROM t; END $$", [("delete", "t")]),
        ("MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE", [("delete", "t")]),
        ("MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = u.a "
         "WHEN NOT MATCHED THEN INSERT VALUES (1)", [("update-in-place", "rows of t")]),
        ("MERGE INTO t USING u ON true WHEN NOT MATCHED THEN INSERT VALUES (1)", []),
        ("DO $$ BEGIN UPDATE t SET a = 'x'; ALTER TABLE t DROP COLUMN b; END $$", [
            ("update-in-place", "t.a"), ("drop-column", "b")]),
        ("ALTER TABLE t ALTER COLUMN a TYPE varchar(100)", [
            ("lossy-type-change", "t.a from text to varchar(100)")]),
        ("ALTER TABLE t ALTER b SET DATA TYPE text, ALTER id TYPE numeric", []),
        ("ALTER TABLE t ALTER n TYPE numeric(10,2)", [
            ("lossy-type-change", "t.n from numeric(10,4) to numeric(10,2)")]),
        ("ALTER TABLE t ALTER d TYPE circle", [
            ("lossy-type-change", "t.d from date to circle, which may lose values")]),
        ("ALTER TABLE t RENAME COLUMN a TO c; ALTER TABLE t ALTER c TYPE char(3)", [
            ("lossy-type-change", "t.c from text to char(3)")]),
    ],
)  # fmt: skip
def test_what_a_statement_can_lose_is_told(up, wanted):
    """And what is made in the migration itself, or copied before, is no loss."""
    assert signs(up) == wanted


@pytest.mark.parametrize(
    "up, wanted",
    [
        ("ALTER TABLE `t` DROP `a`, DROP INDEX `x`, DROP KEY y, DROP PRIMARY KEY",
         [("drop-column", "t.a")]),
        ("ALTER TABLE t MODIFY COLUMN b VARCHAR(30) NOT NULL",
         [("lossy-type-change", "t.b from varchar(100) to varchar(30)")]),
        ("ALTER TABLE t CHANGE b c VARCHAR(200)", []),
        ("ALTER TABLE t MODIFY id INT UNSIGNED",
         [("lossy-type-change", "t.id from bigint to int unsigned")]),
        ("ALTER TABLE t DROP PARTITION p0", [("drop-table", "a partition of t")]),
        ("REPLACE INTO t VALUES (1)", [("update-in-place", "rows of t")]),
        ("# DROP TABLE t\nSELECT 1", []),
        ("/*!40101 DROP TABLE t */", [("drop-table", "t")]),
    ],
)  # fmt: skip
def test_what_a_statement_of_mysql_can_lose_is_told(up, wanted):
    assert signs(up, "mysql") == wanted


def test_a_type_that_the_folder_does_not_tell_is_taken_from_the_way_down():
    """The way down gives back what was there before."""
    up, down = "ALTER TABLE o ALTER z TYPE int", "ALTER TABLE o ALTER z TYPE {}"
    assert signs(up, down=down.format("bigint")) == [
        ("lossy-type-change", "o.z from bigint to int")
    ]
    assert signs(up, down=down.format("smallint")) == []
    assert signs(up) == [("lossy-type-change", "o.z to int, which may lose values")]


@pytest.mark.parametrize(
    "old, new, wanted",
    [
        ("int", "bigint", False),
        ("bigint", "int", True),
        ("int", "int unsigned", True),
        ("smallint unsigned", "int", False),
        ("int", "numeric(12,2)", False),
        ("int", "numeric(8,2)", True),
        ("bigint", "double precision", True),
        ("int", "double precision", False),
        ("numeric(10,2)", "numeric(12,2)", False),
        ("numeric(10,2)", "double precision", True),
        ("double precision", "real", True),
        ("varchar(20)", "text", False),
        ("varchar(20)", "char(30)", True),
        ("varchar(20)", "varchar(20)", False),
        ("date", "timestamp", False),
        ("timestamp", "date", True),
        ("timestamp with time zone", "timestamp", True),
        ("json", "jsonb", True),
        ("uuid", "text", False),
        ("text", "uuid", None),
        ("int[]", "int", None),
    ],
)
def test_whether_a_type_change_can_lose_values(old, new, wanted):
    """None is told as what may."""
    both = (type_at(tokens(text, "postgres"), 0) for text in (old, new))
    assert loses(*both, "postgres") is wanted


@pytest.mark.parametrize(
    "up, wanted",
    [
        ("UPDATE t SET a = 1; SELECT 'never closed", "its SQL cannot be cut into statements"),
        ("SELECT 1;\nSELECT app.purge(3)", "2.sql:2 runs SELECT purge()"),
        ("CALL purge()", "2.sql:1 runs CALL purge"),
        ("EXECUTE made", "2.sql:1 runs EXECUTE made"),
        ("DO $$ BEGIN EXECUTE format('DROP TABLE %I', 't'); END $$", "EXECUTE in a DO block"),
        ("SELECT setval('t_id_seq', (SELECT max(id) FROM t))", ""),
        ("ALTER TABLE t ADD COLUMN c int DEFAULT purge()", ""),
    ],
)
def test_what_its_sql_does_not_tell_is_not_known(up, wanted):
    """Nobody may take it for SQL in which nothing was found."""
    found = static.unread(migration("2", up), "postgres")
    assert [wanted in says for says in found] == ([True] if wanted else [])
    told = Event(0, Foretold("2", down=True, unread=found))
    result = results.of(RollbackHeader(static=True, planned=("2",)), [told])
    assert result.exit_code == (ExitCode.UNKNOWN if wanted else ExitCode.GREEN)
    assert result.verdict_of(result.migrations[0]) == ("unknown" if wanted else "nothing-found")


def test_a_way_down_whose_rows_were_not_compared_in_order_is_not_known():
    """Directly after its up everything was as it was; after the later ones only its objects."""
    known = MigrationBack(
        "1", found=Rollback(Leads.BACK), again=UpAgain("1", Came.SAME), finished=True,
        in_order=DownInOrder("1", "2", Came.SAME, rows=True),
    )  # fmt: skip
    assert known.verdict == "true-rollback"
    unlooked = replace(known, in_order=DownInOrder("1", "2", Came.SAME, rows=False))
    assert unlooked.verdict == "unknown"


def test_what_squawk_says_stands_beside_it(tmp_path: Path):
    """By the file it is about; what cannot be read tells nothing."""
    file = tmp_path / "1.sql"
    file.write_text("ALTER TABLE t DROP COLUMN a;", "utf-8")
    program = tmp_path / "squawk"
    one = Migration("1", "1", Script(str(file), 1, file.read_text()), None, (str(file),))
    told = (
        f'[{{"file": "{file}", "line": 0, "rule_name": "ban-drop-column", "message": "it breaks"}}]'
    )
    for text, wanted in ((told, {"1": ("ban-drop-column, line 1: it breaks",)}), ("no json", {})):
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit 1\n")
        program.chmod(0o755)
        assert foretelling.squawk(str(program), [one]) == wanted
    assert foretelling.squawk(None, [one]) == {}

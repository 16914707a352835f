"""MySQL and MariaDB files are cut where the ``mysql`` client cuts them."""

from __future__ import annotations

import pytest

from harness.errors import ScenarioError
from harness.sqltext import split

BOTH = ["mysql", "mariadb"]

WHOLE = [
    "SELECT 'a;b', \"c;d\", `e;f`",
    r"SELECT 'a\';b', " + r'"a\";b"',
    'SELECT \'it\'\'s;\', "say "";""", `a``;b`',
    r"SELECT '\\'",
    "SELECT `a\\`",
    r"SELECT \N",
    "SELECT 1 # ; '\n + 2",
    "SELECT 1 -- ; '\n + 2",
    "SELECT 1 --\n + 2",
    "SELECT 5--4",
    "SELECT 1 /* ; /* ; */ + 2",
    "SELECT 2*/* ; */3",
    "SELECT /*+ MAX_EXECUTION_TIME(9);' */ 1",
    "/*!40101 SET NAMES utf8; */",
    "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b` */ /*!50003 TRIGGER x SET @a = '*/;' */",
    "SELECT /*! 1 /* ; */ + 2 */",
    "SELECT @a:=1, a.delimiter, x AS delimiter FROM t",
    "SELECT a,\n delimiter, source\n FROM t",
    "SELECT $$ FROM a$b",
    "SELECT 1 \u00a0",
]


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize("sql", WHOLE)
def test_what_only_looks_like_an_end_does_not_cut(sql, dialect):
    """Each is one statement between others, and is given back unchanged."""
    statements = split(f"SELECT 0;\n{sql};SELECT 9", dialect)
    assert [s.text for s in statements] == ["SELECT 0", sql, "SELECT 9"]


PROCEDURE = "CREATE PROCEDURE p()\nBEGIN\n  SELECT 1; SELECT ';//';\nEND"


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", []),
        (";; # a;\n-- b;\n/* c; */;", []),
        ("SELECT 1;SELECT 2", ["SELECT 1", "SELECT 2"]),
        (f"DELIMITER $$\n{PROCEDURE}$$\nDELIMITER ;\nSELECT 2;", [PROCEDURE, "SELECT 2"]),
        (f"delimiter //\n{PROCEDURE}\n// -- x\nDelimiter ;\nSELECT 2", [PROCEDURE, "SELECT 2"]),
        ("  DELIMITER ;;\nSELECT 1; ;;SELECT 2;;", ["SELECT 1;", "SELECT 2"]),
        ("DELIMITER // ignored ;\nSELECT 1; //", ["SELECT 1;"]),
        ("DELIMITER '$ $'\nSELECT 1;$ $SELECT 2", ["SELECT 1;", "SELECT 2"]),
        ("DELIMITER go\nSELECT 1 AS x\ngo\nSELECT 2 go", ["SELECT 1 AS x", "SELECT 2"]),
        ("DELIMITER --\nSELECT 1--SELECT 2--", ["SELECT 1", "SELECT 2"]),
        ("# note\nDELIMITER $$\nSELECT 1$$", ["SELECT 1"]),
        ("/* x\nDELIMITER $$\n*/SELECT 1;", ["SELECT 1"]),
        ("SELECT 'a\nDELIMITER $$\n';SELECT 2", ["SELECT 'a\nDELIMITER $$\n'", "SELECT 2"]),
        ("SELECT 1; DELIMITER $$\nSELECT 2$$", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1\nDELIMITER $$\nSELECT 2;$$", ["SELECT 1\nDELIMITER $$\nSELECT 2", "$$"]),
        ("DELIMITER $$\r\nSELECT 1;$$\r\nDELIMITER ;\r\nSELECT 2;", ["SELECT 1;", "SELECT 2"]),
        ("\ufeffDELIMITER $$\nSELECT 1$$", ["SELECT 1"]),
        (PROCEDURE, ["CREATE PROCEDURE p()\nBEGIN\n  SELECT 1", "SELECT ';//'", "END"]),
        ("USE shop\nSELECT 1;", ["USE shop", "SELECT 1"]),
        ("USE shop; SELECT 1;", ["USE shop", "SELECT 1"]),
        ("/*+ h */ SELECT 1; /*! */;", ["/*+ h */ SELECT 1"]),
        (r"/*M!999999\- enable the sandbox mode */" + "\nSELECT 1;", ["SELECT 1"]),
    ],
)
def test_statements_are_cut_at_the_delimiter_in_force(text, wanted, dialect):
    """DELIMITER commands are obeyed and are in no statement; without one, ``;`` always cuts."""
    assert [s.text for s in split(text, dialect)] == wanted


def test_a_comment_of_mariadb_is_code_to_mariadb_only():
    """What MySQL skips, its lexer skips too: a quote in it opens no string."""
    text = "/*M! SELECT 1; */;/*M! it's */ SELECT 2"
    assert [s.text for s in split(text, "mysql")] == ["SELECT 2"]
    with pytest.raises(ScenarioError, match="string is never closed"):
        split(text, "mariadb")
    assert [s.text for s in split(text[:18], "mariadb")] == ["/*M! SELECT 1; */"]


def test_dashes_before_a_statement_need_no_space_in_mariadb():
    """Its client drops such a line; MySQL's client sends it."""
    text = "--note;\nSELECT 1;"
    assert [s.text for s in split(text, "mariadb")] == ["SELECT 1"]
    assert [s.text for s in split(text, "mysql")] == ["--note", "SELECT 1"]


def test_a_statement_knows_its_place():
    """Offsets are those of the file, DELIMITER commands included."""
    text = "\ufeffDELIMITER $$\r\n# x\r\n  ALTER TABLE t ADD x int$$"
    (only,) = split(text, "mysql", "up.sql")
    assert (only.line, only.column, only.kind) == (3, 3, "ALTER TABLE")
    assert text[only.start : only.end] == only.text == "ALTER TABLE t ADD x int"


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    "text, line, words",
    [
        ("SELECT 1;\nSELECT 'abc\\';", 2, "string is never closed"),
        ('\nSELECT "abc', 2, "string is never closed"),
        ("SELECT `abc;", 1, "quoted identifier is never closed"),
        ("SELECT 1; /* x", 1, "comment is never closed"),
        ("SELECT 1;\n/*!40101 SET x;", 2, "/*! … */ comment is never closed"),
        ("SELECT 1\\G\n", 1, "\\G is a command of the mysql client"),
        ("SELECT 1;\nsource x.sql\n", 2, "source is a command"),
        ("SELECT 1;\nDELIMITER\nSELECT 2", 2, "names no delimiter"),
        ("DELIMITER $\\$\n", 1, "has a backslash"),
        ("SET SESSION sql_mode = 'A,NO_BACKSLASH_ESCAPES';", 1, "leave it out of sql_mode"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_its_place(text, line, words, dialect):
    """The message names file and line of the beginning, and the next move."""
    with pytest.raises(ScenarioError) as refusal:
        split(text, dialect, "up.sql")
    (problem,) = refusal.value.problems
    assert (problem.file, problem.line) == ("up.sql", line)
    assert words in problem.message


BODIES = {
    "a procedure": "CREATE DEFINER=`x`@`y` PROCEDURE p(n int) BEGIN DECLARE x int; SET x = 1; END",
    "branches and loops": "CREATE PROCEDURE p() BEGIN IF 1 THEN SET @a = 1; END IF; "
    "WHILE @a DO SET @a = 0; END WHILE; l: LOOP LEAVE l; END LOOP l; "
    "REPEAT SET @a = 1; UNTIL @a END REPEAT; END",
    "a CASE that is a value": "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN "
    "SET NEW.b = CASE WHEN NEW.c THEN 1 ELSE 2 END; SET NEW.d = 3; END",
    "a CASE that is a statement": "CREATE PROCEDURE p() BEGIN CASE 1 WHEN 1 THEN SELECT 1; ELSE "
    "BEGIN END; END CASE; SELECT 2; END",
    "a label": "CREATE PROCEDURE p() b: BEGIN BEGIN SELECT 1; END; SELECT 2; END b",
    "an event": "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM a; DELETE FROM b; END",
    "a body of one statement": "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW "
    "SET @x = IF(1, 2, 3)",
    "no program": "UPDATE a SET b = CASE WHEN c THEN 1 END",
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_the_server_takes_a_body_for_one_statement(name, dialect):
    """Whatever stands before and behind it in the message."""
    before, after = "ALTER TABLE a ADD b int", "BEGIN"
    message = f"{before};\n{BODIES[name]} ; {after};"
    found = split(message, dialect, as_server=True)
    assert [statement.text for statement in found] == [before, BODIES[name], after]

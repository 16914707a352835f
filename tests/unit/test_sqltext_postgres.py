"""PostgreSQL files are cut where psql cuts them, and what only psql understands is refused."""

from __future__ import annotations

import pytest

from harness.errors import ScenarioError, UsageError
from harness.sqltext import split

ATOMIC = """CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
  SELECT CASE WHEN a > 0 THEN 1 ELSE 2 END;
  SELECT 1 AS "x;y", a.end FROM (SELECT 1 AS end) a;
  SELECT 2 end;
END"""
RULE = "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; INSERT INTO v VALUES (');'))"

WHOLE = [
    "SELECT 'a;b'",
    "SELECT 'it''s; fine'",
    r"SELECT 'C:\'",
    r"SELECT E'a\';b'",
    r"SELECT e'a'';\';b'",
    "SELECT E'a'\n  '\\';b'",
    "SELECT E'a' -- note\n -- and one more\n '\\';b'",
    r"SELECT E'\\'",
    r"SELECT nameE, type'\' FROM t",
    r"SELECT U&'\0041;' , u&" + '"d\\0061;t"',
    "SELECT B'1;', X';', N';'",
    'SELECT "a;b", "say ""hi;"""',
    "SELECT $$;'$$, $a$ ; $$ ; $b$ $a$, $é1$;$é1$",
    "SELECT $a$;$b$a$",
    "SELECT a$b$c FROM t WHERE x$$ = 1 AND y$a$",
    "EXECUTE p($1, $2)",
    "SELECT $1$$;$$",
    "SELECT 1$a$;$a$",
    "SELECT /* ; /* ; */ ; ' */ 1",
    "SELECT 1 /*/ ; /*/*/;*/*/;*/ + 2",
    "SELECT 1 -- ; ' \"\n + 2",
    "SELECT 1 - 1, 4 / 2, 1 -1, a->b, a->>'c', 2*-1, @-5, 1 <-> 2 FROM t",
    "SELECT 1 +-- ;\n 2",
    "SELECT 1 */* ; */ 2",
    "SELECT ARRAY[1,2], a[1:2], a::text FROM t",
    "SELECT é, \u00a0x FROM t",
    "DO $do$ BEGIN PERFORM 1; END; $do$",
    RULE,
    ATOMIC,
    "CREATE PROCEDURE p() BEGIN ATOMIC END",
    "CREATE FUNCTION f(begin int, atomic int) RETURNS int RETURN CASE WHEN true THEN 1 END",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC "
    "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 2; END",
    "CREATE VIEW v AS SELECT 1 FROM begin atomic",
    "COPY t (a, b) FROM '/tmp/stdin' WITH (FORMAT csv)",
    "COPY (SELECT 1 FROM stdin) TO '/tmp/x'",
    "COPY t TO STDOUT",
    "SELECT * FROM stdin",
    "SET standard_conforming_strings = on",
]


@pytest.mark.parametrize("sql", WHOLE)
def test_what_only_looks_like_an_end_does_not_cut(sql):
    """Each is one statement, alone and between others, and is given back unchanged."""
    statements = split(f"SELECT 0;\n{sql};SELECT 9", "postgres")
    assert [s.text for s in statements] == ["SELECT 0", sql, "SELECT 9"]


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", []),
        (" \n;; -- only ; this\n; /* and ; that */ ;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1 ; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("-- head\nSELECT 1 -- tail\n;/* x */", ["SELECT 1"]),
        ("SELECT 1;\r\n-- c\r\nSELECT\r\n 2;\r\n", ["SELECT 1", "SELECT\r\n 2"]),
        ("SELECT 1; -- a lone CR ends a comment\rSELECT 2", ["SELECT 1", "SELECT 2"]),
        ("\ufeffSELECT 1;", ["SELECT 1"]),
        ("/*+ SeqScan(t) */ SELECT 1; /*+ alone */;", ["/*+ SeqScan(t) */ SELECT 1"]),
        ("BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]),
        ("SELECT 1); SELECT 2", ["SELECT 1)", "SELECT 2"]),
        (r"SELECT '\'; SELECT 2 --'", [r"SELECT '\'", "SELECT 2"]),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; BEGIN; COMMIT",
            ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "BEGIN", "COMMIT"],
        ),
    ],
)
def test_statements_are_cut_at_semicolons(text, wanted):
    """Gaps (white space, comments, empty statements) belong to no statement."""
    assert [s.text for s in split(text, "postgres")] == wanted


def test_a_statement_knows_its_place():
    """Line and column from 1, of its first token; offsets into the text as given, BOM and all."""
    text = "\ufeffSELECT 1;\r\n-- note\r\n  ALTER TABLE t ADD x int;\r\n"
    first, second = split(text, "postgres", "up.sql")
    assert (first.line, first.column, first.start, first.end) == (1, 1, 1, 9)
    assert (second.line, second.column, second.file) == (3, 3, "up.sql")
    assert text[second.start : second.end] == second.text == "ALTER TABLE t ADD x int"


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("SELECT 1;\nSELECT 'abc;\n", 2, "string is never closed"),
        ("SELECT\nE'abc\\';", 2, "E'' string is never closed"),
        ('SELECT 1;\n\nSELECT "abc;', 3, "quoted identifier is never closed"),
        ("\n/* a /* b */", 2, "comments nest"),
        ("SELECT $x$ ;\n $X$", 1, "dollar-quoted string $x$ is never closed"),
        ("SELECT 1;\nSELECT (1;\nSELECT 2;", 2, "parenthesis is never closed"),
        (
            "CREATE FUNCTION f() RETURNS int\nBEGIN ATOMIC SELECT 1; SELECT 2 end;",
            2,
            "BEGIN ATOMIC body is never closed",
        ),
        ("SELECT 1;\n\\d t\n", 2, "\\d is a command of psql"),
        ("SELECT 1 \\gset\n", 1, "\\gset is a command of psql"),
        ("\\copy t from 'x'", 1, "write it as SQL"),
        ("\\restrict abc\nSELECT 1;", 1, "delete this line"),
        ("SELECT 1;\nCOPY t (a) FROM stdin;\nit's\n\\.\n", 2, "write the rows as INSERT"),
        ("copy t from/**/STDIN with csv;", 1, "write the rows as INSERT"),
        ("SELECT 1;\nSET SESSION standard_conforming_strings TO off;", 2, "E'' strings"),
        ("set standard_conforming_strings='off'", 1, "E'' strings"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_its_place(text, line, words):
    """The message names file and line of the beginning, and the next move."""
    with pytest.raises(ScenarioError) as refusal:
        split(text, "postgres", "up.sql")
    (problem,) = refusal.value.problems
    assert (problem.file, problem.line) == ("up.sql", line)
    assert words in problem.message


def test_an_unknown_dialect_lists_the_known_ones():
    """A wrong word is answered with the right ones."""
    with pytest.raises(UsageError, match="known: postgres, mysql, mariadb"):
        split("SELECT 1", "oracle")

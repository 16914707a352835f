"""Cuts are compared with parsers by other people.

PostgreSQL: libpg_query, which is the server's own scanner and grammar (``pglast``, for tests only).
MySQL: the tokenizer of ``sqlglot``. Where they differ from us on purpose is listed, with reasons,
and each entry is checked to be true.
"""

from __future__ import annotations

import pglast
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlglot.dialects import MySQL
from sqlglot.errors import TokenError
from sqlglot.tokens import TokenType

from harness.errors import ScenarioError
from harness.sqltext import split

STATEMENTS = [
    "SELECT 1",
    "SELECT ';', $$;$$, $a$ $$ ; $a$, E'\\';', U&'\\0041;', B'1', \"a;\"",
    "SELECT 'a'\n  'b;' AS x",
    "SELECT E'a\\''\n'\\';'",
    "SELECT 1 -- ; '\n + 2",
    "SELECT 1 /* ; /* ' ; */ \" */ + 2",
    "SELECT 5 - -4, 2*/* ; */3, a->>'x;' FROM t",
    "SELECT $1::int, a$b$c FROM t",
    "SELECT CASE WHEN a THEN 'END;' END FROM t",
    "INSERT INTO café (naïve) VALUES ('é;€;𝄞')",
    "CREATE TABLE t (a int CHECK (a > (1 + 2)), b text DEFAULT ';')",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b;)",
    "CREATE RULE r AS ON INSERT TO t DO INSTEAD (SELECT 1; SELECT (2))",
    "CREATE FUNCTION f() RETURNS trigger AS $f$\nBEGIN\n  PERFORM 1; RETURN NEW;\nEND;\n$f$ "
    "LANGUAGE plpgsql",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n"
    " SELECT CASE WHEN true THEN 1 END; SELECT CASE 1 WHEN 1 THEN 2 END;\nEND",
    "CREATE PROCEDURE p() BEGIN ATOMIC END",
    "CREATE PROCEDURE p(begin_ int) BEGIN ATOMIC INSERT INTO t VALUES (1); END",
    "CREATE FUNCTION f() RETURNS int RETURN 1",
    "DO $$ BEGIN EXECUTE 'SELECT 1;'; END $$",
    "CREATE OPERATOR <-> (PROCEDURE = f, LEFTARG = int, RIGHTARG = int)",
    "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.a <> NEW.a) EXECUTE FUNCTION f()",
    "COPY t FROM '/tmp/a;b'",
    "COMMENT ON TABLE t IS E'a\\';'",
    "BEGIN",
    "COMMIT",
    "END",
    "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b (id) NOT VALID",
    "CREATE INDEX CONCURRENTLY i ON t (lower(a)) WHERE a <> ';'",
    "SET search_path = a, b",
    "PREPARE p AS SELECT $1",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO x",
]
GAPS = [
    "",
    " ",
    "\n",
    "\r\n\t",
    " -- it's; $$\n",
    "/* ; ' \" $$ */",
    "/* /* ; */ */\n",
    ";",
    " ; ;\n",
]
MYSQL_STATEMENTS = [
    r"SELECT 'a\';b', " + r'"a\";b", `a;b`',
    "SELECT 'it''s;', \"a\"\";\", `a``;b`",
    r"INSERT INTO t VALUES ('\\'), ('%\\\';')",
    "SELECT 1 # ; '\n + 2 -- ; \"\n + 3",
    "SELECT 5--4, 1 /* ; ' */ + 2",
    "CREATE TABLE t (a int COMMENT 'a;b') ENGINE=InnoDB",
]

PIECES = [
    *("'", '"', "''", ";SELECT ", "$$", "$a$", "a$", "$1", "/*", "*/", "--", "-", "E'", "\\'"),
    *("(", ")", "(x)", "(;)", "\n", "\r\n", " ", "x", "é", "END", "CASE ", "U&", ",", "||"),
    *("B'", "N'", "::", "[", "]", "$é$", "𝄞"),
]
MYSQL_PIECES = [
    *("'", '"', "`", "''", '""', "``", ";", "/*", "*/", "-- ", "--\n", "#", "(", ")", "\n", "\r\n"),
    *(" ", "y", "1", "SELECT ", ",", "+", "'\\''", '"\\""', "'\\\\'", "é", "-", "*", "/", "$$"),
]


def ours(text, dialect):
    """Spans of our statements; None if we refuse the text."""
    try:
        return [(found.start, found.end) for found in split(text, dialect)]
    except ScenarioError:
        return None


def is_command(text, dialect):
    """Whether we refuse it for a backslash outside of strings, which only a client understands."""
    try:
        split(text, dialect)
    except ScenarioError as refusal:
        return "is a command of" in str(refusal)
    return False


def theirs_postgres(text, *, grammar):
    """Spans of libpg_query's statements, by its grammar or its scanner; None if it refuses."""
    try:
        return [
            (found.start, found.stop)
            for found in pglast.split(text, with_parser=grammar, only_slices=True)
        ]
    except pglast.Error:
        return None


def balanced(text):
    """Whether the server's scanner sees each parenthesis closed, and none closed too early."""
    depth = 0
    for token in pglast.scan(text):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.name, 0)
        if depth < 0:
            return False
    return depth == 0


def theirs_mysql(text):
    """Spans between sqlglot's semicolons, from the first token to the last; None if it refuses."""
    spans, span = [], None
    try:
        tokens = MySQL().tokenize(text)
    except TokenError:
        return None
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            spans += [span] if span else []
            span = None
        else:
            span = (span[0] if span else token.start, token.end + 1)
    return spans + ([span] if span else [])


def within(inner, outer):
    """As many, and each in its own: theirs may keep the comments around a statement."""
    return len(inner) == len(outer) and all(
        b[0] <= a[0] and a[1] <= b[1] for a, b in zip(inner, outer, strict=True)
    )


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_statement_is_one_for_the_server_too(sql):
    """The grammar takes each of them, as one."""
    assert theirs_postgres(sql, grammar=True) == [(0, len(sql))] == ours(sql, "postgres")


@given(st.lists(st.tuples(st.sampled_from(GAPS), st.sampled_from(STATEMENTS)), max_size=8))
def test_files_are_cut_where_the_servers_grammar_cuts_them(file):
    """Whatever stands between; and what theirs has around ours is no statement."""
    text = "".join(f"{gap}{sql};" for gap, sql in file)
    mine, theirs = ours(text, "postgres"), theirs_postgres(text, grammar=True)
    assert [text[a:b] for a, b in mine] == [sql for _, sql in file]
    assert within(mine, theirs)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_text_is_cut_where_the_servers_scanner_cuts_it(pieces):
    """Also what no grammar takes; what the scanner can read we do not refuse, save a backslash."""
    text = "SELECT " + "".join(pieces)
    theirs = theirs_postgres(text, grammar=False)
    assume(theirs is not None and balanced(text))
    mine = ours(text, "postgres")
    assume(not is_command(text, "postgres"))
    assert mine is not None
    assert within(mine, theirs)


@given(st.lists(st.sampled_from(MYSQL_STATEMENTS), max_size=8))
def test_mysql_files_are_cut_where_sqlglot_cuts_them(statements):
    """Whatever is in their strings and comments."""
    text = ";\n".join(statements)
    mine = ours(text, "mysql")
    assert [text[a:b] for a, b in mine] == statements
    assert mine == theirs_mysql(text)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(MYSQL_PIECES), max_size=14))
def test_any_mysql_text_is_cut_where_sqlglot_cuts_it(pieces):
    """And refused where it refuses: what is open is open for both."""
    text = "".join(pieces)
    mine = ours(text, "mysql")
    assume(not is_command(text, "mysql"))
    assert mine == theirs_mysql(text)


POSTGRES_DIFFERENCES = {
    "a closing parenthesis alone: psql cuts after it; their scanner counts below zero": (
        *("SELECT 1); SELECT 2", [(0, 9), (11, 19)], [], None),
    ),
    "an open parenthesis: we say where it is; their scanner drops the statement": (
        *("SELECT (1; SELECT 2", None, [], None),
    ),
    "a body in SQL: only the grammar knows where it ends": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 2",
        *([(0, 58), (60, 68)], [(0, 53), (55, 58), (60, 68)], [(0, 58), (60, 68)]),
    ),
    "a token that the server refuses does not hide where statements end": (
        *("SELECT 0x; SELECT 2", [(0, 9), (11, 19)], None, None),
    ),
    "rows for COPY come from the client: we refuse, the server never sees them": (
        *("COPY t FROM stdin; SELECT 2", None, [(0, 17), (19, 27)], [(0, 17), (19, 27)]),
    ),
    "psql's commands: we refuse, the server's scanner takes a backslash for a mark": (
        *("SELECT 1 \\gset", None, [(0, 14)], None),
    ),
}
MYSQL_DIFFERENCES = {
    "DELIMITER is the client's: sqlglot does not know it": (
        *("DELIMITER $$\nSELECT 1;$$", [(13, 22)], [(0, 21), (22, 24)]),
    ),
    "code in a comment is code to the server: sqlglot passes over it": (
        *("/*!40101 SELECT 1 */;", [(0, 20)], []),
    ),
    "a hexadecimal literal is checked by sqlglot; to cut, it is a string": (
        *("SELECT x'y';", [(0, 11)], None),
    ),
    "a backslash outside a string is a command of the client: we refuse": (
        *("SELECT 1 \\G", None, [(0, 11)]),
    ),
}


@pytest.mark.parametrize("reason", POSTGRES_DIFFERENCES)
def test_known_differences_from_postgres_are_still_there(reason):
    """Ours, their scanner's, and their grammar's cut; a difference that goes leaves the list."""
    text, mine, scanner, grammar = POSTGRES_DIFFERENCES[reason]
    assert ours(text, "postgres") == mine
    assert theirs_postgres(text, grammar=False) == scanner
    assert theirs_postgres(text, grammar=True) == grammar


@pytest.mark.parametrize("reason", MYSQL_DIFFERENCES)
def test_known_differences_from_sqlglot_are_still_there(reason):
    """Ours and theirs; a difference that goes leaves the list."""
    text, mine, theirs = MYSQL_DIFFERENCES[reason]
    assert (ours(text, "mysql"), theirs_mysql(text)) == (mine, theirs)

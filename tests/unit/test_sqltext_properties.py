"""What holds for every text: nothing is lost, counts are right, time is linear."""

from __future__ import annotations

import time

import pytest
import sqlparse
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ScenarioError
from harness.sqltext import split

PIECES = ["'", '"', "`", ";", "$$", "$a$", "a$", "/*", "*/", "--", "-", "#", "\\", "E'", "(", ")"]
PIECES += [" ", "\n", "\r\n", "x", "1", "/*!", "/*M!", "/*+", "é", "BEGIN ATOMIC ", "END", "CASE "]
PIECES += ["CREATE FUNCTION ", "\nDELIMITER ", "//", "COPY t FROM ", "stdin", "U&", "\u00a0", "0x"]
CHARS = st.text(st.sampled_from(list("ab;'\"`$-/* \n#(")), max_size=8)

NAME = st.sampled_from(["a", "select_", "t$1", "é", "enddate", "casey", '";"', '"a""-- b"'])
PLAIN = CHARS.map(lambda s: "'" + s.replace("'", "''") + "'")
ESCAPED = CHARS.map(lambda s: "E'" + s.replace("'", "\\'") + "\\\\'")
DOLLARS = CHARS.map(lambda s: "$q$" + s.rstrip("$") + "$q$")
LINE = CHARS.map(lambda s: "--" + s.replace("\n", " ") + "\n")
BLOCK = CHARS.map(lambda s: "/* " + s.replace("*", "+").replace("/", "|") + " */")
NESTED = st.builds("/*{}{}*/".format, BLOCK, BLOCK)
RULES = st.builds("({}; {})".format, PLAIN, DOLLARS)

MY_STRING = CHARS.map(lambda s: "'" + s.replace("'", "\\'") + "\\\\'")
MY_DOUBLE = CHARS.map(lambda s: '"' + s.replace('"', '""') + '"')
MY_NAME = CHARS.map(lambda s: "`" + s.replace("`", "``") + "`")
MY_LINE = CHARS.map(lambda s: "#" + s.replace("\n", " ") + "\n") | LINE.map(
    lambda s: s.replace("--", "-- ", 1)
)
CODE = BLOCK.map(lambda s: s.replace("/*", "/*!40101 1").replace("'", "").replace('"', ""))
CODE = CODE.map(lambda s: s.replace("`", "").replace("#", "").replace("-", ""))


def statements(fragment, gap):
    """Statements made of fragments, with a gap wherever one may be."""
    spaced = st.builds(" {}{} {}".format, gap, st.just(","), gap)
    row = st.lists(st.tuples(fragment, spaced), min_size=1, max_size=5)
    return row.map(lambda parts: "SELECT " + "".join(f"{a}{b}" for a, b in parts) + " 1")


def files(fragment, gap):
    """Lists of statements, and the gap that stands before each of them."""
    return st.lists(st.tuples(gap, statements(fragment, gap)), max_size=6)


BLANK = st.sampled_from(["", " ", "\n", "\r\n\t"])
POSTGRES = files(NAME | PLAIN | ESCAPED | DOLLARS | RULES, BLANK | LINE | BLOCK | NESTED)
MYSQL = files(NAME.filter(str.isalpha) | MY_STRING | MY_DOUBLE | MY_NAME | CODE, BLANK | MY_LINE)


def _cut_or_refusal(text, dialect):
    try:
        return split(text, dialect)
    except ScenarioError as refusal:
        return refusal


@given(POSTGRES)
def test_postgres_statements_come_back_as_they_were_generated(file):
    """As many as were written, each with its own text, whatever its literals hold."""
    text = "".join(f"{gap}{sql};" for gap, sql in file)
    assert [s.text for s in split(text, "postgres")] == [sql for _, sql in file]


@given(MYSQL, st.sampled_from([";", "//", "~~"]), st.sampled_from(["mysql", "mariadb"]))
def test_mysql_statements_come_back_as_they_were_generated(file, delimiter, dialect):
    """The same with any delimiter that the code does not hold itself."""
    wanted = [sql for _, sql in file]
    if any(delimiter in sql for sql in wanted if delimiter != ";"):
        delimiter = "||"
    text = f"DELIMITER {delimiter}\n" + "".join(f"{gap}{sql}{delimiter}" for gap, sql in file)
    assert [s.text for s in split(text, dialect)] == wanted


@given(st.lists(st.sampled_from(PIECES)), st.sampled_from(["postgres", "mysql", "mariadb"]))
def test_slices_and_gaps_are_the_file(pieces, dialect):
    """Whatever the text: refused with a place, or cut in order, without overlap or loss."""
    text = "".join(pieces)
    found = _cut_or_refusal(text, dialect)
    if isinstance(found, ScenarioError):
        assert 1 <= found.problems[0].line <= text.count("\n") + 1
        return
    joined, at = "", 0
    for statement in found:
        assert at <= statement.start < statement.end
        assert statement.line == text.count("\n", 0, statement.start) + 1
        joined += text[at : statement.start] + statement.text
        at = statement.end
    assert joined + text[at:] == text


@given(st.lists(st.sampled_from(PIECES)))
def test_a_statement_alone_is_that_statement(pieces):
    """Cutting is finished after one pass: a piece does not fall into pieces."""
    found = _cut_or_refusal("".join(pieces), "postgres")
    for statement in found if isinstance(found, tuple) else ():
        assert [s.text for s in split(statement.text, "postgres")] == [statement.text]


@given(files(NAME | PLAIN | DOLLARS, BLANK | BLOCK))
def test_sqlparse_cuts_plain_statements_alike(file):
    """A parser by other people agrees where it knows the rules (no nesting, no E'')."""
    text = "".join(f"{gap}{sql};" for gap, sql in file)
    others = [piece for piece in sqlparse.split(text) if "SELECT" in piece]
    assert len(split(text, "postgres")) == len(others)


ORDINARY = "INSERT INTO t (a, b) VALUES (1, 'it''s; fine'); -- note\nALTER TABLE t ADD c int;\n"
PROCEDURE = "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 'a'; END$$\nDELIMITER ;\n# x\n"


SHAPES = {
    "postgres, 5 MB": ("postgres", 5_000_000, lambda n: ORDINARY * (n // len(ORDINARY))),
    "mysql": ("mysql", 600_000, lambda n: (ORDINARY + PROCEDURE) * (n // 150)),
    "one string": ("postgres", 600_000, lambda n: "SELECT '" + "it''s; /* " * (n // 10) + "'"),
    "one E string": ("postgres", 600_000, lambda n: "SELECT E'" + r"\'''; " * (n // 6) + "'"),
    "near tags": ("postgres", 600_000, lambda n: "SELECT $a$" + "$b$a " * (n // 5) + "$a$"),
    "near continuations": ("postgres", 600_000, lambda n: "SELECT E'a' -- b\n --'\n;" * (n // 22)),
    "nested comments": ("postgres", 600_000, lambda n: "/* " * (n // 6) + " */" * (n // 6)),
    "parentheses": ("postgres", 600_000, lambda n: "(" * (n // 2) + ")" * (n // 2)),
    "one mysql string": ("mysql", 600_000, lambda n: "SELECT '" + r"\'x" * (n // 3) + "'"),
    "code comments": ("mysql", 600_000, lambda n: "SELECT 1 " + "/*! + 1; */" * (n // 11)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_time_is_linear(shape):
    """Twice the text takes about twice the time; only the ratio is judged."""
    dialect, size, text = SHAPES[shape]

    def seconds(sql):
        began = time.process_time()
        split(sql, dialect)
        return time.process_time() - began

    half, whole = text(size // 2), text(size)
    rounds = 2 if size > 1_000_000 else 5
    pairs = [(seconds(half), seconds(whole)) for _ in range(rounds)]
    assert min(b for _, b in pairs) / min(a for a, _ in pairs) <= 2.6

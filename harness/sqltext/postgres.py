"""Tokens and statements of PostgreSQL's SQL, after its ``scan.l`` and psql's ``psqlscan.l``.

Doubled quotes need no rule of their own: ``'a''b'`` reads as two literals side by side, which
cuts the same. Only E'' strings, whose backslashes reach over ``''`` and over a continuation on
the next line, are read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from harness.sqltext.source import Source
from harness.sqltext.statement import Assembler, Statement

_LETTER = r"A-Za-z_\x80-\U0010ffff"
_TOKEN = re.compile(
    rf"""
      (?P<space> [ \t\n\r\f\v]+ | --[^\n\r]* )
    | (?P<comment> /\* )
    | (?P<escape> [eE]' )
    | (?P<word> [{_LETTER}][{_LETTER}0-9$]* )
    | (?P<dollar> \$(?:[{_LETTER}][{_LETTER}0-9]*)?\$ )
    | (?P<other> [0-9][{_LETTER}0-9]* | \$[0-9]+ | '[^']*' | "[^"]*" )
    | (?P<mark> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTINUED = r"(?>(?:[ \t\f\v]|--[^\n\r]*+)*+)[\n\r](?>(?:[ \t\n\r\f\v]|--[^\n\r]*+[\n\r])*+)"
_ESCAPE_REST = re.compile(rf"(?:[^'\\]++|\\.|''|'{_CONTINUED}')*+'", re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_SCS_OFF = re.compile(
    r"SET\s+(?:(?:SESSION|LOCAL)\s+)?standard_conforming_strings\s*(?:=|\sTO\s)\s*"
    r"'?(?:off|false|no|0)\b",
    re.IGNORECASE,
)


class Token(Enum):
    """What a token is for: a gap, a hint, or code (bare words told apart from all else)."""

    GAP = 0
    HINT = 1
    WORD = 2
    CODE = 3


def tokens(source: Source) -> Iterator[tuple[Token, int, int]]:
    """All tokens in order, (token, start, end); ScenarioError for what is never closed."""
    text, at, match = source.text, source.begin, _TOKEN.match
    while found := match(text, at):
        start, at = found.span()
        group = found.lastgroup
        if group == "space":
            yield Token.GAP, start, at
        elif group == "word":
            yield Token.WORD, start, at
        elif group == "comment":
            at = _comment_end(source, start)
            yield Token.HINT if text.startswith("+", start + 2) else Token.GAP, start, at
        elif group == "escape":
            rest = _ESCAPE_REST.match(text, at) or source.refuse_open(start, "E'' string", "'")
            at = rest.end()
            yield Token.CODE, start, at
        elif group == "dollar":
            at = _dollar_end(source, found)
            yield Token.CODE, start, at
        else:
            if group == "mark":
                _check_mark(source, start)
            yield Token.CODE, start, at


def _comment_end(source: Source, start: int) -> int:
    depth, at = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(source.text, at)
        if edge is None:
            source.refuse_open(start, "comment", "*/ (comments nest in PostgreSQL)")
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
    return at


def _dollar_end(source: Source, opening: re.Match[str]) -> int:
    tag = opening.group()
    closing = source.text.find(tag, opening.end())
    if closing < 0:
        source.refuse_open(opening.start(), f"dollar-quoted string {tag}", tag)
    return closing + len(tag)


def _check_mark(source: Source, at: int) -> None:
    mark = source.text[at]
    if mark == "'":
        source.refuse_open(at, "string", "'")
    if mark == '"':
        source.refuse_open(at, "quoted identifier", '"')
    if mark == "\\":
        command = re.findall(r"\\\S*", source.text[at:])[0]
        move = (
            "delete this line, it only protects a restore by psql"
            if command in ("\\restrict", "\\unrestrict")
            else "write it as SQL, or run the file with psql as the migration's own command"
        )
        source.refuse(at, f"{command} is a command of psql, which no server understands: {move}")


def cut(source: Source) -> tuple[Statement, ...]:
    """The statements of a PostgreSQL file."""
    reader = _Reader(source)
    for token, start, end in tokens(source):
        reader.take(token, start, end)
    return reader.finish()


class _Reader:
    """Finds the semicolons that end a statement: those in no parentheses and no body.

    In a BEGIN ATOMIC body each statement ends with a semicolon, so its END is the one that
    follows a semicolon or ATOMIC; an END of CASE, or a column named so, never does.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._assembler = Assembler(source)
        self._parentheses: list[int] = []
        self._bodies: list[int] = []
        self._before = ""
        self._before_start = 0

    def take(self, token: Token, start: int, end: int) -> None:
        if token is Token.GAP:
            return
        if token is Token.HINT:
            self._assembler.hint(start, end)
            return
        word = self._source.text[start:end] if end - start < 64 else "'"
        if token is Token.WORD:
            word = word.upper()
            self._track_body(word)
        elif word == "(":
            self._parentheses.append(start)
        elif word == ")":
            del self._parentheses[-1:]
        elif word == ";" and not self._parentheses and not self._bodies:
            self._cut()
            return
        self._assembler.code(start, end, word)
        self._before, self._before_start = word, start

    def finish(self) -> tuple[Statement, ...]:
        if self._bodies:
            self._source.refuse_open(self._bodies[0], "BEGIN ATOMIC body", "END after a semicolon")
        if self._parentheses:
            self._source.refuse_open(self._parentheses[0], "parenthesis", ")")
        self._cut()
        return self._assembler.statements()

    def _track_body(self, word: str) -> None:
        if self._parentheses:
            return
        if word == "ATOMIC" and self._before == "BEGIN" and _is_routine(self._assembler.head):
            self._bodies.append(self._before_start)
        elif word == "END" and self._bodies and self._before in (";", "ATOMIC"):
            self._bodies.pop()
        elif word in ("STDIN", "STDOUT") and self._before == "FROM":
            self._refuse_copy()

    def _refuse_copy(self) -> None:
        if self._assembler.head[0] == "COPY":
            self._source.refuse(
                self._assembler.start or 0,
                "COPY … FROM stdin takes its rows from the client, which a statement cannot "
                "carry: write the rows as INSERT, or COPY from a file on the server",
            )

    def _cut(self) -> None:
        statement = self._assembler.cut()
        self._before = ""
        if statement and statement.kind == "SET" and _SCS_OFF.match(statement.text):
            self._source.refuse(
                statement.start,
                "standard_conforming_strings = off changes how every later string is read, "
                "which is not supported: remove it and write backslashes in E'' strings",
            )


def _is_routine(head: list[str]) -> bool:
    words = head[1:]
    if words[:2] == ["OR", "REPLACE"]:
        words = words[2:]
    return head[0] == "CREATE" and words[:1] in (["FUNCTION"], ["PROCEDURE"])

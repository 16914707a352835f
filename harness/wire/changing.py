"""Which messages can change something: only those are numbered, and only there can a run be held.

The rule looks at how each statement of a message begins. One that begins with a word that is not
known to be harmless counts as changing, so a new kind of statement is held rather than missed.

================================= ================================================================
changes nothing                   SELECT, SHOW, SET, EXPLAIN, VALUES, TABLE, DESCRIBE, USE,
                                  PREPARE, DEALLOCATE, DISCARD, LISTEN, UNLISTEN, RESET, HELP,
                                  DECLARE, FETCH, MOVE, CLOSE
opens, does not end a transaction BEGIN, START TRANSACTION, SAVEPOINT, RELEASE
changes nevertheless              SELECT … INTO a table or file, SELECT setval(…); WITH and
                                  EXPLAIN ANALYZE of an INSERT, UPDATE, DELETE or MERGE; SET
                                  GLOBAL, PERSIST, PASSWORD, STATEMENT; PREPARE TRANSACTION;
                                  BEGIN NOT ATOMIC
================================= ================================================================

A SELECT of functions counts as a read whatever they do (``SELECT pg_advisory_lock(1)``, ``SELECT
do_everything()``), as does SET autocommit = 1, with which MySQL commits an open transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

TAKES_A_LOCK = re.compile(
    r"\b(?:pg_(?:try_)?advisory_(?:xact_)?lock\w*|GET_LOCK)\s*\(", re.IGNORECASE
)
"""A read that takes an advisory lock, by which runs of one tool shut each other out."""

_QUOTED = {
    "postgres": r"""
        (?P<comment> --[^\n]* | /\*.*?\*/ )
      | (?P<quoted> \b[eE]'(?:[^'\\]|\\.)*+' | '[^']*+' | "[^"]*+"
          | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag) )
    """,
    "mysql": r"""
        (?P<comment> \#[^\n]* | --(?=\s|\Z)[^\n]* | /\*(?!!|M!).*?\*/ | /\*M?!\d* | \*/ )
      | (?P<quoted> '(?:[^'\\]|\\.)*+' | "(?:[^"\\]|\\.)*+" | `[^`]*+` )
    """,
}
_WORDS = r" | (?P<word> [^\W\d]\w* ) | (?P<end> ; ) | (?P<mark> [^\s] )"
_TOKENS = {
    protocol: re.compile(quoted + _WORDS, re.VERBOSE | re.DOTALL)
    for protocol, quoted in _QUOTED.items()
}
"""``/*! … */`` is code to MySQL, so only its brackets are taken for a comment."""

_HARMLESS = frozenset(
    {"SELECT", "SHOW", "SET", "EXPLAIN", "VALUES", "TABLE", "DESCRIBE", "DESC", "USE", "HELP"}
    | {"PREPARE", "DEALLOCATE", "DISCARD", "LISTEN", "UNLISTEN", "RESET", "WITH"}
    | {"DECLARE", "FETCH", "MOVE", "CLOSE", "BEGIN", "START", "SAVEPOINT", "RELEASE"}
)
_WRITES = r"(?<!FOR )(?<!FOR NO KEY )\b(?:INSERT|UPDATE|DELETE|MERGE)\b"
_NEVERTHELESS = {
    "SELECT": re.compile(r"\bINTO (?!@)|\bsetval \(", re.IGNORECASE),
    "WITH": re.compile(rf"{_WRITES}|\bINTO (?!@)|\bsetval \(", re.IGNORECASE),
    "EXPLAIN": re.compile(rf"\bANALY[ZS]E\b.*{_WRITES}", re.IGNORECASE),
    "SET": re.compile(r"^SET (?:@ @ )?(?:GLOBAL|PERSIST\w*|PASSWORD|STATEMENT)\b", re.IGNORECASE),
    "PREPARE": re.compile(r"^PREPARE TRANSACTION\b", re.IGNORECASE),
    "BEGIN": re.compile(r"^BEGIN NOT\b", re.IGNORECASE),
    "START": re.compile(r"^START (?!TRANSACTION\b)", re.IGNORECASE),
}


def can_change(sql: str, protocol: str) -> bool:
    """Whether any statement of the message can change data, schema or an open transaction."""
    return any(_statement_can_change(words) for words in _statements(sql, protocol))


def _statement_can_change(tokens: Iterator[str]) -> bool:
    first = next((token for token in tokens if token != "("), "").upper()
    if first not in _HARMLESS:
        return bool(first)
    nevertheless = _NEVERTHELESS.get(first)
    return nevertheless is not None and bool(nevertheless.search(" ".join([first, *tokens])))


def _statements(sql: str, protocol: str) -> Iterator[Iterator[str]]:
    """The tokens of each statement; of literals and quoted names, only that there is one."""
    tokens = _TOKENS[protocol].finditer(sql)
    ended = False

    def one() -> Iterator[str]:
        nonlocal ended
        for token in tokens:
            if token.lastgroup == "end":
                return
            if token["comment"] is None:
                yield "?" if token["quoted"] is not None else token[0]
        ended = True

    while not ended:
        statement = one()
        yield statement
        for _ in statement:
            pass

"""One message of many statements cut into messages of one statement, for MySQL and MariaDB.

The server must see what it would have cut itself. So a cut is made only where nothing but blanks,
comments and exactly one semicolon lies between two statements; from the first doubtful place on
the rest of the message stays in one part, and the server cuts it: stored programs, whose bodies
have semicolons of their own; empty statements, which are an error to the server; DELIMITER, which
is no SQL. A message with a LOAD DATA LOCAL is not cut: its rows follow on the wire.

The client sees one difference: a syntax error (1064) quotes its own statement, not also those
behind it. ``split`` reads backslashes as escapes, so NO_BACKSLASH_ESCAPES is not for pacing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import DrillError

Split = Callable[[str], Sequence[str]]

_BLANK = r"(?: \s | \#[^\n]*(?:\n|\Z) | --(?=\s|\Z)[^\n]*(?:\n|\Z) | /\*(?!!|M!|\+).*?\*/ )*+"
_GAP = re.compile(f"{_BLANK} ; {_BLANK}", re.VERBOSE | re.DOTALL)
_BLANKS = re.compile(_BLANK, re.VERBOSE | re.DOTALL)
_WHOLE = re.compile(
    r"""
    \s* (?: /\*M?!\d*\s* )?
    (?: CREATE \b (?! \s+ (?:OR\s+REPLACE\s+)? (?:TEMPORARY\s+)?
            (?:TABLE|UNIQUE|INDEX|FULLTEXT|SPATIAL|VIEW|DATABASE|SCHEMA|SEQUENCE|USER|ROLE) \b )
        .*? \b (?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE) \b
      | ALTER \b (?! \s+ TABLE \b ) .*? \b EVENT \b
      | BEGIN \s+ NOT \b
      | (?:IF|CASE|LOOP|WHILE|REPEAT|FOR|DECLARE) \b
    )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_SENDS_A_FILE = re.compile(r"\s*(?:/\*M?!\d*\s*)?LOAD\b.*?\bLOCAL\b", re.DOTALL | re.IGNORECASE)
_HEAD_CHARACTERS = 2000
"""A statement of these kinds says so early; a long INSERT is not searched to its end."""


@dataclass(frozen=True)
class Part:
    """One statement to be sent by itself."""

    sent: str
    """With the comments before it and, of the last one, all that follows."""
    text: str


def parts_of(text: str, split: Split) -> tuple[Part, ...]:
    """The parts in order; one if the text cannot be cut for certain."""
    try:
        statements = split(text)
    except DrillError:
        statements = ()
    sends_a_file = any(_SENDS_A_FILE.match(one[:_HEAD_CHARACTERS]) for one in statements)
    if not statements or sends_a_file:
        return (Part(text, text.strip()),)
    parts: list[Part] = []
    start, first, end = 0, _after(_BLANKS, text, 0), 0
    for n, statement in enumerate(statements):
        begin = first if n == 0 else _after(_GAP, text, end)
        if begin is None or not text.startswith(statement, begin):
            break
        if n:
            semicolon = _after(_BLANKS, text, end) or end
            parts.append(Part(text[start:semicolon], text[first:end]))
            start, first = semicolon + 1, begin
        if _WHOLE.match(statement[:_HEAD_CHARACTERS]):
            break
        end = begin + len(statement)
    else:
        return (*parts, Part(text[start:], text[first:end]))
    return (*parts, Part(text[start:], text[first:].strip()))


def _after(pattern: re.Pattern[str], text: str, at: int) -> int | None:
    found = pattern.match(text, at)
    return found.end() if found else None

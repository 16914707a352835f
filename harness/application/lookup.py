"""What a read of the application tells about its row. Pure: it reads the statement's text.

Only ``SELECT … FROM table WHERE key = …`` tells whether there is a row, and of its result only
the table's own columns under their own names tell what is in it: an alias, an expression, a
view or a join may show anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.application.deviation import Row
from harness.model import App
from harness.ports import Rows

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+ | --[^\n]* | /\*.*?\*/)
    | `(?P<name>[^`]+)` | [A-Za-z_][\w$]* | (?<![:\w]):[A-Za-z_]\w*
    | '(?:[^']|'')*' | "(?:[^"]|"")*" | \d+ | ::? | .
    """,
    re.VERBOSE | re.DOTALL,
)
_TAIL = re.compile(
    r"(LIMIT [1-9]\d*)? ?(FOR (NO KEY )?UPDATE|FOR (KEY )?SHARE|LOCK IN SHARE MODE)? ?;?"
)
"""What may follow the condition and leaves no row out."""


@dataclass(frozen=True)
class Lookup:
    """A read of one row by its key.

    ``own`` are the result's columns that are the table's own, in lower case; ``all_own`` if a
    ``*`` stands for all of them. ``foreign`` are names that something else goes by.
    """

    own: frozenset[str] = frozenset()
    all_own: bool = False
    foreign: frozenset[str] = frozenset()

    def columns(self, result: Sequence[str], among: Sequence[str]) -> dict[str, int]:
        """Which of the columns ``among`` the result tells, each with its place there."""
        names = [name.lower() for name in result]
        told = {}
        for column in among:
            name = column.lower()
            known = (self.all_own or name in self.own) and name not in self.foreign
            if known and names.count(name) == 1:
                told[column] = names.index(name)
        return told


def lookup_of(sql: str, app: App) -> Lookup | None:
    """The read as a lookup of one row of the application's table; None if it is none."""
    tokens = list(_tokens(sql))
    select, rest = _cut(tokens, "FROM")
    source, condition = _cut(rest, "WHERE")
    table, key = (name.rpartition(".")[2].strip('"`').upper() for name in (app.table, app.key))
    if select[:1] != ["SELECT"] or not _is_table(source, table) or not _is_key(condition, key):
        return None
    if "(" in select:
        return None  # an aggregate answers with a row where there is none
    own, foreign, all_own = set(), set(), False
    for item in _items(select[1:]):
        name, alias = _name_and_alias(item)
        if name == "*":
            all_own = True
        elif name and name == alias:
            own.add(name)
        elif alias:
            foreign.add(alias)
    return Lookup(frozenset(own), all_own, frozenset(foreign))


def row_of(lookup: Lookup, rows: Rows, columns: Sequence[str]) -> tuple[list[Row], list[str]]:
    """The rows that were found (``[None]`` for none), and which of the columns they tell."""
    told = lookup.columns(rows.columns, columns)
    found: list[Row] = [{column: row[at] for column, at in told.items()} for row in rows.rows]
    return found or [None], list(told)


# ---------------------------------------------------------------------- its parts


def _tokens(sql: str) -> Iterator[str]:
    """Words and marks in capitals; text in double quotes is no name, for it may be a text."""
    for match in _TOKEN.finditer(sql):
        if not match["blank"]:
            yield (match["name"] or match[0]).upper()


def _cut(tokens: Sequence[str], word: str) -> tuple[list[str], list[str]]:
    """What stands before and after the first ``word`` outside parentheses."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if token == word and depth == 0:
            return list(tokens[:at]), list(tokens[at + 1 :])
    return list(tokens), []


def _items(tokens: Sequence[str]) -> Iterator[list[str]]:
    rest = list(tokens)
    while rest:
        item, rest = _cut(rest, ",")
        yield item


def _is_name(token: str) -> bool:
    return bool(re.fullmatch(r"[A-Z_][\w$]*", token))


def _unqualified(tokens: Sequence[str]) -> list[str]:
    """The tokens without ``schema.`` or ``table.`` before a name or a star."""
    rest = list(tokens)
    while len(rest) > 2 and _is_name(rest[0]) and rest[1] == ".":
        rest = rest[2:]
    return rest


def _name_and_alias(item: Sequence[str]) -> tuple[str, str]:
    """The column of an item and the name it goes by; "" for what is no plain column."""
    rest = _unqualified(item)
    if rest == ["*"]:
        return "*", ""
    words = [token for token in rest[1:] if token != "AS"]
    if rest and _is_name(rest[0]) and len(words) < 2 and all(map(_is_name, words)):
        return rest[0].lower(), (words or rest)[0].lower()
    return "", rest[-1].lower() if rest and _is_name(rest[-1]) else ""


def _is_table(source: Sequence[str], table: str) -> bool:
    """``table``, ``schema.table``, with an alias or without."""
    rest = _unqualified(source)
    alias = [token for token in rest[1:] if token != "AS"]
    return rest[:1] == [table] and len(alias) < 2 and all(map(_is_name, alias))


def _is_key(condition: Sequence[str], key: str) -> bool:
    """``key = :id`` and nothing else that leaves rows out."""
    rest = _unqualified(condition)
    return rest[:3] == [key, "=", ":ID"] and bool(_TAIL.fullmatch(" ".join(rest[3:])))

"""What an engine tells of a table, so that rows can be made for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

INDEX = "{i}"
USUAL, BEFORE = "{u}", "{p}"


@dataclass(frozen=True)
class Formula:
    """SQL that gives a value for row ``{i}`` = 0, 1, 2 …

    ``capacity`` is how many different values there are before they repeat; None: no end.
    """

    sql: str
    capacity: int | None = None

    def at(self, index: str) -> str:
        return self.sql.replace(INDEX, f"({index})")


class Keyed(Enum):
    """What a key says about one column's values."""

    NOT = "they may repeat"
    ALONE = "no two are equal, as the column compares them"
    PARTLY = "they are unique with other columns', or by an expression"


@dataclass(frozen=True)
class Variants:
    """Values that are seldom and that transformations meet, as SQL.

    ``{u}`` stands for the row's usual value, ``{p}`` for that of the row before, ``{i}`` for the
    row's number. ``odd`` follow from the row itself. ``near`` are near-duplicates of the row
    before: they differ from it only in case or in blanks. One that was given up is ``{u}``, so
    that the others stay in their rows.
    """

    odd: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(sql != USUAL for sql in (*self.odd, *self.near))


@dataclass(frozen=True)
class ColumnSpec:
    """A column; ``kind`` is the engine's own, for its ``formulas`` alone.

    ``served``: the server numbers it (serial, identity, auto-increment). ``generated``: the
    expression by which the server computes it from the row. ``default``: a constant one, as SQL.
    ``quoted`` is the name as SQL.
    """

    name: str
    quoted: str
    kind: Any
    nullable: bool = True
    served: bool = False
    generated: str = ""
    default: str = ""


@dataclass(frozen=True)
class Key:
    """Columns whose values together are unique; ``partial``: only among some of the rows.

    ``folded``: it is an expression of the columns that is unique, such as ``lower(email)``.
    ``one_null``: NULLs count as equal.
    """

    columns: tuple[str, ...]
    partial: bool = False
    primary: bool = False
    folded: bool = False
    one_null: bool = False


@dataclass(frozen=True)
class Link:
    """A foreign key. ``parent`` is a table's name as in ``TableSpec``, ``source`` it in FROM."""

    columns: tuple[str, ...]
    parent: str
    source: str
    parent_columns: tuple[str, ...]
    """Quoted."""
    deferrable: bool = False


@dataclass(frozen=True)
class Check:
    """A condition on the row's columns, as SQL; NULL is a pass."""

    columns: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class TableSpec:
    """A table to be filled; ``quoted`` to insert into, ``source`` to read its own rows from."""

    name: str
    quoted: str
    source: str
    columns: tuple[ColumnSpec, ...]
    keys: tuple[Key, ...] = ()
    links: tuple[Link, ...] = ()
    checks: tuple[Check, ...] = ()

    def column(self, name: str) -> ColumnSpec:
        return next(column for column in self.columns if column.name == name)

    def sources(self, name: str) -> frozenset[str]:
        """The columns that a column's value follows from: itself, or what computes it."""
        expression = self.column(name).generated
        if not expression:
            return frozenset([name])
        return frozenset(
            column.name
            for column in self.columns
            if column.quoted in expression
            or re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", expression)
        ) - {name}

"""What an engine tells of a table, so that rows can be made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INDEX = "{i}"


@dataclass(frozen=True)
class Formula:
    """SQL that gives a value for row ``{i}`` = 0, 1, 2 …

    ``capacity`` is how many different values there are before they repeat; None: no end.
    """

    sql: str
    capacity: int | None = None

    def at(self, index: str) -> str:
        return self.sql.replace(INDEX, f"({index})")


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
    """Columns whose values together are unique; ``partial``: only among some of the rows."""

    columns: tuple[str, ...]
    partial: bool = False
    primary: bool = False


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

"""How a migration failed, and the rows on which it does, as people are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.ports import Session
from harness.row_generation.keys import Key

TOLD = 5
"""Rows that are told by their values."""


@dataclass(frozen=True)
class Failure:
    """How a migration failed: the server's or the tool's code, "" if it has none, and its words."""

    code: str
    message: str

    def is_like(self, other: Failure) -> bool:
        """Whether it is the same error, be it of other rows."""
        if self.code and other.code:
            return self.code == other.code
        return _shape(self.message) == _shape(other.message)

    def __str__(self) -> str:
        known = not self.code or self.code in self.message
        return self.message if known else f"{self.code}: {self.message}"


Attempt = Callable[[Callable[[Session], None]], Failure | None]
"""Tries the migration on a new copy of the database, after what it is given was done in a session
in that copy; None if it goes through. It hands on what that raises."""


@dataclass(frozen=True)
class FailingRow:
    """A row by its key, with some of its values as people read them."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{column} {value}" for column, value in self.values.items())
        return f"{self.key} ({told})" if told and self.key else self.key or f"({told})"


@dataclass(frozen=True)
class FailingRows:
    """The rows of one table that a migration fails on.

    ``sets`` are the smallest sets of rows that make it fail, one row each, or several that fail
    together. ``complete``: without them it goes through. ``any_row``: each row that was tried
    alone makes it fail. ``among``: if no smaller set was found, so many rows hold one. ``also``
    are other tables that must have rows. ``passing`` are rows of the table with which it goes
    through, as many as were seen to. ``table`` is "" if it fails on empty tables, or if ``why_not``
    says why nothing was found.
    """

    failure: Failure
    table: str = ""
    rows: int = 0
    sets: tuple[tuple[FailingRow, ...], ...] = ()
    complete: bool = False
    any_row: bool = False
    among: int = 0
    also: tuple[str, ...] = ()
    tries: int = 0
    passing: tuple[Key, ...] = ()
    why_not: str = ""

    def __str__(self) -> str:
        return f"{self.where()}: {self.failure}"

    def where(self) -> str:
        """On which rows it fails, without the error."""
        if self.why_not:
            return f"fails; on which rows is not known: {self.why_not}"
        if not self.table:
            return "fails on empty tables, too"
        also = f", if {' and '.join(self.also)} have rows" if self.also else ""
        if self.any_row:
            tried = f" (3 of {self.rows} rows, each tried alone)" if self.rows > 3 else ""
            return f"fails on any row of {self.table}{also}{tried}"
        if not self.sets:
            return f"fails on some of {self.among} rows of {self.table}, of {self.rows}{also}"
        told = [" with ".join(map(str, rows)) for rows in self.sets[:TOLD]]
        told += ["…"] if len(self.sets) > TOLD or not self.complete else []
        least = "" if self.complete else "at least "
        many = f"{least}{len(self.sets)} of {self.rows} rows"
        if any(len(rows) > 1 for rows in self.sets):
            times = "once" if len(self.sets) == 1 else f"{len(self.sets)} times"
            many = f"rows that do not go together, {least}{times} among {self.rows} rows"
        return f"fails on {many} of {self.table}{also}: {', '.join(told)}"


def _shape(message: str) -> str:
    """A message without what may differ from row to row."""
    lines = [line for line in message.splitlines() if line.strip()]
    told = next((line for line in lines if "error" in line.lower()), lines[0] if lines else "")
    return re.sub(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\d+", "?", told)

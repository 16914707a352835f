"""How the rows of one table differ in two databases, counted and with samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COLUMNS = 6
"""Columns that are named with how many of their values changed."""


@dataclass(frozen=True)
class RowSample:
    """One row that differs: its values by column in each state; None where it is not there."""

    key: str
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None

    def __str__(self) -> str:
        if self.after is None:
            return f"{self.key} is gone"
        if self.before is None:
            return f"{self.key} is new"
        other = [
            f"{column} {self.before[column]} → {self.after.get(column, '(no such column)')}"
            for column in self.before
            if self.before[column] != self.after.get(column)
        ]
        return f"{self.key}: {', '.join(other) or 'another value, beyond what is shown'}"


@dataclass(frozen=True)
class RowsDifference:
    """How the rows of one table differ.

    ``had`` are the rows that were compared. ``columns`` counts changed values; without a key a
    changed row is one that is gone and one that is new.
    """

    table: str
    had: int
    gone: int = 0
    new: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[RowSample, ...] = ()

    @property
    def count(self) -> int:
        """Rows that are not as they were."""
        return self.gone + self.new + self.changed

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        parts = [
            f"{count} {what}"
            for count, what in ((self.gone, "gone"), (self.new, "new"), (self.changed, "changed"))
            if count
        ]
        told = f"{self.table}: {self.count} of {self.had} rows differ ({', '.join(parts)})"
        if self.columns:
            most = sorted(self.columns.items(), key=lambda item: (-item[1], item[0]))
            told += f", values of {', '.join(f'{c} {n}' for c, n in most[:COLUMNS])}"
            told += f" and {len(most) - COLUMNS} more columns" if len(most) > COLUMNS else ""
        if self.samples:
            told += ": " + "; ".join(map(str, self.samples))
            told += "; …" if self.count > len(self.samples) else ""
        return told

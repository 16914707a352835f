"""How a row that was found differs from the states in which it may legally be. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal

from harness.application.writes import ROW, State, States

Row = Mapping[str, Any] | None
"""What was found: a value for each column that is there; None where there is no row."""

Kind = Literal["lost", "changed", "resurrected"]


class Absence(Enum):
    """There is no value, not even NULL: the row or the column is missing."""

    ABSENT = "nothing"


ABSENT = Absence.ABSENT


@dataclass(frozen=True)
class Deviation:
    """How one cell of a row differs from a legal state; ``wanted`` is what was acknowledged.

    ``lost``: the row or the column is missing. ``changed``: the value differs.
    ``resurrected``: the row is back although its delete was acknowledged. ``with_row``: the
    cell is missing because its row is.
    """

    cell: str
    kind: Kind
    found: Any = ABSENT
    wanted: str = ""
    with_row: bool = False

    def __str__(self) -> str:
        if self.cell == ROW:
            return "the row is missing" if self.kind == "lost" else "the deleted row is back"
        if self.with_row:
            return f"the row with {self.cell} {self.wanted!r} is missing"
        if self.kind == "lost":
            return f"the column {self.cell} with {self.wanted!r} is missing"
        return f"{self.cell} is {short(self.found)}, acknowledged was {self.wanted!r}"


def nearest(
    states: States, row: Row, columns: Collection[str] | None = None
) -> tuple[Deviation, ...]:
    """How the row differs from the legal state that is nearest to it; empty if it is legal.

    Only ``columns`` are looked at; None looks at all, and misses those that the row lacks.
    """
    return min((_from(state, row, columns) for state in states), key=len)


def _from(state: State, row: Row, columns: Collection[str] | None) -> tuple[Deviation, ...]:
    if state is None:
        return () if row is None else (Deviation(ROW, "resurrected", "a row"),)
    if row is None:
        return (Deviation(ROW, "lost"),)
    looked_at = {c: v for c, v in state.items() if columns is None or c in columns}
    return tuple(
        Deviation(column, "changed", row[column], value)
        if column in row
        else Deviation(column, "lost", ABSENT, value)
        for column, value in looked_at.items()
        if column not in row or not same(value, row[column])
    )


def same(acknowledged: str, found: Any) -> bool:
    """True if a column's value, of whatever type it is read as, is the text that was written."""
    if found is None:
        return False
    if isinstance(found, bool):
        return acknowledged.lower() in (("true", "t", "1") if found else ("false", "f", "0"))
    if isinstance(found, int | float | Decimal):
        try:
            return Decimal(acknowledged) == Decimal(str(found))
        except InvalidOperation:
            return False
    if isinstance(found, dict | list):
        try:
            return bool(json.loads(acknowledged) == found)
        except json.JSONDecodeError:
            return False
    if isinstance(found, bytes | bytearray | memoryview):
        return acknowledged.encode() == bytes(found)
    return acknowledged == str(found)


def short(value: Any, limit: int = 60) -> str:
    """The value as a person would read it in a message, cut at ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

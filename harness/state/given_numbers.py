"""Numbers that a server gives: a run that is cut off uses some up, and the next run gets others.

Sequences and columns that number themselves do not go back with a transaction. So the numbers of
rows that a migration adds are no part of the state it ends in, and all others are: of such a column
only the values before the first new number are compared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from harness.ports import Engine
from harness.ports.contents import Counter

WRITTEN = re.compile(r"(?P<column>.+) (?P<way>from|down from) (?P<first>-?\d+)", re.DOTALL)


@dataclass(frozen=True)
class GivenNumbers:
    """A column in which values from ``first`` on are numbers that the server gave."""

    column: str
    first: int
    down: bool = False

    def __str__(self) -> str:
        return f"{self.column} {'down from' if self.down else 'from'} {self.first}"

    def value(self, engine: Engine, expression: str) -> str:
        """The column's value as SQL, the same for all such numbers."""
        column = engine.snapshot.quoted(self.column)
        given = f"{column} {'<=' if self.down else '>='} {self.first}"
        return f"CASE WHEN {given} THEN 'given' ELSE concat({expression}, '') END"


def of(column: str, counter: Counter) -> GivenNumbers:
    """What a column takes from a counter that stood there."""
    return GivenNumbers(column, counter.next, counter.step < 0)


@cache
def read(told: str) -> GivenNumbers | None:
    """From the words in which it is told; None if those are a column's name.

    >>> read("id from 101"), read("id")
    (GivenNumbers(column='id', first=101, down=False), None)
    """
    found = WRITTEN.fullmatch(told)
    if found is None:
        return None
    return GivenNumbers(found["column"], int(found["first"]), found["way"] != "from")


def values(engine: Engine, columns: Mapping[str, str], volatile: Collection[str]) -> dict[str, str]:
    """Column → its value as SQL, without those that are ``volatile``; where only the numbers that
    were given are, they all have one value.
    """
    given = {numbers.column: numbers for told in volatile if (numbers := read(told))}
    return {
        column: given[column].value(engine, value) if column in given else value
        for column, value in columns.items()
        if column not in volatile
    }

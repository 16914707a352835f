"""What an engine tells of a database's contents, so that two of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table whose rows can be read.

    ``source`` is what stands behind FROM. ``columns`` maps each readable column, in the order of
    names, to an expression of its value that is the same in every session and never NULL where the
    engine needs that. ``key`` are columns (the primary key, else a unique one without NULL) that
    tell its rows apart; empty if there are none. ``shown`` maps each column to an expression that
    any client can read: a date of PostgreSQL's may be infinite.
    """

    name: str
    source: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    shown: Mapping[str, str]


@dataclass(frozen=True)
class Counter:
    """A sequence, or a column that numbers itself.

    ``next`` is the value it gives next, ``step`` its increment. ``column`` (``public.users.id``) is
    what takes its values; ``farthest`` the value there that is farthest in the direction of the
    step. ``unique``: no value may come twice.
    """

    next: int
    step: int = 1
    column: str = ""
    farthest: int | None = None
    unique: bool = False

    @property
    def is_behind(self) -> bool:
        """It will give a value that is there already."""
        if self.farthest is None:
            return False
        return self.next <= self.farthest if self.step > 0 else self.next >= self.farthest


@dataclass(frozen=True)
class Writes:
    """How much was written to a database so far, as its server counts it.

    Equal counts that began at the same time mean that nothing was written in between; what was
    rolled back counts as well.
    """

    began: str
    """When the server's counts began; counts of another time say nothing."""
    before: int
    """No transaction with this number, or a higher one, was over."""
    reset: str
    """When this database's were set back; empty if never."""
    catalogues: Mapping[str, tuple[int, int]]
    """What defines its objects: how much was written, and how many rows more or less are there."""
    relations: str
    """A checksum of how its relations are defined, whatever was written to them."""
    whole: str
    """What belongs to the database by its name, or to the whole server."""
    tables: Mapping[str, tuple[tuple[int, int, str], ...]]
    """By name, each table of that name: its number, the count, the version of its definition."""

    def is_comparable(self, later: Writes) -> bool:
        """Whether counts of later go on from these."""
        return (self.began, self.reset) == (later.began, later.reset)

    def written(self, later: Writes) -> frozenset[str]:
        """The tables that were written to in between, came, went or were made anew."""
        names = self.tables.keys() | later.tables.keys()
        return frozenset(n for n in names if self.tables.get(n) != later.tables.get(n))

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

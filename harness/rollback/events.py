"""What can happen while ways down are tried: one frozen dataclass a kind.

What a sweep knows of a migration (its unbroken run, where its way down leads) is told by the
sweep's own kinds. ``docs/record.md`` has the table that people read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.record.events import Clock, Payload, every
from harness.sqltext.losses import Sign
from harness.sweep.events import Broken, Referred, SeedRefused, SweptToEnd, WayBackTried

FILE_NAME = "rollback.jsonl"


class Came(StrEnum):
    """What came of one more run, up again or down in order."""

    SAME = "same"
    NOT_RUN = "not-run"
    LOSES_DATA = "loses-data"
    DIFFERS = "differs"
    FAILS = "fails"


@dataclass(frozen=True)
class OfRollback(Payload):
    """All of them are drawn in one lane; ``migration`` is the version that it is about."""

    LANE = "rollback"
    migration: str = ""


@dataclass(frozen=True)
class Foretold(OfRollback):
    """What its SQL alone tells, before anything was run."""

    KIND = "foretold"
    name: str = ""
    files: tuple[str, ...] = ()
    down: bool = False
    """There is a way down."""
    declared: str = ""
    """The reason for which it says that nothing leads back."""
    code: bool = False
    """It is code, of which nothing can be told."""
    signs: tuple[Sign, ...] = ()
    """What of it nothing brings back."""
    unread: tuple[str, ...] = ()
    """What of it its SQL does not tell: it cannot be cut, or runs something else."""
    squawk: tuple[str, ...] = ()
    """What the program squawk says of its file, where that is on PATH."""


@dataclass(frozen=True)
class BookRead(OfRollback):
    """What the tool's own record says after the way down, executed directly after the way up."""

    KIND = "book"
    keeps: bool = False
    """The tool keeps a record."""
    wrong: str = ""
    """What it says, and what it said before the migration; empty if that is the same."""


@dataclass(frozen=True)
class UpAgain(OfRollback):
    """Up once more after the way down; what it gives was compared with what the first up gave."""

    KIND = "up-again"
    came: Came = Came.NOT_RUN
    says: str = ""
    """The tool's error; or why it was not run."""
    differs: tuple[str, ...] = ()
    """Objects that are not as the first up left them."""


@dataclass(frozen=True)
class DownInOrder(OfRollback):
    """Its way down after those of the later migrations, from ``head`` on."""

    KIND = "down-in-order"
    head: str = ""
    """The version from which all went down, one after the other."""
    came: Came = Came.NOT_RUN
    says: str = ""
    """The tool's error, or what its record says; or why it was not run."""
    differs: tuple[str, ...] = ()
    """What is not as it was before the migration, and was as it was when it ran directly."""
    rows: bool = False
    """Rows were compared as well."""


OF_A_ROLLBACK: Mapping[str, type[Payload]] = {
    Clock.KIND: Clock,
    Referred.KIND: Referred,
    WayBackTried.KIND: WayBackTried,
    Broken.KIND: Broken,
    SweptToEnd.KIND: SweptToEnd,
    SeedRefused.KIND: SeedRefused,
    **{payload.KIND: payload for payload in every(OfRollback)},
}
"""Every kind by its word."""

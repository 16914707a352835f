"""What is seen of two runs of a tool at once, and where the first of them is held; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.state.snapshot import Snapshot
from harness.sweep.points import Row, Where
from harness.wire import LOCK


class Meets(StrEnum):
    """What the second run comes to while the first one is held."""

    NOTHING = ""
    """There was no second run."""
    ENDS_WELL = "ends-well"
    FAILS = "fails"
    WAITS = "waits"
    """Its session waits for a lock, as the server tells."""
    ASKS_AGAIN = "asks-again"
    """It sends the same question again and again."""
    GOES_ON = "goes-on"
    """It does not end, and nothing tells why."""


@dataclass(frozen=True)
class RivalSeen:
    """Two runs of one tool at once."""

    meets: str = Meets.NOTHING
    waits_for: str = ""
    """The lock, and the query of the second run that waits for it; or what it asks."""
    excluded: bool = False
    """Only one of them sent anything of the migration while both were at work."""
    first_status: int | None = None
    """How the first ended; negative: the signal."""
    first_said: str = ""
    second_status: int | None = None
    second_said: str = ""
    second_sent: int = 0
    """Messages of the migration that the second run sent."""
    hung: str = ""
    """Which of them did not end although nobody else was at work: ``first`` or ``second``."""
    waited_s: float = 0.0
    """From the end of the first to that of the second, or to the deadline if it hung; seconds."""
    doubled: tuple[str, ...] = ()
    """Tables with more rows than in any state of an unbroken run."""

    @property
    def both_say_done(self) -> bool:
        """Whether neither run tells that anything went wrong."""
        return self.first_status == 0 and self.second_status == 0


Places = Mapping[str, tuple[int, Where]]
"""By what it is in any migration: a message, and its side."""
LOCKING, BEGINNING, FIRST, MIDDLE, LAST = "locking", "beginning", "first", "middle", "last"


def places(rows: Sequence[Row], *, locks: bool) -> Places:
    """Where the first run is held; none in a migration that sends no statement.

    Before it takes its advisory lock, or before its first message: there both still find it
    pending. Before its first statement, before one in the middle, and before what follows the last.
    """
    own = [row for row in rows if row.kind == "statement"]
    if not own:
        return {}
    first, middle, last = own[0].n, own[len(own) // 2].n, own[-1].n
    end = (last + 1, Where.BEFORE) if last < rows[-1].n else (last, Where.ANSWERED)
    found = {
        LOCKING if locks else BEGINNING: (LOCK if locks else rows[0].n, Where.BEFORE),
        FIRST: (first, Where.BEFORE),
        MIDDLE: (middle, Where.BEFORE),
        LAST: end,
    }
    ordered = sorted(found, key=lambda role: role != FIRST)
    roles = {found[role]: role for role in reversed(ordered)}
    return {role: place for place, role in reversed(roles.items())}


def doubled(left: Snapshot, states: Sequence[Snapshot]) -> tuple[str, ...]:
    """Tables with more rows than in any of the states."""
    told = []
    for table, (count, _) in left.contents.items():
        most = max((state.contents.get(table, (0, ""))[0] for state in states), default=0)
        if count > most:
            told.append(f"{count} rows of {table}, an unbroken run has {most}")
    return tuple(told)

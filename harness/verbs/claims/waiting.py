"""Who waits for whom, right now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, Finding
from harness.record.events import WaitingPair, WaitsSeen
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class Waiting(ClaimKind):
    """Sessions of ``waiting`` wait ``behind`` somebody: ``exists`` at least one, or none.

    ``anybody`` waiting with ``exists: false`` says that the whole queue has drained.
    """

    waiting: Literal["application", "migration", "anybody"]
    behind: Literal["migration", "blocker", "application", "anybody"] = "anybody"
    exists: bool = True

    def check(self, target: Target) -> Finding:
        pairs = target.engine.sessions.waiting(target.observer(), target.database)
        named = [(target.whose(waiter), target.whose(blocker)) for waiter, blocker in pairs]
        met = [
            (waiter, blocker)
            for waiter, blocker in named
            if self.waiting in (waiter, "anybody") and self.behind in (blocker, "anybody")
        ]
        target.timeline.add(
            WaitsSeen(
                tuple(WaitingPair(*who, *whose) for who, whose in zip(pairs, named, strict=True))
            )
        )
        right = bool(met) == self.exists
        listed = sorted({f"{waiter} behind {blocker}" for waiter, blocker in named})
        return Finding(
            Answer.HELD if right else Answer.NOT_HELD,
            ", ".join(listed) or "nobody waits",
            f"{self.waiting} waiting behind {self.behind}"
            if self.exists
            else f"no {self.waiting} waiting behind {self.behind}",
        )


KIND = Waiting

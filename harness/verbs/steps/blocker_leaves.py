"""The session that blocks everybody ends its transaction of its own accord."""

from __future__ import annotations

from dataclasses import dataclass

from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class BlockerLeaves(StepKind):
    """Not something an operator does: it is what he waits for."""

    blocker_leaves: bool

    def perform(self, target: Target, deadline_s: float) -> str:
        hold = target.shelf.hold
        if hold is None:
            return "nobody was blocking"
        hold.release(target)
        return "the blocker ended its transaction"


KIND = BlockerLeaves

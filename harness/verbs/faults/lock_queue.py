"""The migration hangs: it waits for a lock, and everybody else waits behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import Missed
from harness.ports import Witness
from harness.verbs.faults._witnesses import victim_of
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class LockQueue(FaultKind):
    """The hold is the blocker, so the moment is ``inside`` with ``released: never``."""

    def session_ends(self) -> bool:
        return False

    def strike(self, target: Target) -> Sequence[Witness]:
        session, hold = victim_of(target), target.shelf.hold
        pairs = target.engine.sessions.waiting(target.observer(), target.database)
        blockers = sorted({blocker for waiter, blocker in pairs if waiter == session.pid})
        holder = hold.holder(target) if hold else None
        if holder is None or holder.pid not in blockers:
            raise Missed(f"the migration waits for {blockers or 'nobody'}, not for its hold")
        return [
            Witness("injector", f"session {holder.pid} holds the lock and is {holder.state}"),
            Witness("observer", f"the migration (session {session.pid}) waits for {blockers}"),
        ]


KIND = LockQueue

"""Ends the migration's server session, as an administrator or a failover would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports import Witness
from harness.servers import acts
from harness.verbs.faults._witnesses import of_victim, session_is_gone, victim_of
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class KillSession(FaultKind):
    """``pg_terminate_backend`` or ``KILL``, by pid and start, never by query text."""

    def strike(self, target: Target) -> Sequence[Witness]:
        victim = victim_of(target)
        ended = acts.end_sessions(target.engine, target.observer(), [victim])
        gone = session_is_gone(target, victim, self.deadline_s)
        return [ended, gone, of_victim(target, self.deadline_s)]


KIND = KillSession

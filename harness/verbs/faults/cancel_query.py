"""Cancels the migration's running statement; its session lives on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports import Witness
from harness.servers import acts
from harness.verbs.faults._witnesses import of_victim, victim_of
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class CancelQuery(FaultKind):
    """``pg_cancel_backend`` or ``KILL QUERY``; strikes only inside a statement."""

    def strike(self, target: Target) -> Sequence[Witness]:
        sent = acts.cancel_queries(target.engine, target.observer(), [victim_of(target)])
        return [sent, of_victim(target, self.deadline_s)]


KIND = CancelQuery

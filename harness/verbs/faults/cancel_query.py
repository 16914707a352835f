"""Cancels the migration's running statement; its session lives on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports import FaultKind, Target, Witness
from harness.verbs.faults._witnesses import of_victim


@dataclass(frozen=True)
class CancelQuery(FaultKind):
    """``pg_cancel_backend`` or ``KILL QUERY``; strikes only inside a statement."""

    def strike(self, target: Target) -> Sequence[Witness]:
        victim = target.migration.session
        target.engine.sessions.cancel(target.observer(), victim.pid, victim.started)
        sent = Witness("injector", f"cancelled the query of session {victim.pid}")
        return [sent, of_victim(target, self.deadline_s)]


KIND = CancelQuery

"""Kills the whole database server and starts it again on the same data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.ports import Capability, Witness
from harness.record.events import ServerDied, ServerReady, ServerStarted
from harness.verbs.faults._witnesses import of_victim
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class KillServer(FaultKind):
    """SIGKILL: no shutdown checkpoint, so the engine has to recover from its log."""

    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.KILL})

    def strike(self, target: Target) -> Sequence[Witness]:
        deaths = target.host.kill()
        target.timeline.add(ServerDied("; ".join(witness.says for witness in deaths)))
        return [*deaths, of_victim(target, self.deadline_s)]

    def heal(self, target: Target) -> None:
        """As a supervisor would: start it on the same data and wait until it answers."""
        target.host.start_again()
        target.timeline.add(ServerStarted("started again on the same data"))
        target.observer()
        target.timeline.add(ServerReady("answers again"))


KIND = KillServer

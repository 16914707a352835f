"""Kills the migrator's process; what its server session does then is the story."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.ports import Witness
from harness.servers import acts
from harness.verbs.faults._witnesses import of_victim
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class KillMigrator(FaultKind):
    """SIGKILL, or SIGTERM as a plain ``kill $PID`` sends. The server is told nothing."""

    signal: Literal["KILL", "TERM"] = "KILL"

    def strike(self, target: Target) -> Sequence[Witness]:
        target.migration.signal(self.signal)
        sent = acts.signalled(signal.Signals[f"SIG{self.signal}"], target.migration.process_id)
        return [sent, of_victim(target, self.deadline_s)]


KIND = KillMigrator

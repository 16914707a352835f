"""Kills the migrator's process and nothing else, as ``kill $PID`` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class SignalMigrator(StepKind):
    """The client is gone afterwards; its server session may well live on."""

    signal_migrator: Literal["KILL", "TERM"]

    def perform(self, target: Target, deadline_s: float) -> str:
        if not target.migration.alive():
            return "the migrator's process had ended already"
        target.migration.signal(self.signal_migrator)
        outcome = target.migration.outcome(deadline_s)
        return f"the process ended with status {outcome.exit_status}"


KIND = SignalMigrator

"""Waits until the migration that is under way has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import StepFailed
from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class MigrationEnds(StepKind):
    """``migration_ends: well`` wants it to have gone through; ``badly`` to have failed."""

    migration_ends: Literal["well", "badly"]

    def perform(self, target: Target, deadline_s: float) -> str:
        outcome = target.migration.outcome(deadline_s)
        if outcome.finished != (self.migration_ends == "well"):
            raise StepFailed(
                f"it {'went through' if outcome.finished else 'failed'}; {outcome.code} "
                f"{outcome.message}".strip()
            )
        return f"{outcome.done} statements done, exit status {outcome.exit_status}"


KIND = MigrationEnds

"""Runs the migration tool again, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import StepFailed
from harness.ports import MigrationOutcome
from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class Migrate(StepKind):
    """``migrate: up`` runs it again; ``migrate: force`` sets the tool's version to ``to``.

    ``refused`` expects it to fail with that code (``any`` for whichever). ``lock_timeout``
    bounds how long each attempt may queue for a lock; ``attempts`` is how often it is tried.
    """

    migrate: Literal["up", "force"]
    to: int | None = None
    refused: str | None = None
    lock_timeout_ms: float | None = None
    attempts: int = 1

    def perform(self, target: Target, deadline_s: float) -> str:
        force = str(self.to) if self.migrate == "force" else None
        limits = {"lock_ms": int(self.lock_timeout_ms)} if self.lock_timeout_ms else None
        outcome, tries = MigrationOutcome(0, False), 0
        while not outcome.finished and tries < self.attempts:
            outcome = target.start_migration(force=force, limits=limits).outcome(deadline_s)
            tries += 1
        met = f"{outcome.code}: {outcome.message}"
        if self.refused:
            if outcome.finished:
                raise StepFailed(f"it went through; wanted a refusal ({self.refused})")
            if self.refused not in ("any", outcome.code):
                raise StepFailed(f"refused by {met}; wanted {self.refused}")
            return f"refused, as it should be, {tries} time(s): {met}"
        if not outcome.finished:
            raise StepFailed(f"the migration failed {tries} time(s): {met}")
        return f"went through at attempt {tries}, {outcome.done} statements"


KIND = Migrate

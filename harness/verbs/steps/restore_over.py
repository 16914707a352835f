"""Restores the dump over the live tables: the tempting command."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import StepFailed
from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class RestoreOver(StepKind):
    """``pg_restore -c -t``, or reloading the dump with the mysql client; only ever a decoy."""

    restore_over: tuple[str, ...]

    def perform(self, target: Target, deadline_s: float) -> str:
        dump = target.shelf.backup
        if dump is None:
            raise StepFailed("there is no dump: the scenario takes no backup (given: backup:)")
        result = target.engine.backups.restore_over(
            target.host.tools(), target.database, dump, self.restore_over
        )
        complaint = result.stderr.decode("utf-8", "replace").strip()[:400]
        return f"exit code {result.exit_code}" + (f": {complaint}" if complaint else "")


KIND = RestoreOver

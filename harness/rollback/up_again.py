"""Up once more after the way down: it must give what the first up gave."""

from __future__ import annotations

from harness.layouts import Migration
from harness.rollback.events import Came, UpAgain
from harness.rollback.stand import Stand
from harness.state.snapshot import Snapshot
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import TrialDatabase
from harness.sweep.way_back import MIGRATED


def tried(stand: Stand, up: Subject, migrated: Snapshot, trial: TrialDatabase) -> UpAgain:
    """Run it on ``trial``, which the way down has left, with rows that were written meanwhile;
    where that fails, once more without them.
    """
    migration = up.migration
    trial.holds = None
    error = stand.run(migration, trial.database)
    if error:
        alone = _without_rows(stand, migration, migrated, trial)
        says = alone or f"{error}; without rows that were written meanwhile it goes through"
        return UpAgain(migration.version, Came.FAILS, says)
    return _compared(stand, up, migrated, trial)


def _without_rows(
    stand: Stand, migration: Migration, migrated: Snapshot, trial: TrialDatabase
) -> str:
    """Down and up again from the migrated state as it was; what went wrong, or ""."""
    stand.server.prepare(trial, MIGRATED, migrated)
    trial.holds = None
    back = stand.run(migration, trial.database, down=True)
    return back or stand.run(migration, trial.database)


def _compared(stand: Stand, up: Subject, migrated: Snapshot, trial: TrialDatabase) -> UpAgain:
    """The schema whole, but for what differs from run to run by itself; the tool's record, too."""
    version, volatile = up.migration.version, up.reference.volatile
    first, again = (
        one.without(stand.tables).steadied(volatile)
        for one in (migrated, stand.server.snapshot(trial.database))
    )
    differs = stand.lines(first, again)
    unlike = stand.unlike(stand.belief(MIGRATED), stand.belief(trial.database))
    says = f"the tool's own record {unlike}" if unlike else ""
    came = Came.DIFFERS if differs or unlike else Came.SAME
    return UpAgain(version, came, says, differs)

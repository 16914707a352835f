"""Executes the way down of a migration, and compares what it leaves with the state before.

Between up and down the application writes: what becomes of those rows is told apart from what was
there before. A declaration that nothing leads back is taken at its word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration
from harness.state.row_comparison import compare
from harness.state.rows_difference import RowsDifference
from harness.state.snapshot import Snapshot
from harness.sweep import rollback
from harness.sweep.events import WayBackTried
from harness.sweep.reference import Reference, ReferenceFailed, ReferenceRunner
from harness.sweep.rollback import Leads, Rollback
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.written_rows import WrittenRows
from harness.tools.adapter import Adapter
from harness.tools.client import RunRequest

MIGRATED = "migrated"
"""The database in which the migration is through, and nothing else has happened."""
WRITTEN = 5
"""Rows that the application writes to each table between up and down."""


@dataclass(frozen=True)
class Tried:
    """What came of the way down, and what its crashes are told against, where it goes through."""

    told: WayBackTried
    subject: Subject | None = None


class WayBack:
    """Takes migrations back, one after the other."""

    def __init__(
        self,
        server: SweepServer,
        tool: Adapter,
        runner: ReferenceRunner,
        tables: Collection[str],
    ) -> None:
        self._server = server
        self._tool = tool
        self._runner = runner
        self._tables = tuple(tables)
        self._migrated = TrialDatabase(MIGRATED)

    def tried(self, up: Subject) -> Tried:
        """Execute the way down of a migration whose way up is known."""
        migration = up.migration
        reason = self._declared(migration)
        if reason:
            return _only(migration, Rollback(Leads.IRREVERSIBLE, says=reason))
        if not self._has_one(migration):
            return _only(migration, Rollback(Leads.NOWHERE))
        before, trial = self._migrate(up)
        found = self._with_rows_of_the_application(up, trial)
        request = RunRequest(migration, down=True)
        try:
            reference = self._watch(request, before)
        except (ReferenceFailed, DeadlineExceeded, EnvironmentProblem) as error:
            return _only(migration, found if found.leads is Leads.FAILS else _failed(error))
        down = Subject(migration, up.previous, reference, before, MIGRATED, down=True)
        told = WayBackTried(migration.version, found, reference.rows, reference.statements)
        return Tried(told, down)

    def _declared(self, migration: Migration) -> str:
        scripts = (migration.up, migration.down)
        reasons = (rollback.declared(script.text) for script in scripts if script)
        return next((reason for reason in reasons if reason), "")

    def _has_one(self, migration: Migration) -> bool:
        """A tool may know the way back from its own code; where there are scripts, they tell it."""
        if self._tool.how == "emulated" or migration.up is not None:
            return migration.down is not None
        return bool(self._tool.down)

    def _migrate(self, up: Subject) -> tuple[Snapshot, TrialDatabase]:
        """Bring the migrated state to the database that keeps it; a trial that holds it, too."""
        trial, _ = self._server.trials(2)
        self._server.prepare(trial, up.template, up.base)
        trial.holds = None
        self._runner.plainly(RunRequest(up.migration), trial.database)
        trial.holds = migrated = self._server.snapshot(trial.database, up.reference.volatile)
        self._server.prepare(self._migrated, trial.database, migrated)
        return migrated, trial

    # ------------------------------------------------------------------ where it leads

    def _with_rows_of_the_application(self, up: Subject, trial: TrialDatabase) -> Rollback:
        """Down with rows that were written meanwhile; without them, where it fails on those."""
        migrated, engine = self._snapshot(trial), self._server.engine
        added = ()  # TEMP
        trial.holds = None
        written = WrittenRows(engine, self._server.session(trial.database), added)
        error = self._take_back(up.migration, trial)
        if not error:
            return self._compared(up, migrated, trial, written)
        self._server.prepare(trial, MIGRATED, migrated)
        trial.holds = None
        alone = self._take_back(up.migration, trial)
        if alone:
            return Rollback(Leads.FAILS, says=alone)
        nothing = WrittenRows(engine, self._server.session(trial.database), ())
        found = self._compared(up, migrated, trial, nothing)
        rest = f"without rows that were written meanwhile, {found.in_words()}"
        return replace(found, leads=Leads.FAILS, says=f"{error}; {rest}", schema=(), data=())

    def _take_back(self, migration: Migration, trial: TrialDatabase) -> str:
        """Run the way down; what went wrong, "" if nothing did."""
        try:
            self._runner.plainly(RunRequest(migration, down=True), trial.database)
        except (ReferenceFailed, DeadlineExceeded, EnvironmentProblem) as error:
            return str(error)
        return ""

    def _compared(
        self, up: Subject, migrated: Snapshot, trial: TrialDatabase, written: WrittenRows
    ) -> Rollback:
        engine = self._server.engine
        after = self._snapshot(trial)
        rows = self._rows(up, trial, written.keys)
        found = rollback.judge(
            up.base.without(self._tables), migrated, after, rows, engine.snapshot.DUPLICATE
        )
        lost = tuple(written.lost(engine, self._server.session(trial.database)))
        return replace(found, written=written.count, meanwhile=lost)

    def _rows(
        self, up: Subject, trial: TrialDatabase, written: Mapping[str, Sequence[object]]
    ) -> list[RowsDifference]:
        """How each table's rows differ from those before, but for the rows written meanwhile."""
        engine = self._server.engine
        before = self._server.session(up.template)
        after = self._server.session(trial.database)
        found = []
        for name, table in engine.snapshot.tables(before).items():
            if name not in up.base.without(self._tables).contents:
                continue
            volatile = up.reference.volatile.get(name, ())
            columns = [column for column in table.columns if column not in volatile]
            without = partial(tuple, written.get(name, ()))
            rows = compare(engine, before, after, name, columns=columns, without=without)
            if rows:
                found.append(rows)
        return found

    def _snapshot(self, trial: TrialDatabase) -> Snapshot:
        return self._server.snapshot(trial.database).without(self._tables)

    # ------------------------------------------------------------------ how it goes

    def _watch(self, request: RunRequest, migrated: Snapshot) -> Reference:
        """The messages and the states of an unbroken way down."""
        one, other = self._server.trials(2)
        for trial in (one, other):
            self._server.prepare(trial, MIGRATED, migrated)
            trial.holds = None
            self._runner.plainly(request, trial.database)
        volatile = self._runner.volatile(one, other)
        self._server.prepare(one, MIGRATED, migrated)
        return self._runner.watch(request, one, migrated, volatile)


def _only(migration: Migration, found: Rollback) -> Tried:
    return Tried(WayBackTried(migration.version, found))


def _failed(error: Exception) -> Rollback:
    return Rollback(Leads.FAILS, says=str(error))

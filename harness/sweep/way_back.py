"""Executes the way down of a migration, and compares what it leaves with the state before.

Between up and down the application writes: what becomes of those rows is told apart from what was
there before. A declaration that nothing leads back is taken at its word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration
from harness.ports import Session
from harness.ports.contents import Table
from harness.state import volatile
from harness.state.difference import difference
from harness.state.row_comparison import compare
from harness.state.rows_difference import RowsDifference
from harness.state.snapshot import Snapshot, schema_of
from harness.state.volatile import Parts
from harness.sweep import rollback, writing
from harness.sweep.events import WayBackTried
from harness.sweep.own_commits import OwnCommits
from harness.sweep.reference import Reference, ReferenceFailed, ReferenceRunner
from harness.sweep.rollback import Leads, Rollback
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.written_rows import WrittenRows
from harness.tools.adapter import Adapter
from harness.tools.client import RunRequest

MIGRATED = "migrated"
"""The database in which the migration is through, and nothing else has happened."""
Columns = Mapping[str, Collection[str]]
"""By table."""


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
        self._own_commits = OwnCommits(server, tables)
        self._tables = tuple(tables)
        self._migrated = TrialDatabase(MIGRATED)

    def tried(self, up: Subject) -> Tried:
        """Execute the way down of a migration whose way up is known."""
        migration = up.migration
        reason = declared(migration)
        if reason:
            return _only(migration, Rollback(Leads.IRREVERSIBLE, says=reason))
        if not has_one(self._tool, migration):
            return _only(migration, Rollback(Leads.NOWHERE))
        before, trial = self.migrate(up)
        found = self.found(up, trial)
        request = RunRequest(migration, down=True)
        try:
            reference, before = self._watch(request, before)
        except (ReferenceFailed, DeadlineExceeded, EnvironmentProblem) as error:
            return _only(migration, found if found.leads is Leads.FAILS else _failed(error))
        down = Subject(migration, up.previous, reference, before, MIGRATED, down=True)
        told = WayBackTried(migration.version, found, reference.rows, reference.statements)
        return Tried(told, down)

    def migrate(self, up: Subject) -> tuple[Snapshot, TrialDatabase]:
        """Bring the migrated state to the database that keeps it; a trial that holds it, too."""
        trial, _ = self._server.trials(2)
        self._server.prepare(trial, up.template, up.base)
        trial.holds = None
        self._runner.plainly(RunRequest(up.migration), trial.database)
        trial.holds = migrated = self._server.snapshot(trial.database)
        self._server.prepare(self._migrated, trial.database, migrated)
        return migrated, trial

    # ------------------------------------------------------------------ where it leads

    def found(self, up: Subject, trial: TrialDatabase) -> Rollback:
        """Down with rows that were written meanwhile; without them as well, where it fails on
        those, or where writing them changed rows that were there.
        """
        migrated = self._snapshot(trial)
        trial.holds = None
        written = writing.write(self._server, up, trial.database, migrated, self._tables)
        aside = self._changed_by_writing(trial, written)
        error = self._take_back(up.migration, trial)
        found = Rollback() if error else self._compared(up, migrated, trial, written, aside)
        if not error and not aside:
            return found
        alone = self._without_them(up, migrated, trial)
        if not error:
            harm = list(Leads)
            worse = max(found, alone, key=lambda rollback: harm.index(rollback.leads))
            return replace(
                worse, written=found.written, meanwhile=found.meanwhile, undone=found.undone
            )
        if alone.leads is Leads.FAILS:
            return alone
        rest = f"without rows that were written meanwhile, {alone.in_words()}"
        return replace(alone, leads=Leads.FAILS, says=f"{error}; {rest}", schema=(), data=())

    def _without_them(self, up: Subject, migrated: Snapshot, trial: TrialDatabase) -> Rollback:
        """Down from the migrated state as it was, every column compared."""
        self._server.prepare(trial, MIGRATED, migrated)
        trial.holds = None
        error = self._take_back(up.migration, trial)
        if error:
            return Rollback(Leads.FAILS, says=error)
        nothing = WrittenRows(self._server.engine, self._server.session(trial.database))
        return self._compared(up, migrated, trial, nothing, {})

    def _take_back(self, migration: Migration, trial: TrialDatabase) -> str:
        """Run the way down; what went wrong, "" if nothing did."""
        try:
            self._runner.plainly(RunRequest(migration, down=True), trial.database)
        except (ReferenceFailed, DeadlineExceeded, EnvironmentProblem) as error:
            return str(error)
        return ""

    def _compared(
        self,
        up: Subject,
        migrated: Snapshot,
        trial: TrialDatabase,
        written: WrittenRows,
        aside: Columns,
    ) -> Rollback:
        engine = self._server.engine
        before, after = self._before(up), self._snapshot(trial)
        if difference(before, after).changed:
            parts = self._differs_by_run(up, migrated)
            before, migrated, after = (s.steadied(parts) for s in (before, migrated, after))
        rows = self._rows(up, trial, written, aside)
        lost = written.lost(*map(self._server.session, (trial.database, up.template)))
        found = rollback.judge(
            before, migrated, after, rows, engine.snapshot.DUPLICATE, lost.undone
        )
        return replace(found, written=written.count, meanwhile=tuple(lost.meanwhile))

    def _before(self, up: Subject) -> Snapshot:
        """The schema before the migration, every word of it: what only the way up makes different
        from run to run has to be as it was."""
        whole = up.base
        if up.reference.volatile:
            whole = schema_of(self._server.engine, self._server.session(up.template))
        return whole.without(self._tables)

    def _differs_by_run(self, up: Subject, migrated: Snapshot) -> Parts:
        """The parts of definitions in which two unbroken ways down from one state differ, at
        different times."""
        found, (_, other) = [], self._server.trials(2)
        for _ in range(2):
            self._server.prepare(other, MIGRATED, migrated)
            other.holds = None
            if self._take_back(up.migration, other):
                return {}
            found.append(self._snapshot(other))
            self._server.wait_tick()
        return volatile.of_runs(*(snapshot.objects for snapshot in found))

    def _rows(
        self, up: Subject, trial: TrialDatabase, written: WrittenRows, aside: Columns
    ) -> list[RowsDifference]:
        """How each table's rows differ from those before, but for the rows written meanwhile."""
        before = self._server.session(up.template)
        kept = up.base.without(self._tables).contents
        found = []
        for name, table in self._server.engine.snapshot.tables(before).items():
            left_out = {*up.reference.volatile.get(name, ()), *aside.get(name, ())}
            columns = [column for column in table.columns if column not in left_out]
            if name in kept and columns:
                found.append(self._of_table(before, trial, table, written, columns))
        return [rows for rows in found if rows]

    def _of_table(
        self,
        before: Session,
        trial: TrialDatabase,
        table: Table,
        written: WrittenRows,
        columns: Sequence[str] = (),
    ) -> RowsDifference:
        rows = compare(
            self._server.engine,
            before,
            self._server.session(trial.database),
            table.name,
            columns=columns,
            without=partial(written.keys, table),
        )
        return replace(rows, new=max(0, rows.new - written.uncounted(table)))

    def _changed_by_writing(self, trial: TrialDatabase, written: WrittenRows) -> Columns:
        """Columns in which the writes themselves changed rows that were there: triggers do."""
        migrated, found = self._server.session(MIGRATED), {}
        for name, table in self._server.engine.snapshot.tables(migrated).items():
            rows = self._of_table(migrated, trial, table, written)
            if rows:
                told = rows.changed and not rows.gone
                found[name] = tuple(rows.columns if told else table.columns)
        return found

    def _snapshot(self, trial: TrialDatabase) -> Snapshot:
        return self._server.snapshot(trial.database).without(self._tables)

    # ------------------------------------------------------------------ how it goes

    def _watch(self, request: RunRequest, migrated: Snapshot) -> tuple[Reference, Snapshot]:
        """The messages and the states of an unbroken way down, and what it begins with."""
        one, other = self._server.trials(2)
        reference, before = self._runner.watch_twice(request, (one, other), MIGRATED, migrated)
        return self._own_commits.found(reference, other, MIGRATED, before), before


def has_one(tool: Adapter, migration: Migration) -> bool:
    """Whether there is a way down. A tool may know it from its own code; where there are scripts,
    they tell it.
    """
    if tool.how == "emulated" or migration.up is not None:
        return migration.down is not None
    return bool(tool.down)


def declared(migration: Migration) -> str:
    """The reason for which the migration says that nothing leads back; empty if it does not."""
    scripts = [script.text for script in (migration.up, migration.down) if script]
    reasons = map(rollback.declared, scripts or _code(migration))
    return next((reason for reason in reasons if reason), "")


def _code(migration: Migration) -> Iterator[str]:
    """The files of a migration that is no script."""
    for file in migration.files:
        with suppress(OSError):
            yield Path(file).read_text("utf-8", errors="replace")


def _only(migration: Migration, found: Rollback) -> Tried:
    return Tried(WayBackTried(migration.version, found))


def _failed(error: Exception) -> Rollback:
    return Rollback(Leads.FAILS, says=str(error))

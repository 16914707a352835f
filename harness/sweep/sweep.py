"""Sweeps a folder of migrations: each crash point of each, one after the other.

The state before migration n is kept, never replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace

from harness import row_generation
from harness.layouts import Migration
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep import verdicts
from harness.sweep.journal import Journal, Known
from harness.sweep.points import Point, Way, points
from harness.sweep.recovery_trials import RecoveryTrials
from harness.sweep.reference import Reference, ReferenceFailed, ReferenceRunner
from harness.sweep.seeding import Dump, Seed
from harness.sweep.striker import Striker, Subject
from harness.sweep.sweep_server import SweepServer
from harness.tools.adapter import Adapter, for_dialect
from harness.tools.client import Client

BARE, BASE = "bare", "base"


@dataclass(frozen=True)
class SweepScope:
    """What of a folder is swept, and on what rows."""

    rows: int = 200
    jobs: int = 2
    """Runs at once, each on a database of its own."""
    ways: frozenset[Way] = frozenset(Way)
    only: Collection[str] = ()
    """Versions; empty for all."""
    seed: Seed | None = None
    """Brings rows of the user's own; tables that it leaves empty get generated ones."""
    dump: Dump | None = None
    """What the first state is restored from."""


class Sweep:
    """One folder, one tool, one server."""

    def __init__(
        self,
        server: SweepServer,
        tool: Adapter,
        client: Client,
        migrations: Sequence[Migration],
        journal: Journal,
        wishes: SweepScope,
        known: Known,
        news: Callable[..., None],
    ) -> None:
        self._server = server
        self._tool = tool
        self._client = client
        self._migrations = tuple(migrations)
        self._journal = journal
        self._wishes = wishes
        self._known = known
        self._news = news
        engine = server.engine
        self._tables: tuple[str, ...] = for_dialect(tool.tables, engine.name, engine.dialect)
        self._reference_runner = ReferenceRunner(server, client, self._tables)
        self._recovery_trials = RecoveryTrials(server, tool, client, self._tables)
        self._striker = Striker(
            server, client, self._recovery_trials, self._tables, journal, known, news, wishes.jobs
        )
        self._base_stands = False

    def run(self) -> None:
        """Sweep every wanted migration; stops at the first that fails with nothing in its way."""
        try:
            self._cross()
        finally:
            self._striker.close()
            if self._wishes.seed and self._wishes.seed.refused:
                self._journal.add("seeding", refused=self._wishes.seed.refused)

    def _cross(self) -> None:
        self._server.create(BARE)
        applied = self._restore()
        for migration in self._migrations:
            if migration.version in applied:
                continue
            try:
                if self._wanted(migration):
                    self._one(migration)
                self._reference_runner.plainly(migration, BARE)
            except ReferenceFailed as failed:
                self._journal.add("broken", migration=migration.version, says=str(failed))
                self._news("broken", migration=migration, says=str(failed))
                return
            self._move_base(migration)

    def _restore(self) -> tuple[str, ...]:
        """Begin with the user's dump, if there is one; the versions it has applied."""
        if self._wishes.dump is None:
            return ()
        self._wishes.dump.load(self._server, BARE)
        applied = self._recovery_trials.believes(BARE).applied
        if self._tool.applied_up_to and applied:
            versions = [migration.version for migration in self._migrations]
            return tuple(versions[: versions.index(applied[-1]) + 1])
        return applied

    def _move_base(self, migration: Migration) -> None:
        """Take the rows along, so that nothing has to be copied for the next migration."""
        if self._base_stands:
            try:
                self._reference_runner.plainly(migration, BASE)
            except ReferenceFailed:
                self._base_stands = False

    def _wanted(self, migration: Migration) -> bool:
        asked = not self._wishes.only or migration.version in self._wishes.only
        return asked and migration.version not in self._known.finished

    # ------------------------------------------------------------------ one migration

    def _one(self, migration: Migration) -> None:
        reference, base = self._refer(migration)
        todo = [p for p in self._points(reference) if not self._is_known(migration, p)]
        self._news("begins", migration=migration, cells=len(todo))
        self._striker.strike(
            Subject(migration, self._before(migration), reference, base, BASE), todo
        )
        self._journal.add("finished", migration=migration.version)

    def _before(self, migration: Migration) -> str:
        """The version before it, as the tool names it."""
        versions = [m.version for m in self._migrations]
        at = versions.index(migration.version)
        return versions[at - 1] if at else self._tool.none

    def _points(self, reference: Reference) -> list[Point]:
        return points(reference.rows, self._wishes.ways, inert=len(reference.states) == 1)

    def _is_known(self, migration: Migration, point: Point) -> bool:
        return (migration.version, point.id) in self._known.cells

    def _refer(self, migration: Migration) -> tuple[Reference, Snapshot]:
        """The unbroken run, on rows; on empty tables where it fails because of the rows."""
        filled = self._set_base()
        why = ""
        try:
            reference, base = self._watch(migration)
        except ReferenceFailed as failed:
            why = str(failed)
            self._base_stands = False
            self._server.drop(BASE)
            self._server.clone(BARE, BASE)
            self._server.forget_trials()
            reference, base = self._watch(migration)
        self._journal.add(
            "reference",
            migration=migration.version,
            name=migration.name,
            files=list(migration.files),
            rows=[asdict(row) for row in reference.rows],
            states=[
                {
                    "done": state.done,
                    "key": state.snapshot.key(),
                    "rows": state.snapshot.rows(),
                    "differs": difference(reference.before, state.snapshot).lines(
                        reference.before, state.snapshot
                    ),
                }
                for state in reference.states
            ],
            statements=reference.statements,
            volatile={table: list(columns) for table, columns in reference.volatile.items()},
            filled=[asdict(table) for table in filled],
            fails_with_rows=why,
            removes=verdicts.rows_removed(reference),
            down=migration.down is not None,
        )
        return reference, base

    def _watch(self, migration: Migration) -> tuple[Reference, Snapshot]:
        one, other = self._server.trials(2)
        base = self._server.snapshot(BASE)
        for trial in (one, other):
            self._server.prepare(trial, BASE, base)
            trial.holds = None
            self._reference_runner.plainly(migration, trial.database)
            if trial is one and base.contents != self._server.snapshot(one.database).contents:
                self._server.wait_tick()
        volatile = self._reference_runner.volatile(one, other)
        one.holds = self._server.snapshot(one.database, volatile)
        other.holds = self._server.snapshot(other.database, volatile)
        base = self._server.snapshot(BASE, volatile)
        self._server.prepare(one, BASE, base)
        reference = self._reference_runner.watch(migration, one, base, volatile)
        belief = self._recovery_trials.believes(one.database)
        if not self._recovery_trials.settled(migration, one.database):
            raise ReferenceFailed(
                f"{self._tool.title} ended well, and its table does not tell it: it "
                f"{'is at work or dirty' if belief.stuck else 'has no ' + migration.version}, and "
                f"has {', '.join(belief.applied[-3:]) or 'nothing'} applied; see 'applied' of the "
                "adapter"
            )
        return replace(reference, applied=belief.applied), base

    def _set_base(self) -> tuple[row_generation.Filled, ...]:
        """The state before the migration, with rows in every table that had none."""
        if not self._base_stands:
            self._server.drop(BASE)
            self._server.clone(BARE, BASE)
            if self._wishes.seed:
                self._wishes.seed.begin()
        self._base_stands = True
        session = self._server.session(BASE)
        if self._wishes.seed:
            self._wishes.seed.plant(session)
        return row_generation.fill(
            self._server.engine, session, self._wishes.rows, without=self._tables
        )

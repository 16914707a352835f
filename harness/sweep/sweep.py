"""Sweeps a folder of migrations: each crash point of each, one after the other.

The state before migration n is kept, never replayed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness import row_generation
from harness.dumps.dump import Dump
from harness.layouts import Migration
from harness.record.timeline import Timeline
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep import all_pending, verdicts
from harness.sweep.all_pending import AllPending
from harness.sweep.budget import Budget, BudgetUsed
from harness.sweep.cures import Cures
from harness.sweep.events import Broken, LeftOut, Referred, SeedRefused, StateSeen, SweptToEnd
from harness.sweep.matrix import Matrix
from harness.sweep.own_commits import OwnCommits
from harness.sweep.points import OF_THE_WAY_BACK, Way
from harness.sweep.pruning import Pruner, Rule
from harness.sweep.recoveries import Recoveries
from harness.sweep.reference import Reference, ReferenceFailed, ReferenceRunner
from harness.sweep.resumption import Known
from harness.sweep.rivals import Rivals
from harness.sweep.rows_met import Failed, RowsMet
from harness.sweep.seeding import Seed
from harness.sweep.striker import Striker
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer
from harness.sweep.way_back import WayBack
from harness.tools.adapter import Adapter, for_dialect
from harness.tools.by_hand import ByHand
from harness.tools.client import Client, RunRequest

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
    exhaustive: bool = False
    """Strike every crash point, also those that leave what another one leaves."""
    draw: str = ""
    """Draws which of those are struck all the same."""
    budget: Budget | None = None
    """How long it may take."""


class Sweep:
    """One folder, one tool, one server."""

    def __init__(
        self,
        server: SweepServer,
        tool: Adapter,
        client: Client,
        by_hand: ByHand,
        migrations: Sequence[Migration],
        record: Timeline,
        scope: SweepScope,
        known: Known,
    ) -> None:
        self._server = server
        self._tool = tool
        self._migrations = tuple(migrations)
        self._record = record
        self._scope = scope
        self._known = known
        engine = server.engine
        self._tables: tuple[str, ...] = for_dialect(tool.tables, engine.name, engine.dialect)
        server.bookkeeping = self._tables
        self._runner = ReferenceRunner(server, client, self._tables)
        self._recoveries = Recoveries(server, tool, client, by_hand)
        revoked = set(map(Rule, known.revoked))
        self._striker = Striker(
            server,
            client,
            self._recoveries,
            self._tables,
            record,
            known,
            scope.jobs,
            Cures(scope.exhaustive, scope.draw, revoked),
        )
        if scope.budget:
            self._striker.check = scope.budget.check
        pruner = Pruner(
            scope.exhaustive,
            "transactional-ddl" in engine.traits,
            scope.draw,
            revoked,
        )
        self._equip(client, pruner)
        self._base_stands = False

    def _equip(self, client: Client, pruner: Pruner) -> None:
        """What looks at one migration after the other."""
        self._matrix = Matrix(self._striker, pruner, self._record, self._known)
        self._own_commits = OwnCommits(self._server, self._tables)
        self._rivals = Rivals(
            self._server, client, self._striker, pruner, self._record, self._known,
            self._tables, self._tool.rerun_timeout_s, self._scope.jobs,
        )  # fmt: skip
        self._rows_met = RowsMet(self._server, self._runner, self._tables)
        self._way_back = WayBack(self._server, self._tool, self._runner, self._tables)
        self._all_pending = AllPending(
            self._server, self._tool, client, self._runner, self._recoveries,
            self._tables, self._scope.rows, self._scope.seed,
        )  # fmt: skip

    def run(self) -> None:
        """Sweep every wanted migration; stops at the first that fails with nothing in its way."""
        try:
            self._sweep()
        finally:
            self._striker.close()
            self._rivals.close()
            if self._scope.seed and self._scope.seed.refused:
                self._record.add(SeedRefused(refused=self._scope.seed.refused))

    def _sweep(self) -> None:
        self._server.create(BARE)
        applied = self._restore()
        in_one_run = self._in_one_run(applied)
        for migration in self._migrations:
            if migration.version in applied:
                continue
            try:
                if migration in in_one_run:
                    self._all_pending.before(migration, BARE)
                if self._wanted(migration):
                    self._as_time_allows(migration)
                self._runner.plainly(RunRequest(migration), BARE)
            except ReferenceFailed as failed:
                says = f"{failed}{self._where_it_began(migration)}"
                self._record.add(Broken(migration.version, migration.name, says))
                return
            self._move_base(migration)
            self._all_pending.after(migration)
            if in_one_run and migration == in_one_run[-1]:
                self._run_all()

    def _in_one_run(self, applied: Collection[str]) -> list[Migration]:
        """The migrations that a deployment would apply in one run; none if that was looked at."""
        if self._known.ran_all:
            return []
        return all_pending.span(self._migrations, self._scope.only, applied)

    def _run_all(self) -> None:
        told = self._all_pending.run(BARE)
        if told:
            self._record.add(told)

    def _where_it_began(self, migration: Migration) -> str:
        """The next move, if it is the first and what it works on may come from elsewhere."""
        if self._scope.dump or migration != self._migrations[0]:
            return ""
        return "; a folder that begins from a schema of before is swept from a dump: --seed-dump"

    def _restore(self) -> tuple[str, ...]:
        """Begin with the user's dump, if there is one; the versions it has applied."""
        if self._scope.dump is None:
            return ()
        self._scope.dump.load(self._server, BARE)
        applied = self._recoveries.believes(BARE).applied
        if self._tool.applied_up_to and applied:
            versions = [migration.version for migration in self._migrations]
            return tuple(versions[: versions.index(applied[-1]) + 1])
        return applied

    def _move_base(self, migration: Migration) -> None:
        """Take the rows along, so that nothing has to be copied for the next migration."""
        if self._base_stands:
            try:
                self._runner.plainly(RunRequest(migration), BASE)
            except ReferenceFailed:
                self._base_stands = False

    def _wanted(self, migration: Migration) -> bool:
        asked = not self._scope.only or migration.version in self._scope.only
        return asked and migration.version not in self._known.finished

    # ------------------------------------------------------------------ one migration

    def _as_time_allows(self, migration: Migration) -> None:
        """Sweep it, or write down that there was no time."""
        budget, version = self._scope.budget, migration.version
        if budget is None:
            self._one(migration)
            return
        if budget.keeps(version):
            with suppress(BudgetUsed), budget.spent_on(version):
                self._one(migration)
                return
        self._record.add(LeftOut(version, migration.name))

    def _one(self, migration: Migration) -> None:
        reference, base = self._refer(migration)
        up = Subject(migration, self._before(migration), reference, base, BASE)
        cells = self._matrix.fill(up, self._scope.ways)
        self._rivals.fill(up, self._scope.ways, cells)
        back = self._way_back.tried(up)
        self._record.add(back.told)
        if back.subject:
            self._matrix.fill(back.subject, self._scope.ways & OF_THE_WAY_BACK)
        self._record.add(SweptToEnd(migration.version))

    def _before(self, migration: Migration) -> str:
        """The version before it, as the tool names it."""
        versions = [m.version for m in self._migrations]
        at = versions.index(migration.version)
        return versions[at - 1] if at else self._tool.none

    def _refer(self, migration: Migration) -> tuple[Reference, Snapshot]:
        """The unbroken run, on rows; without those on which it fails."""
        filled = self._set_base()
        failed, passing = Failed(), 0
        try:
            reference, base = self._watch(migration)
        except ReferenceFailed as error:
            failed = self._rows_met.failing(migration, BASE, str(error))
            reference, base, passing = self._watch_without(migration, failed)
        unfilled = () if failed.why else self._rows_met.unfilled(filled, reference)
        idle: tuple[str, ...] = ()
        if not failed.why:
            after = self._server.trials(1)[0].database
            reference, idle = self._rows_met.idle(reference, BASE, after)
        self._record.add(
            Referred(
                migration.version,
                name=migration.name,
                files=migration.files,
                rows=reference.rows,
                states=_seen(reference),
                statements=reference.statements,
                volatile=reference.volatile,
                filled=filled,
                fails_with_rows=failed.why,
                failing_rows=failed.says,
                passing_rows=passing,
                without_rows=unfilled,
                idle=idle,
                behind=self._rows_met.behind(reference),
                removes=verdicts.rows_removed(reference),
                down=migration.down is not None,
            )
        )
        return reference, base

    def _watch_without(
        self, migration: Migration, failed: Failed
    ) -> tuple[Reference, Snapshot, int]:
        """On the rows with which it goes through, and how many they are; else on empty tables."""
        self._base_stands = False
        if passing := self._rows_met.keep_passing(failed, BASE):
            self._server.forget_trials()
            try:
                return *self._watch(migration), passing
            except ReferenceFailed:
                pass
        self._server.drop(BASE)
        self._server.clone(BARE, BASE)
        self._server.forget_trials()
        return *self._watch(migration), 0

    def _watch(self, migration: Migration) -> tuple[Reference, Snapshot]:
        one, other = self._server.trials(2)
        base = self._server.snapshot(BASE)
        reference, base = self._runner.watch_twice(RunRequest(migration), (one, other), BASE, base)
        reference = self._own_commits.found(reference, other, BASE, base)
        belief = self._recoveries.believes(one.database)
        if not self._recoveries.settled(migration, one.database):
            raise ReferenceFailed(
                f"{self._tool.title} ended well, and its table does not tell it: it "
                f"{'is at work or dirty' if belief.stuck else 'has no ' + migration.version}, and "
                f"has {', '.join(belief.applied[-3:]) or 'nothing'} applied; see 'applied' of the "
                "adapter"
            )
        return reference, base

    def _set_base(self) -> tuple[row_generation.Filled, ...]:
        """The state before the migration, with rows in every table that had none."""
        if not self._base_stands:
            self._server.drop(BASE)
            self._server.clone(BARE, BASE)
            if self._scope.seed:
                self._scope.seed.begin()
        self._base_stands = True
        session = self._server.session(BASE)
        if self._scope.seed:
            self._scope.seed.plant(session)
        engine = self._server.engine
        filled = row_generation.fill(engine, session, self._scope.rows, without=self._tables)
        engine.databases.forget_reserved_keys(session, {t.table for t in filled if t.rows})
        return filled


def _seen(reference: Reference) -> tuple[StateSeen, ...]:
    """Its states as they are told: each by what it differs in, from the first and from the last."""

    def lines(one: Snapshot, other: Snapshot) -> tuple[str, ...]:
        return tuple(difference(one, other).lines(one, other))

    found, last = [], reference.before
    for state in reference.states:
        now = state.snapshot
        differs, since = lines(reference.before, now), lines(last, now)
        found.append(StateSeen(state.done, now.key(), now.rows(), differs, since, state.empty))
        last = now
    return tuple(found)

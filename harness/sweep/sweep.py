"""Sweeps a folder of migrations: each crash point of each, one after the other.

The state before migration n is kept, never replayed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from harness.dumps.dump import Dump
from harness.layouts import Migration
from harness.record.timeline import Timeline
from harness.sweep import all_pending
from harness.sweep.all_pending import AllPending
from harness.sweep.before_each import BeforeEach
from harness.sweep.beginning import BARE, Beginning, Start
from harness.sweep.budget import Budget, BudgetUsed
from harness.sweep.cures import Cures
from harness.sweep.events import Broken, LeftOut, SeedRefused, SweptToEnd
from harness.sweep.matrix import Matrix
from harness.sweep.points import OF_THE_WAY_BACK, Way
from harness.sweep.pruning import Pruner, Rule
from harness.sweep.recoveries import Recoveries
from harness.sweep.reference import ReferenceFailed, ReferenceRunner
from harness.sweep.resumption import Known
from harness.sweep.rivals import Rivals
from harness.sweep.seeding import Seed
from harness.sweep.striker import Striker
from harness.sweep.sweep_server import SweepServer
from harness.sweep.way_back import WayBack
from harness.tools.adapter import Adapter, for_dialect
from harness.tools.by_hand import ByHand
from harness.tools.client import Client


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
    start: Start = field(default_factory=Start)
    """What the server begins with."""


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
        self._beginning = Beginning(server, tool, migrations, record, scope.dump, scope.start)

    def _equip(self, client: Client, pruner: Pruner) -> None:
        """What looks at one migration after the other."""
        self._matrix = Matrix(self._striker, pruner, self._record, self._known)
        self._before_each = BeforeEach(
            self._server, self._tool, self._runner, self._migrations,
            self._scope.rows, self._scope.seed,
        )  # fmt: skip
        self._rivals = Rivals(
            self._server, client, self._striker, pruner, self._record, self._known,
            self._tables, self._tool.rerun_timeout_s, self._scope.jobs,
        )  # fmt: skip
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
        applied, done = self._beginning.state()
        in_one_run = self._in_one_run(applied)
        for migration in self._migrations:
            if migration.version in applied or migration.version in done:
                continue
            self._beginning.reached(migration, applied)
            try:
                if migration in in_one_run:
                    self._all_pending.before(migration, BARE)
                if self._wanted(migration):
                    self._as_time_allows(migration)
                self._before_each.move(migration)
            except ReferenceFailed as failed:
                says = f"{failed}{self._beginning.where(migration)}"
                self._record.add(Broken(migration.version, migration.name, says))
                return
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
        referred, up = self._before_each.refer(migration)
        self._record.add(referred)
        cells = self._matrix.fill(up, self._scope.ways)
        self._rivals.fill(up, self._scope.ways, cells)
        back = self._way_back.tried(up)
        self._record.add(back.told)
        if back.subject:
            self._matrix.fill(back.subject, self._scope.ways & OF_THE_WAY_BACK)
        self._record.add(SweptToEnd(migration.version))

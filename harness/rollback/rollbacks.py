"""Tries every way down of a folder: directly after its up, up again, and in order from the head."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from harness.dumps.dump import Dump
from harness.layouts import Migration
from harness.record.timeline import Timeline
from harness.rollback import up_again
from harness.rollback.events import BookRead
from harness.rollback.in_order import InOrder, Level
from harness.rollback.stand import Stand
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep import all_pending
from harness.sweep.before_each import BASE, BeforeEach
from harness.sweep.beginning import BARE, Beginning
from harness.sweep.events import Broken, SeedRefused, SweptToEnd, WayBackTried
from harness.sweep.reference import ReferenceFailed, ReferenceRunner
from harness.sweep.rollback import Leads, Rollback
from harness.sweep.seeding import Seed
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.way_back import WayBack, declared, has_one
from harness.tools.adapter import Adapter, for_dialect
from harness.tools.client import Client

ENDS_HERE = (Leads.NOWHERE, Leads.IRREVERSIBLE, Leads.FAILS)
"""Nobody comes down past such a migration."""


@dataclass(frozen=True)
class RollbackScope:
    """What of a folder is looked at, and on what rows."""

    rows: int = 200
    only: Collection[str] = ()
    """Versions; empty for all."""
    seed: Seed | None = None
    dump: Dump | None = None


class Rollbacks:
    """One folder, one tool, one server."""

    def __init__(
        self,
        server: SweepServer,
        tool: Adapter,
        client: Client,
        migrations: Sequence[Migration],
        record: Timeline,
        scope: RollbackScope,
    ) -> None:
        self._migrations = tuple(migrations)
        self._record = record
        self._scope = scope
        tables: tuple[str, ...] = for_dialect(
            tool.tables, server.engine.name, server.engine.dialect
        )
        server.bookkeeping = tables
        runner = ReferenceRunner(server, client, tables)
        self._stand = Stand(server, tool, runner, tables)
        self._beginning = Beginning(server, tool, migrations, record, scope.dump)
        self._before_each = BeforeEach(server, tool, runner, migrations, scope.rows, scope.seed)
        self._way_back = WayBack(server, tool, runner, tables)
        self._in_order = InOrder(self._stand, scope.rows)

    def run(self) -> None:
        """Look at every wanted migration; stops at the first that fails with nothing in its way."""
        try:
            self._climb()
        finally:
            if self._scope.seed and self._scope.seed.refused:
                self._record.add(SeedRefused(refused=self._scope.seed.refused))

    def _climb(self) -> None:
        """Up to the last that is wanted, then down again."""
        applied, _ = self._beginning.state()
        span = all_pending.span(self._migrations, self._scope.only, applied)
        for migration in self._migrations:
            if migration.version in applied or not span:
                continue
            try:
                if migration in span:
                    self._pass(migration)
                self._before_each.move(migration)
            except ReferenceFailed as failed:
                says = f"{failed}{self._beginning.where(migration)}"
                self._record.add(Broken(migration.version, migration.name, says))
                break
            if migration == span[-1]:
                break
        self._descend(BASE if self._before_each.stands else BARE)

    def _descend(self, head: str) -> None:
        line = self._before_each.lines if head == BASE else -1
        for told in self._in_order.descend(head, line):
            self._record.add(told)

    # ------------------------------------------------------------------ one migration

    def _pass(self, migration: Migration) -> None:
        """Look at it, if it is wanted; and keep the state before it for the way down."""
        wanted = not self._scope.only or migration.version in self._scope.only
        found: Rollback | None = None
        volatile = {}
        if wanted:
            referred, up = self._before_each.refer(migration)
            self._record.add(referred)
            found, volatile = self._looked_at(up), dict(referred.volatile)
            self._record.add(SweptToEnd(migration.version))
        else:
            self._before_each.ready()
        if self._ends_here(migration, found):
            self._descend(BASE)
            return
        level = Level(
            migration,
            self._stand.snapshot(BASE),
            self._stand.belief(BASE),
            self._before_each.lines,
            found,
            volatile,
        )
        self._in_order.passed(level, BASE)

    def _ends_here(self, migration: Migration, found: Rollback | None) -> bool:
        if found is not None:
            return found.leads in ENDS_HERE
        return bool(declared(migration)) or not has_one(self._stand.tool, migration)

    def _looked_at(self, up: Subject) -> Rollback:
        """Down directly after its up, then up again; where that leads."""
        migration = up.migration
        reason = declared(migration)
        if not has_one(self._stand.tool, migration):
            leads = Leads.IRREVERSIBLE if reason else Leads.NOWHERE
            return self._tell(migration, Rollback(leads, says=reason))
        migrated, trial = self._way_back.migrate(up)
        found = self._way_back.found(up, trial)
        if reason:
            found = self._against(reason, found, migrated, trial)
        self._tell(migration, found)
        if found.leads not in ENDS_HERE:
            self._record.add(self._book(migration, trial))
            self._record.add(up_again.tried(self._stand, up, migrated, trial))
        return found

    def _tell(self, migration: Migration, found: Rollback) -> Rollback:
        self._record.add(WayBackTried(migration.version, found))
        return found

    def _against(
        self, reason: str, found: Rollback, migrated: Snapshot, trial: TrialDatabase
    ) -> Rollback:
        """It says that nothing leads back: then a way down has to be refused, and leave nothing."""
        if found.leads is not Leads.FAILS:
            return replace(found, leads=Leads.PRETENDS, says=reason)
        wanted, left = migrated.without(self._stand.tables), self._stand.snapshot(trial.database)
        lines = difference(wanted, left).lines(wanted, left)
        if not lines:
            return Rollback(Leads.IRREVERSIBLE, says=reason)
        return replace(
            found, says=f"{found.says}; and what it did before that stays", schema=tuple(lines)
        )

    def _book(self, migration: Migration, trial: TrialDatabase) -> BookRead:
        stand = self._stand
        unlike = stand.unlike(stand.belief(BASE), stand.belief(trial.database))
        return BookRead(migration.version, stand.keeps_a_record, unlike)

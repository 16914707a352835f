"""The state before each migration: made by those before it, filled with rows, and moved on.

``bare`` has every migration so far and no rows but theirs; ``base`` has rows as well, and is what a
migration is looked at from. Neither is ever replayed.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness import row_generation
from harness.layouts import Migration
from harness.row_generation import Filled
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep import verdicts
from harness.sweep.events import Referred, StateSeen
from harness.sweep.own_commits import OwnCommits
from harness.sweep.reference import Reference, ReferenceFailed, ReferenceRunner
from harness.sweep.rows_met import Failed, RowsMet
from harness.sweep.seeding import Seed
from harness.sweep.state_before import BARE
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer
from harness.tools.adapter import Adapter
from harness.tools.belief import keeps_a_record
from harness.tools.client import RunRequest

BASE = "base"


class BeforeEach:
    """The two databases of a folder, on one server."""

    def __init__(
        self,
        server: SweepServer,
        tool: Adapter,
        runner: ReferenceRunner,
        migrations: Sequence[Migration],
        rows: int,
        seed: Seed | None = None,
    ) -> None:
        self._server = server
        self._tool = tool
        self._runner = runner
        self._migrations = tuple(migrations)
        self._rows = rows
        self._seed = seed
        self._rows_met = RowsMet(server, runner, server.bookkeeping)
        self._own_commits = OwnCommits(server, server.bookkeeping)
        self._base_stands = False
        self.lines = 0
        """How often ``base`` was made anew: rows of one line go with its migrations."""

    def move(self, migration: Migration) -> None:
        """Run the migration on ``bare``, and on the rows, so that nothing has to be copied for the
        next one. ReferenceFailed if it fails on ``bare``.
        """
        self._runner.plainly(RunRequest(migration), BARE)
        if self._base_stands:
            try:
                self._runner.plainly(RunRequest(migration), BASE)
            except ReferenceFailed:
                self._base_stands = False

    @property
    def stands(self) -> bool:
        """Whether ``base`` is the state after the last migration that was moved over."""
        return self._base_stands

    # ------------------------------------------------------------------ the unbroken run

    def refer(self, migration: Migration) -> tuple[Referred, Subject]:
        """The unbroken run, on rows; without those on which it fails. ReferenceFailed if it fails
        on empty tables as well.
        """
        filled = self.ready()
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
        told = Referred(
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
        return told, Subject(migration, self._before(migration), reference, base, BASE)

    def _before(self, migration: Migration) -> str:
        """The version before it, as the tool names it."""
        versions = [m.version for m in self._migrations]
        at = versions.index(migration.version)
        return versions[at - 1] if at else self._tool.none

    def _watch_without(
        self, migration: Migration, failed: Failed
    ) -> tuple[Reference, Snapshot, int]:
        """On the rows with which it goes through, and how many they are; else on empty tables."""
        self._base_stands = False
        self.lines += 1
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
        belief = self._server.believes(self._tool, one.database)
        keeps = keeps_a_record(self._tool, self._server.engine)
        if belief.stuck or (keeps and migration.version not in belief.applied):
            raise ReferenceFailed(
                f"{self._tool.title} ended well, and its table does not tell it: it "
                f"{'is at work or dirty' if belief.stuck else 'has no ' + migration.version}, and "
                f"has {', '.join(belief.applied[-3:]) or 'nothing'} applied; see 'applied' of the "
                "adapter"
            )
        return reference, base

    def ready(self) -> tuple[Filled, ...]:
        """Make ``base`` the state before the next migration, with rows in every table that had
        none; what was filled.
        """
        if not self._base_stands:
            self._server.drop(BASE)
            self._server.clone(BARE, BASE)
            self.lines += 1
            if self._seed:
                self._seed.begin()
        self._base_stands = True
        session = self._server.session(BASE)
        if self._seed:
            self._seed.plant(session)
        engine, without = self._server.engine, self._server.bookkeeping
        filled = row_generation.fill(engine, session, self._rows, without=without)
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

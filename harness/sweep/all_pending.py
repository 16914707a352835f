"""All swept migrations in one run of the tool, as a deployment applies what is pending.

The runs one by one prove nothing about it: a setting of one file may leak into the next, and a run
may be one transaction. It starts from the state before the first swept migration; what it leaves
must be what the runs one by one have left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from harness import row_generation
from harness.errors import DeadlineExceeded
from harness.layouts import Migration
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep.events import AllPendingRun, Outcome
from harness.sweep.recoveries import Recoveries, shortened
from harness.sweep.reference import RUN_DEADLINE_S, ReferenceFailed, ReferenceRunner
from harness.sweep.seeding import Seed
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.tools.adapter import Adapter
from harness.tools.belief import keeps_a_record
from harness.tools.client import Client, ClientEnded, RunRequest

BEFORE, BEFORE_WITH_ROWS = "pending", "pending_with_rows"
ONE_BY_ONE = "one_by_one"
IN_ONE_RUN, ONCE_MORE = "in_one_run", "in_one_run_again"
TOLD = 6
"""Lines of a difference."""


@dataclass
class AllPending:
    """Keeps the state before the first swept migration, and runs all of them from there."""

    server: SweepServer
    tool: Adapter
    client: Client
    runner: ReferenceRunner
    recoveries: Recoveries
    tables: Collection[str]
    rows: int
    """Generated for each table that is empty at the beginning."""
    seed: Seed | None = None
    _begun: list[Migration] = field(default_factory=list)
    _on_rows: bool = False

    def before(self, migration: Migration, bare: str) -> None:
        """A swept migration, or one between such, is about to be run by itself on ``bare``."""
        if not self._begun:
            self.server.clone(bare, BEFORE)
            self._on_rows = self._fill()
        self._begun.append(migration)

    def _fill(self) -> bool:
        """Keep that state with rows as well; False if it has no table that takes any."""
        server = self.server
        server.clone(BEFORE, BEFORE_WITH_ROWS)
        session = server.session(BEFORE_WITH_ROWS)
        if self.seed:
            self.seed.begin()
            self.seed.plant(session)
            self.seed.begin()
        row_generation.fill(server.engine, session, self.rows, without=self.tables)
        bare, filled = self._snapshot(BEFORE), self._snapshot(BEFORE_WITH_ROWS)
        if not difference(bare, filled):
            server.drop(BEFORE_WITH_ROWS)
            return False
        server.clone(BEFORE_WITH_ROWS, ONE_BY_ONE)
        return True

    def after(self, migration: Migration) -> None:
        """It has been run on the bare database: run it on the rows as well, if there are any."""
        if self._on_rows and migration in self._begun:
            try:
                self.runner.plainly(RunRequest(migration), ONE_BY_ONE)
            except (ReferenceFailed, DeadlineExceeded):
                self._on_rows = False  # that it fails on rows is told elsewhere

    # ------------------------------------------------------------------ the one run

    def run(self, bare: str) -> AllPendingRun | None:
        """What the one run leaves, against what ``bare`` holds by now; None for one migration."""
        pending = self._begun
        if len(pending) < 2:
            return None
        start, end = (BEFORE_WITH_ROWS, ONE_BY_ONE) if self._on_rows else (BEFORE, bare)
        told = AllPendingRun(
            pending[-1].version,
            first=pending[0].version,
            last=pending[-1].version,
            count=len(pending),
            rows=self._snapshot(start).rows(),
        )
        if why := self._cannot():
            return replace(told, outcome=Outcome.NOT_RUN, says=why)
        ended = self._run(pending, start, IN_ONE_RUN)
        if ended is None or ended.status != 0:
            return self._failed(told, pending, start, ended)
        left = self._not_applied(pending)
        if left:
            says = (
                f"its command ends well, and leaves {left[0].name} pending; see 'apply_all' of "
                "its adapter"
            )
            return replace(told, outcome=Outcome.NOT_RUN, says=says)
        lines = self._differs(pending, start, end)
        return replace(told, outcome=Outcome.DIFFERS, differs=lines) if lines else told

    def _cannot(self) -> str:
        if keeps_a_record(self.tool, self.server.engine):
            return ""
        return f"{self.tool.title} keeps no record, so to it nothing is pending"

    def _run(self, pending: Sequence[Migration], start: str, database: str) -> ClientEnded | None:
        """One run up to the last of them on a copy of ``start``; None if it does not end."""
        self.server.drop(database)
        self.server.clone(start, database)
        self.server.leave(database)
        request = RunRequest(pending[-1], all_pending=True)
        run = self.client.start(request, self.server.address, database)
        try:
            return run.outcome(RUN_DEADLINE_S)
        except DeadlineExceeded:
            return None

    def _failed(
        self,
        told: AllPendingRun,
        pending: Sequence[Migration],
        start: str,
        ended: ClientEnded | None,
    ) -> AllPendingRun:
        says = f"it did not end within {RUN_DEADLINE_S:g} s"
        if ended is not None:
            says = shortened(ended.said) or f"the tool ended with status {ended.status}"
        at = self._stopped_at(pending) or self._first_failing(pending, start)
        file = at.files[0] if at.files else ""
        return replace(told, migration=at.version, outcome=Outcome.FAILS, file=file, says=says)

    def _stopped_at(self, pending: Sequence[Migration]) -> Migration | None:
        """Where the tool itself says that it stopped; None if its run was undone as a whole."""
        stuck = self.recoveries.believes(IN_ONE_RUN).stuck
        named = [migration for migration in pending if migration.version in stuck]
        if named:
            return named[0]
        left = self._not_applied(pending)
        return left[0] if 0 < len(left) < len(pending) else None

    def _not_applied(self, pending: Sequence[Migration]) -> Sequence[Migration]:
        applied = self.recoveries.believes(IN_ONE_RUN).applied
        versions = [migration.version for migration in pending]
        if self.tool.applied_up_to:
            last = applied[-1] if applied else ""
            return pending[versions.index(last) + 1 :] if last in versions else pending
        return [migration for migration in pending if migration.version not in applied]

    def _first_failing(self, pending: Sequence[Migration], start: str) -> Migration:
        """The one without which the run goes through: the shortest run that fails ends with it."""
        passes, fails = 1, len(pending)
        while fails - passes > 1:
            half = (passes + fails) // 2
            ended = self._run(pending[:half], start, ONCE_MORE)
            if ended is not None and ended.status == 0:
                passes = half
            else:
                fails = half
        return pending[fails - 1]

    # ------------------------------------------------------------------ what it leaves

    def _differs(self, pending: Sequence[Migration], start: str, end: str) -> tuple[str, ...]:
        """What is not as the runs one by one left it; what two such runs leave otherwise by
        themselves is aside.
        """
        one_by_one, at_once = self._snapshot(end), self._snapshot(IN_ONE_RUN)
        if not difference(one_by_one, at_once):
            return ()
        self.server.wait_tick()
        ended = self._run(pending, start, ONCE_MORE)
        if ended is None or ended.status != 0:
            return ("a second such run fails",)
        volatile = self.runner.volatile(TrialDatabase(IN_ONE_RUN), TrialDatabase(ONCE_MORE))
        one_by_one, at_once = (
            self.server.snapshot(database, volatile).without(self.tables)
            for database in (end, IN_ONE_RUN)
        )
        return tuple(difference(one_by_one, at_once).lines(one_by_one, at_once)[:TOLD])

    def _snapshot(self, database: str) -> Snapshot:
        return self.server.snapshot(database).without(self.tables)


def span(
    migrations: Sequence[Migration], only: Collection[str], applied: Collection[str]
) -> list[Migration]:
    """The migrations from the first that is asked for to the last, but for what is applied."""
    asked = [n for n, m in enumerate(migrations) if not only or m.version in only]
    if not asked:
        return []
    between = migrations[asked[0] : asked[-1] + 1]
    return [migration for migration in between if migration.version not in applied]

"""Sweeps a folder of migrations: each crash point of each, one after the other.

The state before migration n is kept, never replayed. A cell that leaves the database as it was
costs no reset; every distinct state that a crash leaves is healed once, and its cells share the
answer. Server deaths strike many runs at once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from harness import filling
from harness.layouts import Migration
from harness.ports import Session
from harness.sweep import strike, verdicts
from harness.sweep.census import Census, difference
from harness.sweep.clients import Client, Errand
from harness.sweep.healing import Crash, Healer
from harness.sweep.journal import Journal, Known
from harness.sweep.points import Point, Way, Where, points
from harness.sweep.reference import Referee, Reference, ReferenceFailed
from harness.sweep.yard import Trial, Yard
from harness.tool import Tool, for_dialect

BARE, BASE = "bare", "base"
BATCH = 8
"""Runs that one server death strikes."""


@dataclass(frozen=True)
class Wishes:
    """What of a folder is swept, and on what rows."""

    rows: int = 200
    jobs: int = 2
    """Runs at once, each on a database of its own."""
    ways: frozenset[Way] = frozenset(Way)
    only: Collection[str] = ()
    """Versions; empty for all."""
    seed: Callable[[Session], None] | None = None
    """Brings rows of the user's own into a database, in place of generated ones."""
    dump: bytes | None = None
    """What the first state is restored from, by the engine's own tool."""


class Sweep:
    """One folder, one tool, one server."""

    def __init__(
        self,
        yard: Yard,
        tool: Tool,
        client: Client,
        migrations: Sequence[Migration],
        journal: Journal,
        wishes: Wishes,
        known: Known,
        news: Callable[..., None],
    ) -> None:
        self._yard = yard
        self._tool = tool
        self._client = client
        self._migrations = tuple(migrations)
        self._journal = journal
        self._wishes = wishes
        self._known = known
        self._news = news
        engine = yard.engine
        self._tables: tuple[str, ...] = for_dialect(tool.tables, engine.name, engine.dialect)
        self._referee = Referee(yard, client, self._tables)
        self._healer = Healer(yard, tool, client, self._tables)
        self._base_stands = False
        self._lock = threading.Lock()

    def run(self) -> None:
        """Sweep every wanted migration; stops at the first that fails with nothing in its way."""
        self._yard.create(BARE)
        applied = self._restore()
        for migration in self._migrations:
            if migration.version in applied:
                continue
            wanted = self._wanted(migration)
            if wanted and migration.version not in self._known.finished:
                self._one(migration)
            try:
                self._referee.plainly(migration, BARE)
            except ReferenceFailed as failed:
                self._journal.add("broken", migration=migration.version, says=str(failed))
                self._news("broken", migration=migration, says=str(failed))
                return
            self._move_base(migration)

    def _restore(self) -> tuple[str, ...]:
        """Begin with the user's dump, if there is one; the versions it has applied."""
        if self._wishes.dump is None:
            return ()
        self._yard.restore(BARE, self._wishes.dump)
        applied, _ = self._healer.believes(BARE)
        if self._tool.applied_up_to and applied:
            versions = [migration.version for migration in self._migrations]
            return tuple(versions[: versions.index(applied[-1]) + 1])
        return applied

    def _move_base(self, migration: Migration) -> None:
        """Take the rows along, so that nothing has to be copied for the next migration."""
        if self._base_stands:
            try:
                self._referee.plainly(migration, BASE)
            except ReferenceFailed:
                self._base_stands = False

    def _wanted(self, migration: Migration) -> bool:
        return not self._wishes.only or migration.version in self._wishes.only

    # ------------------------------------------------------------------ one migration

    def _one(self, migration: Migration) -> None:
        try:
            reference, base = self._refer(migration)
        except ReferenceFailed:
            return
        self._news("begins", migration=migration, cells=len(self._points(reference)))
        todo = [p for p in self._points(reference) if not self._is_known(migration, p)]
        single = [p for p in todo if p.way is not Way.SERVER_SIGKILL]
        for points_, jobs in self._shares(single):
            self._side_by_side(migration, reference, base, points_, jobs)
        deaths = [p for p in todo if p.way is Way.SERVER_SIGKILL]
        for batch in _batches(deaths, reference):
            self._together(migration, reference, base, batch)
        self._journal.add("finished", migration=migration.version)

    def _points(self, reference: Reference) -> list[Point]:
        return points(reference.rows, self._wishes.ways)

    def _is_known(self, migration: Migration, point: Point) -> bool:
        return (migration.version, point.id) in self._known.cells

    def _refer(self, migration: Migration) -> tuple[Reference, Census]:
        """The unbroken run, on rows; on empty tables where it fails because of the rows."""
        filled = self._set_base()
        why = ""
        try:
            reference, base = self._watch(migration)
        except ReferenceFailed as failed:
            why = str(failed)
            self._base_stands = False
            self._yard.drop(BASE)
            self._yard.clone(BARE, BASE)
            self._yard.forget_trials()
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
                    "key": state.census.key(),
                    "rows": state.census.rows(),
                    "differs": difference(reference.before, state.census).lines(
                        reference.before, state.census
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

    def _watch(self, migration: Migration) -> tuple[Reference, Census]:
        one, other = self._yard.trials(2)
        base = self._yard.census(BASE)
        for trial in (one, other):
            self._yard.prepare(trial, BASE, base)
            trial.holds = None
            self._referee.plainly(migration, trial.database)
            if trial is one and base.contents != self._yard.census(one.database).contents:
                self._yard.wait_tick()
        volatile = self._referee.volatile(one, other)
        one.holds = self._yard.census(one.database, volatile)
        other.holds = self._yard.census(other.database, volatile)
        base = self._yard.census(BASE, volatile)
        self._yard.prepare(one, BASE, base)
        reference = self._referee.watch(migration, one, base, volatile)
        applied, _ = self._healer.believes(one.database)
        return replace(reference, applied=applied), base

    def _set_base(self) -> tuple[filling.Filled, ...]:
        """The state before the migration, with rows in every table that had none."""
        if not self._base_stands:
            self._yard.drop(BASE)
            self._yard.clone(BARE, BASE)
        self._base_stands = True
        session = self._yard.session(BASE)
        if self._wishes.seed:
            self._wishes.seed(session)
        return filling.fill(self._yard.engine, session, self._wishes.rows, without=self._tables)

    # ------------------------------------------------------------------ cells

    def _shares(self, single: Sequence[Point]) -> list[tuple[list[Point], int]]:
        """What can be struck side by side; a lock that holds a whole server wants it for itself."""
        if not self._yard.engine.gating.HOLDS_THE_SERVER:
            return [(list(single), self._wishes.jobs)]
        inside = [p for p in single if p.where is Where.INSIDE]
        return [([p for p in single if p not in inside], self._wishes.jobs), (inside, 1)]

    def _side_by_side(
        self,
        migration: Migration,
        reference: Reference,
        base: Census,
        points_: Sequence[Point],
        jobs: int,
    ) -> None:
        """Strike points on as many databases at once as there are jobs."""
        free: queue.SimpleQueue[Trial] = queue.SimpleQueue()
        for trial in self._yard.trials(jobs):
            free.put(trial)

        def strike_one(point: Point) -> None:
            trial = free.get()
            try:
                self._alone(migration, reference, base, point, trial)
            finally:
                free.put(trial)

        with ThreadPoolExecutor(jobs) as pool:
            try:
                for done in [pool.submit(strike_one, point) for point in points_]:
                    done.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _alone(
        self,
        migration: Migration,
        reference: Reference,
        base: Census,
        point: Point,
        trial: Trial,
    ) -> None:
        self._yard.prepare(trial, BASE, base)
        trial.holds = None
        row = reference.rows[point.n - 1]
        struck = strike.one(self._yard, trial, point, row, self._client, Errand(migration))
        self._observe(migration, reference, trial, struck)

    def _together(
        self, migration: Migration, reference: Reference, base: Census, batch: Sequence[Point]
    ) -> None:
        trials = self._yard.trials(len(batch))
        for trial in trials:
            self._yard.prepare(trial, BASE, base)
            trial.holds = None
        rows = [reference.rows[point.n - 1] for point in batch]
        all_struck = strike.all_at_once(
            self._yard, trials, batch, rows, self._client, Errand(migration)
        )
        for trial, struck in zip(trials, all_struck, strict=True):
            self._observe(migration, reference, trial, struck)

    def _observe(
        self, migration: Migration, reference: Reference, trial: Trial, struck: strike.Struck
    ) -> None:
        """Name the state that is left, write it down, and heal it if it is new."""
        census = self._yard.census(trial.database, reference.volatile)
        trial.holds = census
        left = verdicts.name(census, reference, self._tables)
        applied, stuck = self._healer.believes(trial.database)
        state = f"{left.key}/{','.join(applied[-1:])}/{'stuck' if stuck else 'free'}"
        if not struck.missed and self._is_first(migration, state):
            self._heal(migration, reference, trial, left, census, state)
        self._journal.add(
            "cell",
            migration=migration.version,
            point=struck.point.id,
            n=struck.point.n,
            where=struck.point.where,
            way=struck.point.way,
            missed=struck.missed,
            witnesses=struck.witnesses,
            exit_status=struck.ended.status if struck.ended else None,
            said=struck.ended.said[-500:] if struck.ended else "",
            state=state,
            left=asdict(left),
            applied=list(applied),
            stuck=stuck,
        )
        self._news("cell", migration=migration, left=left, missed=struck.missed)

    def _is_first(self, migration: Migration, state: str) -> bool:
        """True once for each state: whoever is told so heals it."""
        with self._lock:
            known = (migration.version, state) in self._known.healed
            self._known.healed.add((migration.version, state))
            return not known

    def _heal(
        self,
        migration: Migration,
        reference: Reference,
        trial: Trial,
        left: verdicts.Left,
        census: Census,
        state: str,
    ) -> None:
        versions = [m.version for m in self._migrations]
        at = versions.index(migration.version)
        previous = versions[at - 1] if at else self._tool.none
        crash = Crash(migration, previous, reference, left, census)
        settled = self._healer.settled(migration, trial.database)
        probes = self._healer.probe(reference, trial.database)
        attempts = self._healer.heal(crash, trial)
        gone = verdicts.lost(census, reference, self._tables)
        self._journal.add(
            "healing",
            migration=migration.version,
            state=state,
            left=asdict(left),
            attempts=[asdict(attempt) for attempt in attempts],
            gone=gone,
            settled=settled,
            probes=probes,
            grade=verdicts.grade(left, settled, attempts, gone),
        )


def _batches(deaths: Sequence[Point], reference: Reference) -> Iterator[list[Point]]:
    """Points that one server death strikes: those inside are held by one kind of lock."""
    kinds: dict[str, list[Point]] = {}
    for point in deaths:
        verb = reference.rows[point.n - 1].verb if point.where is Where.INSIDE else ""
        kinds.setdefault(verb, []).append(point)
    for points_ in kinds.values():
        for at in range(0, len(points_), BATCH):
            yield points_[at : at + BATCH]

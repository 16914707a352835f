"""The cells of one migration: each point struck, what is left named, written down, and healed.

A cell that leaves the database as it was costs no reset; every distinct state that a crash leaves
is healed once, and its cells share the answer. Server deaths strike many runs at once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

from harness.record.events import WitnessSeen
from harness.record.timeline import Timeline
from harness.sweep import held_run, verdicts
from harness.sweep.cures import Cures
from harness.sweep.events import CellStruck, RuleAudited, StateHealed
from harness.sweep.points import Point, Way, Where
from harness.sweep.pruning import Rule
from harness.sweep.recoveries import Recoveries
from harness.sweep.recovery_trials import RecoveryTrials
from harness.sweep.reference import Reference
from harness.sweep.resumption import Known
from harness.sweep.subject import Crash, Subject
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.verdicts import Attempt
from harness.tools.client import Client

TRIES = 2
"""Of a fault that misses its moment; one that never strikes is told as such."""
BATCH = 8
"""Runs that one server death strikes."""


class Striker:
    """Strikes the points of one migration after the other."""

    def __init__(
        self,
        server: SweepServer,
        client: Client,
        recoveries: Recoveries,
        tables: Sequence[str],
        record: Timeline,
        known: Known,
        jobs: int,
        cures: Cures,
    ) -> None:
        self._server = server
        self._client = client
        self._recoveries = recoveries
        self._recovery_trials = RecoveryTrials(server, recoveries, tables)
        self._tables = tables
        self._record = record
        self._known = known
        self._jobs = jobs
        self._cures = cures
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="cells")
        self._lock = threading.Lock()
        self._struck: dict[str, CellStruck] = {}
        self.check: Callable[[], None] = lambda: None
        """Called before each run that is struck; raises if no other one is to be struck."""

    def close(self) -> None:
        """Wait for what is at work."""
        self._pool.shutdown()

    def strike(self, subject: Subject, todo: Sequence[Point]) -> dict[str, CellStruck]:
        """Strike each of the points; what came of them, by the point's own name."""
        self._struck = {}
        for points, jobs in self._shares([p for p in todo if p.way is not Way.SERVER_SIGKILL]):
            self._side_by_side(subject, points, jobs)
        deaths = [p for p in todo if p.way is Way.SERVER_SIGKILL]
        of_kind = self._server.engine.statement_holds.HOLDS_THE_SERVER
        for batch in _batches(deaths, subject.reference if of_kind else None):
            self._together(subject, batch)
        return self._struck

    def _shares(self, single: Sequence[Point]) -> list[tuple[list[Point], int]]:
        """What can be struck side by side; a lock that holds a whole server wants it for itself."""
        if not self._server.engine.statement_holds.HOLDS_THE_SERVER:
            return [(list(single), self._jobs)]
        inside = [p for p in single if p.where is Where.INSIDE]
        return [([p for p in single if p not in inside], self._jobs), (inside, 1)]

    def _side_by_side(self, subject: Subject, points: Sequence[Point], jobs: int) -> None:
        """Strike points on as many databases at once as there are jobs."""
        free: queue.SimpleQueue[TrialDatabase] = queue.SimpleQueue()
        for trial in self._server.trials(jobs):
            free.put(trial)

        def strike_one(point: Point) -> None:
            self.check()
            trial = free.get()
            try:
                self._alone(subject, point, trial)
            finally:
                free.put(trial)

        struck = [self._pool.submit(strike_one, point) for point in points]
        try:
            for done in struck:
                done.result()
        except BaseException:
            for done in struck:
                done.cancel()
            wait(struck)
            raise

    def _alone(self, subject: Subject, point: Point, trial: TrialDatabase) -> None:
        """Strike one run; once more, if the fault misses."""
        row = subject.reference.rows[point.n - 1]
        request = subject.request
        struck = held_run.Struck(point)
        for _ in range(TRIES):
            self._server.prepare(trial, subject.template, subject.base)
            trial.holds = None
            struck = held_run.one(
                self._server, trial, point, row, self._client, request, again=struck.unheld
            )
            if not struck.missed:
                break
        self.observe(subject, trial, struck)

    def _together(
        self,
        subject: Subject,
        batch: Sequence[Point],
        tries: int = TRIES,
        unheld: Collection[Point] = (),
    ) -> None:
        """Strike many runs by one death of their server; those that it misses once more.

        ``unheld`` are held by other locks than the usual ones.
        """
        self.check()
        trials = self._server.trials(len(batch))
        for trial in trials:
            self._server.prepare(trial, subject.template, subject.base)
            trial.holds = None
        rows = [subject.reference.rows[point.n - 1] for point in batch]
        all_struck = held_run.all_at_once(
            self._server, trials, batch, rows, self._client, subject.request, unheld
        )
        again = [s.point for s in all_struck if s.missed and tries > 1]
        for trial, struck in zip(trials, all_struck, strict=True):
            if struck.point not in again:
                self.observe(subject, trial, struck)
        if again:
            unheld = [s.point for s in all_struck if s.unheld]
            self._together(subject, again, tries - 1, unheld)

    def observe(
        self, subject: Subject, trial: TrialDatabase, struck: held_run.Struck
    ) -> CellStruck:
        """Name the state that is left, write it down, and heal it if it is new."""
        migration, ended = subject.migration, struck.ended
        snapshot = self._server.snapshot(trial.database, subject.reference.volatile)
        trial.holds = snapshot
        left = verdicts.name(snapshot, subject.reference, self._tables)
        belief = self._recoveries.believes(trial.database)
        stuck = bool(belief.stuck)
        told = f"{left.key}/{','.join(belief.applied[-1:])}/{'stuck' if stuck else 'free'}"
        state = subject.named(told)
        if not struck.missed and self._is_first(migration.version, state):
            settled = self._recoveries.settled(migration, trial.database, down=subject.down)
            crash = Crash(subject, left, snapshot, settled, stuck)
            applied = belief.applied[-1] if belief.applied else ""
            self._heal(crash, struck, trial, state, applied)
        cell = CellStruck(
            migration.version,
            down=subject.down,
            point=subject.named(struck.point.id),
            n=struck.point.n,
            where=struck.point.where,
            way=struck.point.way,
            wait=struck.point.wait,
            missed=struck.missed,
            unheld=struck.unheld,
            witnesses=tuple(WitnessSeen(w.source, w.says, w.data) for w in struck.witnesses),
            exit_status=ended.status if ended else None,
            said=ended.said[-500:] if ended else "",
            state=state,
            left=left,
            applied=belief.applied,
            stuck=stuck,
            rival=struck.rival,
        )
        self._struck[struck.point.id] = cell
        self._record.add(cell)
        return cell

    def _is_first(self, version: str, state: str) -> bool:
        """True once for each state: whoever is told so heals it."""
        with self._lock:
            known = (version, state) in self._known.healed
            self._known.healed.add((version, state))
            return not known

    def _again(self, subject: Subject, point: Point, trial: TrialDatabase) -> None:
        """Bring about once more what a crash has left."""
        self._server.prepare(trial, subject.template, subject.base)
        trial.holds = None
        row, told = subject.reference.rows[point.n - 1], (self._client, subject.request)
        if point.way is Way.SERVER_SIGKILL:
            held_run.all_at_once(self._server, [trial], [point], [row], *told)
        else:
            held_run.one(self._server, trial, point, row, *told)
        trial.holds = self._server.snapshot(trial.database, subject.reference.volatile)

    def _heal(
        self,
        crash: Crash,
        struck: held_run.Struck,
        trial: TrialDatabase,
        state: str,
        applied: str,
    ) -> None:
        """Try what may heal it, and write down what did."""
        subject, left = crash.subject, crash.left
        probes = self._recovery_trials.probe(subject.reference, trial.database)
        shown = self._cures.shown(crash, applied)
        if shown:
            attempts = self._recovery_trials.as_shown(crash, shown)
        else:
            likely = self._cures.likely(crash, applied)
            strike = struck.again or partial(self._again, subject, struck.point)
            attempts = self._recovery_trials.heal(crash, trial, strike, likely)
            if likely is None:
                self._learn(crash, applied, state, attempts)
        gone = verdicts.lost(crash.snapshot, subject.reference, self._tables)
        self._record.add(
            StateHealed(
                subject.migration.version,
                down=subject.down,
                state=state,
                left=left,
                attempts=attempts,
                gone=gone,
                settled=crash.settled,
                probes=probes,
                grade=verdicts.grade(left, crash.settled, attempts, gone),
                rule=Rule.TOOL_STATE if shown else "",
                like=shown.state if shown else "",
            )
        )

    def _learn(self, crash: Crash, applied: str, state: str, attempts: tuple[Attempt, ...]) -> None:
        version = crash.subject.migration.version
        audit = self._cures.learn(crash, applied, f"{version} {state}", attempts)
        if audit:
            like, held = audit
            self._record.add(RuleAudited(version, state, Rule.TOOL_STATE, like, held))


def _batches(deaths: Sequence[Point], reference: Reference | None) -> Iterator[list[Point]]:
    """Points that one server death strikes; by ``reference``, where a lock holds the whole server,
    those inside are held by one kind of lock each.
    """
    inside: dict[str, list[Point]] = {}
    for point in deaths:
        if point.where is Where.INSIDE:
            kind = reference.rows[point.n - 1].verb if reference else ""
            inside.setdefault(kind, []).append(point)
    rest = [point for point in deaths if point.where is not Where.INSIDE]
    for held in inside.values():
        for at in range(0, len(held), BATCH):
            batch = held[at : at + BATCH]
            more, rest = rest[: BATCH - len(batch)], rest[BATCH - len(batch) :]
            yield [*batch, *more]
    for at in range(0, len(rest), BATCH):
        yield rest[at : at + BATCH]

"""Two runs at once, for every migration of a folder: two replicas of an application start.

A tool whose lock lets one run through at a time does so for every migration: once the first of a
shape has shown it in full, the others follow by rule, and a share is struck all the same. Where
nothing shuts the second run out, what comes of it depends on the migration, and each is struck.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from harness.errors import DeadlineExceeded, Missed
from harness.record.timeline import Timeline
from harness.sweep import rivalry
from harness.sweep.events import CellStruck, RuleAudited
from harness.sweep.held_run import Struck
from harness.sweep.points import OF_RIVALS, Point, Way, Where
from harness.sweep.pruning import Follower, Pruner, Rule, Shape, by_rule, is_same, shape_of
from harness.sweep.resumption import Known
from harness.sweep.rivalry import FIRST, LAST, LOCKING, MIDDLE, Meets, Places
from harness.sweep.striker import Striker
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.two_runs import TwoRuns
from harness.tools.client import Client
from harness.wire import LOCK

Taught = Mapping[tuple[str, Way], CellStruck]
"""What the first migration of a shape has shown, by the place and the way."""


@dataclass
class Rivals:
    """Has two runs at once of one migration after the other."""

    server: SweepServer
    client: Client
    striker: Striker
    pruner: Pruner
    record: Timeline
    known: Known
    tables: Collection[str]
    patience_s: float
    jobs: int
    _taught: dict[Shape, tuple[str, Taught]] = field(default_factory=dict)
    """With the version that has shown it."""
    _takes_lock: bool = False
    _pool: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Wait for what is at work."""
        if self._pool is not None:
            self._pool.shutdown()

    def fill(self, subject: Subject, ways: frozenset[Way], cells: Mapping[str, CellStruck]) -> None:
        """The cells of that way up; ``cells`` are those that one run alone has left."""
        wanted = ways & OF_RIVALS
        if not wanted or not rivalry.places(subject.reference.rows, locks=False):
            return
        shape = shape_of(subject.reference.rows, down=False)
        if shape in self._taught and not self._is_revoked:
            self._by_rule(subject, wanted, shape, cells)
        else:
            self._learn(shape, subject, self._struck(subject, wanted))

    @property
    def _is_revoked(self) -> bool:
        return self.pruner.exhaustive or Rule.TOOL_LOCK in self.pruner.revoked

    # ------------------------------------------------------------------ struck

    def _struck(self, subject: Subject, ways: frozenset[Way]) -> Taught:
        """Every place in every way; that of the lock once it is known that there is one."""
        rows, found = subject.reference.rows, dict[tuple[str, Way], CellStruck]()
        done: set[str] = set()
        before_its_lock = Point(LOCK, Where.BEFORE, Way.RIVAL)
        if (subject.migration.version, before_its_lock.id) in self.known.cells:
            self._takes_lock = True
        while todo := {
            role: place
            for role, place in rivalry.places(rows, locks=self._takes_lock).items()
            if role not in done and (role != rivalry.BEGINNING or done)
        }:
            done |= todo.keys()
            found |= self._side_by_side(subject, todo, ways)
        return found

    def _side_by_side(
        self, subject: Subject, places: Places, ways: frozenset[Way]
    ) -> dict[tuple[str, Way], CellStruck]:
        free: queue.SimpleQueue[TrialDatabase] = queue.SimpleQueue()
        for trial in self.server.trials(self.jobs):
            free.put(trial)
        found: dict[tuple[str, Way], CellStruck] = {}
        lock = threading.Lock()

        def at(role: str, place: tuple[int, Where]) -> None:
            trial = free.get()
            try:
                of_place = self._at_place(subject, role, place, ways, trial)
                with lock:
                    found.update(of_place)
            finally:
                free.put(trial)

        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="rivals")
        at_work = [self._pool.submit(at, *item) for item in places.items()]
        wait(at_work)
        for done in at_work:
            done.result()
        return found

    def _at_place(
        self,
        subject: Subject,
        role: str,
        place: tuple[int, Where],
        ways: frozenset[Way],
        trial: TrialDatabase,
    ) -> dict[tuple[str, Way], CellStruck]:
        """Both go on; the first is killed; the second is killed, where it waits."""
        found, waits = dict[tuple[str, Way], CellStruck](), True
        for way in Way:
            if way not in ways or (way is not Way.RIVAL and role not in (FIRST, LAST)):
                continue
            if way is Way.RIVAL_SECOND_KILLED and not waits:
                continue
            cell = self._cell(subject, Point(*place, way), trial)
            if cell is None:
                continue
            found[role, way] = cell
            if way is Way.RIVAL:
                waits = cell.rival.meets not in (Meets.ENDS_WELL, Meets.FAILS)
        return found

    def _cell(self, subject: Subject, point: Point, trial: TrialDatabase) -> CellStruck | None:
        """Struck, if it is not known; None of a second run to be killed that does not wait."""
        version = subject.migration.version
        if known := self.known.cells.get((version, subject.named(point.id))):
            return known
        struck = self._strike(subject, point, trial)
        if struck.missed and point.way is Way.RIVAL_SECOND_KILLED:
            return None
        return self.striker.observe(subject, trial, struck)

    def _strike(self, subject: Subject, point: Point, trial: TrialDatabase) -> Struck:
        self.server.prepare(trial, subject.template, subject.base)
        trial.holds = None
        two = TwoRuns(self.server, self.client, self.tables, self.patience_s)
        struck = Struck(point)
        try:
            seen = two.at(point, trial, subject.request)
            struck.rival = replace(seen, doubled=self._doubled(subject, trial))
        except (Missed, DeadlineExceeded) as missed:
            struck.missed = str(missed)
        self._takes_lock = self._takes_lock or two.takes_lock
        struck.witnesses = two.witnesses
        struck.again = lambda trial: self._again(subject, point, trial)
        return struck

    def _again(self, subject: Subject, point: Point, trial: TrialDatabase) -> None:
        """Bring about once more what two at once have left."""
        self._strike(subject, point, trial)
        trial.holds = self.server.snapshot(trial.database, subject.reference.volatile)

    def _doubled(self, subject: Subject, trial: TrialDatabase) -> tuple[str, ...]:
        left = self.server.snapshot(trial.database, subject.reference.volatile)
        states = [state.snapshot for state in subject.reference.states]
        return rivalry.doubled(left.without(self.tables), states)

    # ------------------------------------------------------------------ by rule

    def _learn(self, shape: Shape, subject: Subject, struck: Taught) -> None:
        """A shape is taught by a migration of which one run alone ever sent anything."""
        whole = {way for _, way in struck} >= {Way.RIVAL, Way.RIVAL_FIRST_KILLED}
        if whole and all(not c.missed and c.rival.excluded for c in struck.values()):
            self._taught.setdefault(shape, (subject.migration.version, struck))

    def _by_rule(
        self,
        subject: Subject,
        ways: frozenset[Way],
        shape: Shape,
        cells: Mapping[str, CellStruck],
    ) -> None:
        version, taught = self._taught[shape]
        told: dict[Point, CellStruck] = {}
        followers: list[Follower] = []
        places = rivalry.places(subject.reference.rows, locks=(LOCKING, Way.RIVAL) in taught)
        for role, way, shown in _shown(taught, places):
            if way not in ways:
                continue
            point = Point(*places[role], way)
            leader = _left_the_same(subject, version, shown, cells.values())
            if leader is None:
                self._strike_all(subject, [point])
                continue
            told[point] = _follows(leader, point, shown)
            place = Point(leader.n, Where(leader.where), Way(leader.way))
            followers.append(Follower(point, Rule.TOOL_LOCK, place))
        self._audit(subject, followers, cells)
        if self._is_revoked:
            self._strike_all(subject, told)
            return
        for point, cell in told.items():
            if (subject.migration.version, point.id) not in self.known.cells:
                self.record.add(cell)

    def _audit(
        self, subject: Subject, followers: Sequence[Follower], cells: Mapping[str, CellStruck]
    ) -> None:
        """Strike a share all the same; one that leaves anything else revokes the rule."""
        for audit in self.pruner.audits(followers, subject.migration.version):
            struck = self._strike_all(subject, [audit.point])
            cell = struck.get(audit.point.id)
            if cell is None or cell.missed:
                self.pruner.missed(audit)
                continue
            held = is_same({**cells, **struck}, audit.point, audit.leader) and cell.rival.excluded
            self.record.add(
                RuleAudited(
                    subject.migration.version,
                    point=audit.point.id,
                    rule=audit.rule,
                    like=audit.leader.id,
                    held=held,
                )
            )
            if not held:
                self.pruner.revoked.add(audit.rule)

    def _strike_all(self, subject: Subject, points: Iterable[Point]) -> dict[str, CellStruck]:
        (trial,) = self.server.trials(1)
        found = {}
        for point in points:
            cell = self._cell(subject, point, trial)
            if cell is not None:
                found[point.id] = cell
                self.known.cells[subject.migration.version, point.id] = cell
        return found


def _shown(taught: Taught, places: Places) -> Iterator[tuple[str, Way, CellStruck]]:
    """What the first migration has shown of each of the places; of one in the middle, which only a
    longer file has, what it has shown of the first statement.
    """
    for (role, way), shown in taught.items():
        if role in places:
            yield role, way, shown
    before_first = taught.get((FIRST, Way.RIVAL))
    if MIDDLE in places and (MIDDLE, Way.RIVAL) not in taught and before_first:
        yield MIDDLE, Way.RIVAL, before_first


def _left_the_same(
    subject: Subject, version: str, shown: CellStruck, cells: Iterable[CellStruck]
) -> CellStruck | None:
    """A cell of one run alone that left what two at once left of another migration."""
    if shown.left.name not in ("before", "after"):
        return None
    own = subject.migration.version
    for cell in cells:
        like = (cell.left.name, cell.stuck) == (shown.left.name, shown.stuck)
        if not cell.missed and like and (own in cell.applied) is (version in shown.applied):
            return cell
    return None


def _follows(leader: CellStruck, point: Point, shown: CellStruck) -> CellStruck:
    """What the leader has left; and what the first migration of the shape has shown."""
    cell = by_rule(leader, point, point.id, Rule.TOOL_LOCK, leader.point)
    return replace(cell, rival=shown.rival)

"""Migrators at work, each run in a process of its own, stopped checkpoint by checkpoint.

The migrator stops before and after each message that carries statements and goes on when told
to: so "after statement 2" is a place in the program, not a guess of the clock.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.model import Moment
from harness.ports import MigrationOutcome, Order, Session, SessionInfo
from harness.record.events import RunBegun, RunEnded, Statement
from harness.record.timeline import Timeline
from harness.servers.guard import Guard
from harness.tools.emulation import Connected, Ended, Fact, Job, Stopped
from harness.tools.process import ToolProcess

START_DEADLINE_S = 30.0


@dataclass(frozen=True)
class Checkpoint:
    """The migrator waits before or after the message that carries statements first … last."""

    where: str
    first: int
    last: int

    def is_at(self, moment: Moment) -> bool:
        """True when this is where ``moment`` strikes, or where its hold has to be armed."""
        if moment.inside is not None:
            return self.where == "before" and self.first <= moment.inside <= self.last
        if moment.before is not None:
            return self.where == "before" and self.first == moment.before
        return moment.after is not None and self.where == "after" and self.last == moment.after


@dataclass(frozen=True)
class MigrationJob:
    """A migration as a trial runs it: what the tool's process is told, and the words for it."""

    job: Job
    tool: str
    mode: str

    @property
    def statements(self) -> tuple[str, ...]:
        """Of the migration under test."""
        return self.job.units[-1].statements


@dataclass
class _Carried:
    """Statements under way: first … last, and when each of them was begun."""

    first: int = 0
    last: int = 0
    begun_ns: dict[int, int] = field(default_factory=dict)


class SteeredRun:
    """One run of the migration (ports.MigrationRun), steered checkpoint by checkpoint."""

    def __init__(
        self,
        number: int,
        migration: MigrationJob,
        timeline: Timeline,
        sessions: Callable[[int], SessionInfo | None],
    ) -> None:
        self.number = number
        self.session: SessionInfo | None = None
        self._migration = migration
        self._timeline = timeline
        self._find = sessions
        self._inbox: queue.SimpleQueue[Fact | None] = queue.SimpleQueue()
        self._done = 0
        self._outcome: MigrationOutcome | None = None
        self._carried = _Carried()
        self._held: Checkpoint | None = None
        self._process = ToolProcess(migration.job)
        self.process_id = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Record progress the moment it is told, not when somebody asks for it."""
        while (fact := self._process.next()) is not None:
            if isinstance(fact, Stopped) and fact.where == "after":
                self._done = fact.last
                self._finish_statements()
            elif isinstance(fact, Ended) and not fact.finished:
                self._finish_statements(code=fact.code, error=fact.message)
            self._inbox.put(fact)
        self._inbox.put(None)

    def _finish_statements(self, **failure: str) -> None:
        carried, self._carried = self._carried, _Carried()
        for n in range(carried.first, carried.last + 1) if carried.first else ():
            ended = Statement(
                run=self.number,
                n=n,
                sql=self._migration.statements[n - 1],
                ok=not failure,
                took_ns=self._timeline.now_ns() - carried.begun_ns[n],
                **failure,
            )
            self._timeline.add(ended, "end")

    def next_checkpoint(self, deadline_s: float = START_DEADLINE_S) -> Checkpoint | None:
        """Wait for the next checkpoint; None once the migrator has ended."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                fact = self._inbox.get(timeout=max(0.001, end - time.monotonic()))
            except queue.Empty:
                raise DeadlineExceeded(
                    f"the migrator reached no checkpoint within {deadline_s:g} s"
                ) from None
            if isinstance(fact, Connected):
                self._meet(fact.pid)
            elif isinstance(fact, Stopped):
                self._held = Checkpoint(fact.where, fact.first, fact.last)
                return self._held
            else:
                self._conclude(fact)
                return None

    def _meet(self, pid: int) -> None:
        self.session = self._find(pid)
        migration = self._migration
        self._timeline.add(
            RunBegun(self.number, migration.tool, migration.mode, pid, self.process_id)
        )

    def go(self, point: Checkpoint, order: Order | None = None) -> None:
        """Let the migrator pass; the order may replace the message, or set timeouts."""
        order = order or Order()
        self._held = None
        if point.where == "before":
            begun_ns = {}
            for n in range(point.first, point.last + 1):
                begun_ns[n] = self._timeline.now_ns()
                sent = order.instead or self._migration.statements[n - 1]
                self._timeline.add(Statement(run=self.number, n=n, sql=sent), "begin")
            self._carried = _Carried(point.first, point.last, begun_ns)
        self._process.order(order)

    def alive(self) -> bool:
        return self._process.status() is None

    def signal(self, name: str) -> None:
        self._process.signal(signal.Signals[f"SIG{name}"])

    def outcome(self, deadline_s: float) -> MigrationOutcome:
        """Let it run to its end and tell how it ended."""
        while self._outcome is None:
            if self._held:
                self.go(self._held)
            self.next_checkpoint(deadline_s)
        return self._outcome

    def _conclude(self, ended: Ended | None) -> None:
        """``ended`` is None if the process went without a word, as one that is killed does."""
        if self._outcome is not None:
            return
        status = self._process.wait(START_DEADLINE_S)
        if ended is None and status > 0:
            raise EnvironmentProblem(f"the migrator's process broke down with status {status}")
        told = ended or Ended(False)
        self._outcome = MigrationOutcome(
            done=self._done,
            finished=told.finished,
            code=told.code,
            message=told.message,
            exit_status=status,
        )
        self._timeline.add(
            RunEnded(self.number, self._done, told.finished, told.code, told.message, status)
        )

    def end(self) -> None:
        """Kill the process if it still lives; called at teardown."""
        self._process.signal(signal.SIGKILL)
        self._reader.join(timeout=5)
        self._process.close()


class MigrationRunner:
    """Starts the runs of one trial's migration, a process for each."""

    def __init__(
        self,
        migration: MigrationJob,
        guard: Guard,
        timeline: Timeline,
        observer: Callable[[], Session],
    ) -> None:
        self._migration = migration
        self._guard = guard
        self._timeline = timeline
        self._observer = observer
        self._runs: list[SteeredRun] = []

    @property
    def session_pids(self) -> frozenset[int]:
        """Server sessions of every run so far."""
        return frozenset(run.session.pid for run in self._runs if run.session)

    def start(
        self,
        *,
        through: int | None = None,
        force: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> SteeredRun:
        """Begin a run.

        ``through`` is the port of the proxy that it connects by; ``force`` only makes the tool take
        that version for applied; ``limits`` are its session's timeouts.
        """
        address = self._guard.server.address()
        if through is not None:
            address = replace(address, host="127.0.0.1", port=through)
        job = replace(
            self._migration.job,
            address=address,
            nonce=self._guard.nonce,
            identity=self._guard.identity,
            force=force,
            limits=limits or {},
        )
        migration = replace(self._migration, job=job)
        run = SteeredRun(len(self._runs) + 1, migration, self._timeline, self._find)
        self._runs.append(run)
        return run

    def _find(self, pid: int) -> SessionInfo | None:
        listing = self._guard.engine.sessions.listing(self._observer())
        return next((info for info in listing if info.pid == pid), None)

    def end(self) -> None:
        """Leave no process behind."""
        for run in self._runs:
            run.end()

"""The application in the background: an old version that keeps working while a migration fails.

Readers and writers are threads, each with its own session, a few milliseconds of think time
between operations, and no retry but a reconnect, as with a plain connection pool. Every
operation is one statement in its own transaction. What the writers were told goes into the
ledger.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from harness.application.ledger import Ledger
from harness.application.pulse import Pulse
from harness.application.watch import LedgerWatch
from harness.application.worker import Worker
from harness.application.workload import Reader, Statements, Writer, statements_of
from harness.errors import (
    DatabaseError,
    DeadlineExceeded,
    EnvironmentProblem,
    ServerLost,
    StepFailed,
)
from harness.model import App
from harness.ports import Engine, Finding, Session, Traffic
from harness.record.events import ApplicationError, Tick, VersionSwitched
from harness.record.timeline import Timeline

OPERATIONS_PER_S = 150
"""What all workers together aim at while nothing is in their way."""
LOCK_WAIT_MS = 20_000
"""A real application waits for a lock; so this one is seen waiting, not failing at once."""
TICK_S = 0.1
POLL_S = 0.01
GRACE_S = 0.25
"""How long :meth:`BackgroundApplication.stop` lets operations finish before it ends them."""
CHECK_HOLD_S = 0.25
"""How long a check between two steps waits for writes in flight, if nothing is stuck yet."""
STUCK_MS = 100
"""How long such a check asks a table at which somebody waits."""
MESSAGE_LIMIT = 300
Asking = Callable[..., AbstractContextManager[Session]]
"""Gives a session for questions: in the database under test, or in the one that is named."""


class BackgroundApplication:
    """Runs an application's readers and writers against one database until it is stopped.

    ``connect`` opens a proven session for the role it is given and may fail while the server
    is down. The ``engine`` is asked for its dialect, its session limits and its catalog.
    """

    def __init__(
        self,
        app: App,
        connect: Callable[[str], Session],
        engine: Engine,
        timeline: Timeline,
        seed: int,
    ) -> None:
        self.timeline = timeline
        self.ledger = Ledger(app.ledger)
        self.watch = LedgerWatch(app, engine, timeline, self.ledger)
        self.stopping = threading.Event()
        self.bugs: list[BaseException] = []
        self.think_s = (app.readers + app.writers) / OPERATIONS_PER_S
        self._app = app
        self._connect = connect
        self._engine = engine
        self._versions = statements_of(app, engine.name, engine.dialect)
        self._version = self._known(app.start)
        self._held = False
        self._codes: set[str] = set()
        self._ticked_ns = 0
        self._readers = [
            Worker(self, f"reader-{n}", Reader(app, n, seed, self.ledger.lately))
            for n in range(app.readers)
        ]
        self._writers = [
            Worker(self, f"writer-{n}", Writer(app, n, seed)) for n in range(app.writers)
        ]
        self._workers = [*self._readers, *self._writers]
        self._ticker = threading.Thread(target=self._tick, name="ticker", daemon=True)
        self.pulse = Pulse([worker.name for worker in self._workers], timeline.now_ns)

    # ------------------------------------------------------------------ what verbs may use

    @property
    def version(self) -> str:
        """The version that is deployed now."""
        return self._version

    def switch(self, version: str) -> None:
        """Deploy another version; StepFailed if there is none of that name."""
        self._version = self._known(version)
        self.timeline.add(VersionSwitched(version))

    def traffic(self, since_ns: int = 0) -> Traffic:
        """What finished since (ns since the trial began), and what is in flight now."""
        return self.pulse.traffic(since_ns)

    def works(self, operations: int, deadline_s: float) -> Traffic:
        """Wait until each worker did that many operations begun from now on.

        Returns at the first error, too, and at the deadline; ``reached`` says whether all
        did. Workers to whom this version gives nothing to do are left out.
        """
        since_ns = self.timeline.now_ns()
        end = time.monotonic() + deadline_s
        while True:
            self._raise_bugs()
            traffic = self.pulse.traffic(since_ns, begun_since_ns=since_ns)
            traffic.reached = all(
                self.pulse.ok_begun_since(worker.name, since_ns) >= operations
                for worker in self._workers
                if worker.plan.has_work(self.statements)
            )
            if traffic.errors or traffic.reached or time.monotonic() >= end:
                return traffic
            time.sleep(POLL_S)

    def touched(self, table: str) -> tuple[int, ...]:
        """Keys of that table's rows which the application wrote or tried to write so far."""
        if table != self._app.table:
            return ()
        return tuple(dict.fromkeys(write.key for write in self.ledger.writes()))

    def settle_ledger(self, session: Session, hold_s: float = 5) -> Finding:
        """Compare every acknowledged write with what the database holds now.

        Writers that are at work are held meanwhile; a write still in flight after ``hold_s``
        may legally end either way. DatabaseError(lost=True) if the session breaks.
        """
        with self._writers_held(hold_s):
            return self.watch.settle(session)

    def check_ledger(self, asking: Asking, after: str, pristine: str) -> None:
        """Compare the ledger once the step ``after`` has ended ("": before the first one).

        ``asking`` gives a session in a database, ``pristine`` is the one as it was before. What
        is found destroyed is kept for :meth:`settle_ledger`, also if the application overwrites
        it in between. A table that cannot be read soon is no finding, and noted.
        """
        if not self._app.ledger:
            return
        stuck = self.pulse.traffic(self.timeline.now_ns()).waiting
        with self._writers_held(0 if stuck else CHECK_HOLD_S) as busy:
            try:
                with self._hasty() if busy or stuck else asking() as session:
                    self.watch.check(session, after, partial(asking, pristine))
            except (DatabaseError, ServerLost) as problem:
                self.watch.unreadable(after, str(problem)[:MESSAGE_LIMIT])

    # ------------------------------------------------------------------ what a trial uses

    def start(self) -> None:
        """Begin to work; the workers open their sessions themselves."""
        self._ticked_ns = self.timeline.now_ns()
        for thread in (*self._workers, self._ticker):
            thread.start()

    def stop(
        self, end_session: Callable[[int], object] | None = None, deadline_s: float = 30
    ) -> None:
        """End every worker; safe to call twice.

        ``end_session`` terminates a server session by pid, from outside: it is called for each
        worker whose operation does not finish by itself. DeadlineExceeded if one outlives the
        deadline. An error of our own inside a worker is raised here.
        """
        self.stopping.set()
        with self.pulse.gate:
            self.pulse.gate.notify_all()
        begun = time.monotonic()
        ended: set[int] = set()
        threads = [thread for thread in (*self._workers, self._ticker) if thread.ident]
        while alive := [thread for thread in threads if thread.is_alive()]:
            waited = time.monotonic() - begun
            if waited > deadline_s:
                names = ", ".join(thread.name for thread in alive)
                raise DeadlineExceeded(f"still at work {deadline_s:g} s after stop: {names}")
            if end_session and waited > GRACE_S:
                self._end_sessions(end_session, ended)
            alive[0].join(POLL_S)
        if self._ticked_ns:
            self._add_tick()
            self._ticked_ns = 0
        self._raise_bugs()

    def hold_writers(self, deadline_s: float = 10) -> None:
        """Let no writer begin another operation; returns when none is in flight.

        DeadlineExceeded, with the writers released again, if one does not finish.
        """
        busy = self._hold(deadline_s)
        if busy:
            self.release_writers()
            raise DeadlineExceeded(
                f"writes still in flight after {deadline_s:g} s: {', '.join(busy)}; "
                "find out what they wait for before holding the writers"
            )
        self._raise_bugs()

    def release_writers(self) -> None:
        """Let the writers go on."""
        with self.pulse.gate:
            self._held = False
            self.pulse.gate.notify_all()

    def pids(self) -> frozenset[int]:
        """Server sessions of the workers at this moment."""
        sessions = [worker.session for worker in self._workers]
        return frozenset(session.pid for session in sessions if session is not None)

    # ------------------------------------------------------------------ what workers use

    @property
    def statements(self) -> Statements:
        """The statements of the version that is deployed now."""
        return self._versions[self._version]

    def open_session(self) -> Session:
        """A new session for a worker, with its limits set."""
        session = self._connect("application")
        try:
            self._engine.connector.limit(session, lock_ms=LOCK_WAIT_MS)
        except BaseException:
            session.close()
            raise
        return session

    def admit(self, worker: Worker) -> bool:
        """Wait while writers are held, then count one more in flight; False once stopping."""
        with self.pulse.gate:
            if worker in self._writers:
                self.pulse.gate.wait_for(lambda: not self._held or self.stopping.is_set())
            if self.stopping.is_set():
                return False
            self.pulse.begin(worker.name)
            return True

    def finish(self, worker: Worker, problem: Exception | None) -> None:
        """Note how an operation ended; what stopping itself broke is nobody's error."""
        if problem is None:
            self.pulse.finish(worker.name, "")
        elif self.stopping.is_set():
            self.pulse.abandon(worker.name)
        else:
            message = str(problem)[:MESSAGE_LIMIT] or type(problem).__name__
            self.pulse.finish(worker.name, message)
            self._note_error(getattr(problem, "code", "") or type(problem).__name__, message)

    # ------------------------------------------------------------------ its own

    def _note_error(self, code: str, message: str) -> None:
        with self.pulse.gate:
            seen = code in self._codes
            self._codes.add(code)
        if not seen:
            self.timeline.add(ApplicationError(code, message))

    def _known(self, version: str) -> str:
        if version not in self._versions:
            known = ", ".join(self._versions)
            raise StepFailed(f"the application has no version {version!r}; it has: {known}")
        return version

    def _raise_bugs(self) -> None:
        if self.bugs:
            raise self.bugs[0]

    def _hold(self, deadline_s: float) -> list[str]:
        """Hold the writers; the names of those still in flight at the deadline."""

        def busy() -> list[str]:
            return [
                worker.name
                for worker in self._writers
                if worker.session and worker.is_alive() and self.pulse.in_flight(worker.name)
            ]

        with self.pulse.gate:
            self._held = True
            self.pulse.gate.wait_for(lambda: not busy(), deadline_s)
            return busy()

    @contextmanager
    def _writers_held(self, hold_s: float) -> Iterator[list[str]]:
        """The names of those that are still in flight after ``hold_s``."""
        held_before = self._held
        try:
            yield self._hold(hold_s)
        finally:
            if not held_before:
                self.release_writers()

    @contextmanager
    def _hasty(self) -> Iterator[Session]:
        """A session that waits for nobody."""
        session = self._connect("verifier")
        try:
            self._engine.connector.limit(session, lock_ms=STUCK_MS, statement_ms=STUCK_MS)
            yield session
        finally:
            session.close()

    def _end_sessions(self, end_session: Callable[[int], object], ended: set[int]) -> None:
        for worker in self._workers:
            session = worker.session
            if session and session.pid not in ended and self.pulse.in_flight(worker.name):
                with contextlib.suppress(DatabaseError, EnvironmentProblem):
                    end_session(session.pid)
                    ended.add(session.pid)

    def _tick(self) -> None:
        try:
            while not self.stopping.wait(TICK_S):
                self._add_tick()
        except BaseException as bug:
            self.bugs.append(bug)

    def _add_tick(self) -> None:
        with self.pulse.gate:
            from_ns, traffic = self._ticked_ns, self.traffic(self._ticked_ns)
            self._ticked_ns = self.timeline.now_ns()
        self.timeline.add(
            Tick(
                from_ns=from_ns,
                ok=traffic.ok,
                errors=traffic.errors,
                waiting=traffic.waiting,
                worst_ms=round(traffic.worst_ms, 1),
                version=self._version,
            )
        )

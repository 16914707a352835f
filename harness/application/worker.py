"""One reader or writer of the background application: a thread with its own session."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import Protocol

from harness.application.ledger import Ledger
from harness.application.pulse import Pulse
from harness.application.watch import LedgerWatch
from harness.application.workload import Operation, Reader, Statements, Writer
from harness.application.writes import WriteOutcome
from harness.errors import DatabaseError, EnvironmentProblem
from harness.ports import Rows, Session

BACK_OFF_S = (0.02, 0.2)
"""First and longest pause before a lost session is opened again."""


class Home(Protocol):
    """What a worker needs of the application it belongs to."""

    stopping: threading.Event
    bugs: list[BaseException]
    ledger: Ledger
    watch: LedgerWatch
    pulse: Pulse
    think_s: float

    @property
    def statements(self) -> Statements:
        """Those of the version that is deployed now."""
        ...

    def open_session(self) -> Session:
        """A new session, with its limits set."""
        ...

    def admit(self, worker: Worker) -> bool:
        """Wait until it may send; False once stopping."""
        ...

    def finish(self, worker: Worker, problem: Exception | None) -> None:
        """Note how an operation ended."""


class Worker(threading.Thread):
    """Sends what its plan says until the application stops.

    A lost session is opened again after a short pause that doubles up to a limit. Anything
    but a server's error or an unreachable server is a bug of ours and ends the worker.
    """

    def __init__(self, home: Home, name: str, plan: Reader | Writer) -> None:
        super().__init__(name=name, daemon=True)
        self.plan = plan
        self.session: Session | None = None
        self._home = home
        self._random = random.Random(name)
        self._back_off_s = 0.0

    def run(self) -> None:
        """The loop: pause, then connect or do one operation."""
        try:
            while not self._home.stopping.wait(self._pause_s()):
                if self.session is None:
                    self._connect()
                elif self._home.admit(self):
                    self._operate(self.session)
        except BaseException as bug:
            self._home.bugs.append(bug)
        finally:
            self._home.pulse.abandon(self.name)
            self._hang_up()

    def _pause_s(self) -> float:
        return self._back_off_s or self._random.uniform(0.5, 1.5) * self._home.think_s

    def _connect(self) -> None:
        self._home.pulse.begin(self.name)
        try:
            self.session = self._home.open_session()
        except (DatabaseError, EnvironmentProblem) as problem:
            first, longest = BACK_OFF_S
            self._back_off_s = min(2 * self._back_off_s or first, longest)
            self._home.finish(self, problem)
        else:
            self._back_off_s = 0.0
            self._home.pulse.abandon(self.name)

    def _operate(self, session: Session) -> None:
        home = self._home
        statements = home.statements
        operation = self.plan.next(statements)
        if operation is None:
            home.pulse.abandon(self.name)
            return
        sent_ns = home.pulse.begin(self.name)
        if operation.op is None:
            rows, _, problem = self._send(session, operation)
            if problem is None:
                answered_ns = home.pulse.now_ns()
                home.watch.read(statements.lookup, operation.key, rows, sent_ns, answered_ns)
            home.finish(self, problem)
            return
        place = home.ledger.sent(operation.op, operation.key, operation.values, sent_ns)
        _, outcome, problem = self._send(session, operation)
        home.ledger.answered(place, outcome, home.pulse.now_ns())
        self.plan.learn(operation, outcome)
        home.finish(self, problem)

    def _send(
        self, session: Session, operation: Operation
    ) -> tuple[Rows, WriteOutcome, DatabaseError | None]:
        try:
            rows = session.run(operation.sql, operation.args)
        except DatabaseError as problem:
            if problem.lost or not self._alive(session):
                self._hang_up()
                return Rows(), WriteOutcome.UNKNOWN, problem
            return Rows(), WriteOutcome.REFUSED, problem
        outcome = WriteOutcome.REFUSED if rows.affected == 0 else WriteOutcome.ACKNOWLEDGED
        return rows, outcome, None

    def _alive(self, session: Session) -> bool:
        """Whether the session outlived its error: only then is the error an answer."""
        try:
            session.run("SELECT 1")
        except DatabaseError:
            return False
        return True

    def _hang_up(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            with contextlib.suppress(DatabaseError):
                session.close()

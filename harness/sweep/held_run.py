"""Strikes one run, or many at once, at their crash points; says what witnessed it.

A fault that did not strike is told as missed, with the reason; it is never counted.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from harness.errors import DatabaseError, DeadlineExceeded, Missed
from harness.ports import SessionInfo, Witness
from harness.servers import acts
from harness.sweep.points import Point, Row, Way, Where
from harness.sweep.rivalry import RivalSeen
from harness.sweep.statement_hold import StatementHold, Unheld
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.tools.client import Client, ClientEnded, ClientRun, RunRequest
from harness.waiting import until
from harness.wire import Breakpoint, Message, Proxy

STOP_DEADLINE_S = 60.0
END_DEADLINE_S = 60.0
GRACE_S = 0.5
"""A tool that ends in an orderly way on SIGTERM waits for its statement's answer, which we hold:
one that has not died by then is let go on."""

SIGNALS = {Way.CLIENT_SIGKILL: signal.SIGKILL, Way.CLIENT_SIGTERM: signal.SIGTERM}


@dataclass
class Struck:
    """What happened to one run."""

    point: Point
    witnesses: list[Witness] = field(default_factory=list)
    missed: str = ""
    unheld: bool = False
    """It was missed, as no lock held the statement."""
    ended: ClientEnded | None = None
    rival: RivalSeen = field(default_factory=RivalSeen)
    again: Callable[[TrialDatabase], None] | None = None
    """Brings the state about once more, where that is not one run that is struck."""


class HeldRun:
    """One run on a trial database, held at its crash point by the proxy and, inside, by a lock."""

    def __init__(
        self,
        server: SweepServer,
        trial: TrialDatabase,
        point: Point,
        row: Row,
        client: Client,
        request: RunRequest,
        again: bool = False,
    ) -> None:
        """``again``: held by other locks than the usual ones, which did not hold it."""
        self.server = server
        self.trial = trial
        self.point = point
        self.row = row
        self.struck = Struck(point)
        self._text = ""
        self._hold = StatementHold(server, trial.database, point.wait, again)
        address = server.address
        self._proxy = Proxy(
            server.engine.dialect,
            (address.host, address.port),
            paced="implicit-commit-ddl" in server.engine.traits,
            split=server.split,
        )
        try:
            if point.where is Where.INSIDE:
                self._hold.prepare()
            where = "answered" if point.where is Where.ANSWERED else "before"
            self._proxy.stop_at(Breakpoint(point.n, where))
            through = server.through(self._proxy.port)
            self._run: ClientRun = client.start(request, through, trial.database)
        except BaseException:
            self._hold.release()
            self._proxy.close()
            raise

    def attempt(self, step: Callable[[], None]) -> None:
        """Take a step, unless one before it has already missed."""
        if self.struck.missed:
            return
        try:
            step()
        except (Missed, DeadlineExceeded) as missed:
            self.struck.missed = str(missed)
            self.struck.unheld = isinstance(missed, Unheld)

    def reach(self) -> None:
        """Until the run is held at its message; Missed if it ends before."""
        message = self._proxy.wait_stopped(STOP_DEADLINE_S, self._run.ended)
        if message is None:
            said = self._run.outcome(END_DEADLINE_S).said
            raise Missed(f"the run ended before message {self.point.n}: {said[:200]}")
        verb = self.server.verb(message.text)
        if verb != self.row.verb:
            raise Missed(
                f"message {self.point.n} is now {first_line(message.text)!r}, "
                f"in the reference run it was {self.row.label!r}"
            )
        self._text = message.text
        if self.point.where is Where.ANSWERED:
            self._tell(Witness("wire", "the server's whole answer has come, and the tool has none"))

    def bar(self) -> None:
        """Take the lock that will hold the message inside, while it is still held outside.

        Whoever is to look at it must be connected by then: the lock may be the whole server's.
        """
        self.server.observer()
        try:
            self._hold.take(*self.server.first_change(self._text))
        except DatabaseError as error:
            raise Unheld(f"no lock can be had to hold it inside: {error}") from None

    def enter(self) -> None:
        """Let the held message in, up to the lock; through its waits to the one that is wanted."""
        self._proxy.release(Breakpoint(self.point.n, "answered"))
        until("the statement to be held inside", STOP_DEADLINE_S, self._parked_or_through)
        if self._answer() is None:
            self._hold.move_on(self._proxy.sessions(), lambda: self._answer() is not None)
        if self._answer() is not None:
            raise Unheld("no lock holds this statement: it was over at once")
        self._tell(Witness("observer", "the session waits for a lock inside the statement"))

    def _parked_or_through(self) -> bool:
        return self._answer() is not None or any(self._waits(info) for info in self._sessions())

    def _waits(self, info: SessionInfo) -> bool:
        waits: bool = self.server.engine.sessions.waits_for_lock(info)
        return waits

    def _sessions(self) -> list[SessionInfo]:
        """The tool's server sessions that are there."""
        return self.server.of_pids(self._proxy.sessions())

    def _answer(self) -> Message | None:
        """The message at the crash point, once it was answered."""
        messages = self._proxy.messages
        return next((m for m in messages if m.n == self.point.n and m.answered), None)

    # ------------------------------------------------------------------ the ways of dying

    def strike(self) -> None:
        """Everything but a server's death, which strikes all at once."""
        way = self.point.way
        if way in SIGNALS:
            self._signal(SIGNALS[way])
        elif way is Way.SESSION_KILL:
            self._end_session()
        elif way is Way.QUERY_CANCEL:
            self._cancel_query()
        else:
            self._tell(acts.cut(self._proxy))

    def _signal(self, signum: signal.Signals) -> None:
        self._run.signal(signum)
        self._tell(acts.signalled(signum))
        if signum is signal.SIGKILL:
            status = self._run.outcome(END_DEADLINE_S).status
            if status != -signal.SIGKILL:
                raise Missed(f"the tool ended with status {status} before SIGKILL reached it")
            return
        try:
            until("the tool to end", GRACE_S, self._run.ended)
        except DeadlineExceeded:
            self._tell(Witness("observer", "the tool goes on until it has its answer"))

    def _end_session(self) -> None:
        victims, observer = self._sessions(), self.server.observer()
        self._tell(acts.end_sessions(self.server.engine, observer, victims))
        if self.point.where is not Where.INSIDE:
            self._see_gone(victims)

    def _see_gone(self, victims: Sequence[SessionInfo]) -> None:
        server = self.server
        self._tell(acts.sessions_gone(server.engine, server.observer, victims, END_DEADLINE_S))

    def _cancel_query(self) -> None:
        victims = [info for info in self._sessions() if self._waits(info)]
        observer = self.server.observer()
        self._tell(acts.cancel_queries(self.server.engine, observer, victims))

    # ------------------------------------------------------------------ afterwards

    def settle(self) -> None:
        """Take every hindrance away and wait until nothing is at work any more."""
        self._let_go()
        pids = self._proxy.sessions()
        self.server.wait_gone(pids)
        if pids:
            self._tell(Witness("observer", "no session of the tool is left"))
        self._conclude()

    def died_with_server(self, deaths: Sequence[Witness]) -> None:
        """After the server's death: nothing is left to release but the tool itself."""
        self.struck.witnesses += deaths
        self._let_go()
        self._conclude()

    def _let_go(self) -> None:
        """Until the tool has ended; one that does not, as it waits for ever, is killed."""
        self._hold.release()
        self._proxy.release()
        try:
            ended = self._run.outcome(END_DEADLINE_S)
        except DeadlineExceeded:
            self._tell(
                Witness(
                    "os", f"the tool went on for {END_DEADLINE_S:g} s more, and was killed then"
                )
            )
            self._run.signal(signal.SIGKILL)
            ended = self._run.outcome(END_DEADLINE_S)
        self.struck.ended = ended
        self._tell(acts.client_ended(ended.status))

    def _conclude(self) -> None:
        """What was done is not enough: another source has to tell that it struck."""
        answer = self._answer()
        if answer is not None and answer.error and self.point.where is Where.INSIDE:
            self._tell(Witness("wire", f"the statement was answered with {answer.error}"))
        self.attempt(self._must_have_struck)

    def _must_have_struck(self) -> None:
        answer = self._answer()
        if self.point.way is Way.QUERY_CANCEL and answer is not None and not answer.error:
            raise Missed("the query was cancelled and went through nevertheless")
        if not acts.are_enough(self.struck.witnesses):
            told = "; ".join(witness.says for witness in self.struck.witnesses)
            raise Missed(f"fewer than two independent witnesses: {told or 'none'}")

    def _tell(self, witness: Witness) -> None:
        self.struck.witnesses.append(witness)

    def clear(self) -> None:
        """Take away what was put into the database to hold the run."""
        if self.point.where is Where.INSIDE:
            self._hold.clear()

    def close(self) -> None:
        """Leave no process and no connection behind."""
        self._hold.release()
        if not self._run.ended():
            self._run.signal(signal.SIGKILL)
            self._run.outcome(END_DEADLINE_S)
        self._proxy.close()


def first_line(sql: str) -> str:
    """The first line of SQL that is more than white space, as a label."""
    return next((line.strip() for line in sql.splitlines() if line.strip()), "")


def one(
    server: SweepServer,
    trial: TrialDatabase,
    point: Point,
    row: Row,
    client: Client,
    request: RunRequest,
    *,
    again: bool = False,
) -> Struck:
    """Run, strike once, wait until it is quiet."""
    run = HeldRun(server, trial, point, row, client, request, again)
    try:
        run.attempt(run.reach)
        if point.where is Where.INSIDE:
            run.attempt(run.bar)
            run.attempt(run.enter)
        run.attempt(run.strike)
        run.settle()
        run.clear()
    finally:
        run.close()
    return run.struck


def all_at_once(
    server: SweepServer,
    trials: Sequence[TrialDatabase],
    points: Sequence[Point],
    rows: Sequence[Row],
    client: Client,
    request: RunRequest,
    unheld: Collection[Point] = (),
) -> list[Struck]:
    """Hold every run at its own point, then kill the one server they share, by one SIGKILL."""
    runs: list[HeldRun] = []
    try:
        for trial, point, row in zip(trials, points, rows, strict=True):
            runs.append(HeldRun(server, trial, point, row, client, request, point in unheld))
        for run in runs:
            run.attempt(run.reach)
        inside = [run for run in runs if run.point.where is Where.INSIDE]
        for run in inside:
            run.attempt(run.bar)
        for run in inside:
            run.attempt(run.enter)
        deaths = server.kill()
        for run in runs:
            run.died_with_server(deaths)
        server.start_again()
        for run in runs:
            run.clear()
    finally:
        for run in runs:
            run.close()
    return [run.struck for run in runs]

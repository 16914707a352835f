"""Strikes one run, or many at once, at their crash points; says what witnessed it.

A fault that did not strike is told as missed, with the reason; it is never counted.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.errors import DatabaseError, DeadlineExceeded
from harness.ports import Session
from harness.sweep.points import Point, Row, Way, Where
from harness.sweep.sweep_server import READY_DEADLINE_S, TrialDatabase, Yard
from harness.tools.client import Client, ClientRun, Ended, RunRequest
from harness.waiting import until
from harness.wire import Breakpoint, Proxy

STOP_DEADLINE_S = 60.0
END_DEADLINE_S = 60.0
GRACE_S = 0.5
"""A tool that ends in an orderly way on SIGTERM waits for its statement's answer, which we hold:
one that has not died by then is let go on."""

SIGNALS = {Way.CLIENT_SIGKILL: signal.SIGKILL, Way.CLIENT_SIGTERM: signal.SIGTERM}


class Missed(Exception):
    """The fault did not strike: the run never came to the point, or nothing held it there."""


@dataclass
class Struck:
    """What happened to one run."""

    point: Point
    witnesses: list[str] = field(default_factory=list)
    missed: str = ""
    ended: Ended | None = None


class HeldRun:
    """One run on one trial, held at its crash point by the proxy and, inside, by a lock."""

    def __init__(self, yard: Yard, trial: TrialDatabase, point: Point, row: Row) -> None:
        self.yard = yard
        self.trial = trial
        self.point = point
        self.row = row
        self.struck = Struck(point)
        engine = yard.engine
        address = yard.address
        self.proxy = Proxy(
            engine.dialect,
            (address.host, address.port),
            paced="implicit-commit-ddl" in engine.traits,
            split=yard.split,
        )
        self._hold: Session | None = None
        self._run: ClientRun | None = None

    def start(self, client: Client, request: RunRequest) -> None:
        where = "answered" if self.point.where is Where.ANSWERED else "before"
        self.proxy.stop_at(Breakpoint(self.point.n, where))
        address = self.yard.through(self.proxy.port)
        self._run = client.start(request, address, self.trial.database)

    def attempt(self, step: Callable[[], None]) -> None:
        """Take a step, unless one before it has already missed."""
        if self.struck.missed:
            return
        try:
            step()
        except (Missed, DeadlineExceeded) as missed:
            self.struck.missed = str(missed)

    def reach(self) -> None:
        """Until the run is held at its message; Missed if it ends before."""
        message = self.proxy.wait_stopped(STOP_DEADLINE_S, self._run.ended)
        if message is None:
            said = self._run.outcome(END_DEADLINE_S).said
            raise Missed(f"the run ended before message {self.point.n}: {said[:200]}")
        verb = self.yard.verb(message.text)
        if verb != self.row.verb:
            raise Missed(
                f"message {self.point.n} is now {first_line(message.text)!r}, "
                f"in the reference run it was {self.row.label!r}"
            )

    def bar(self) -> None:
        """Take the lock that will hold the message inside, while it is still held outside.

        Whoever is to look at it must be connected by then: the lock may be the whole server's.
        """
        self.yard.observer()
        self._hold = self.yard.guard.connect(self.trial.database, "hold")
        try:
            self.yard.engine.holding.hold_all(self._hold, self.row.verb)
        except DatabaseError as error:
            raise Missed(f"no lock can be had to hold it inside: {error}") from None

    def enter(self) -> None:
        """Let the held message in, up to the lock."""
        self.proxy.release(Breakpoint(self.point.n, "answered"))
        until("the statement to be held inside", STOP_DEADLINE_S, self._parked_or_through)
        if self._answered():
            raise Missed("no lock holds this statement: it was over at once")
        self._tell("observer: the session waits for a lock inside the statement")

    def _parked_or_through(self) -> bool:
        if self._answered():
            return True
        waits = self.yard.engine.sessions.waits_for_lock
        return any(waits(info) for info in self.yard.of_pids(self.proxy.sessions()))

    def _answered(self) -> bool:
        return any(m.n == self.point.n and m.answered for m in self.proxy.messages)

    def strike(self) -> None:
        """Everything but a server's death, which strikes all at once."""
        way = self.point.way
        if way in SIGNALS:
            self._signal(way)
        elif way in (Way.SESSION_KILL, Way.QUERY_CANCEL):
            self._end_session(way)
        else:
            cut = self.proxy.cut()
            if not cut:
                raise Missed("there was no connection to cut")
            self._tell(f"injector: cut {cut} connection{'s' if cut > 1 else ''}")

    def _signal(self, way: Way) -> None:
        self._run.signal(SIGNALS[way])
        self._tell(f"injector: sent {way.value.rpartition('-')[2].upper()} to the tool")
        if way is Way.CLIENT_SIGKILL:
            status = self._run.outcome(END_DEADLINE_S).status
            if status != -signal.SIGKILL:
                raise Missed(f"the tool ended with status {status} before SIGKILL reached it")
            self._tell("os: the tool was ended by SIGKILL")
            return
        try:
            until("the tool to end", GRACE_S, self._run.ended)
            self._tell("os: the tool has ended at once")
        except DeadlineExceeded:
            self._tell("os: the tool goes on until it has its answer")

    def _end_session(self, way: Way) -> None:
        sessions = self.yard.engine.sessions
        act = sessions.end if way is Way.SESSION_KILL else sessions.cancel
        targets = [i for i in self.yard.of_pids(self.proxy.sessions()) if self._is_target(i)]
        done = [i.pid for i in targets if act(self.yard.observer(), i.pid, i.started)]
        if not done:
            raise Missed("the tool had no session to strike")
        verb = "ended" if way is Way.SESSION_KILL else "cancelled the query of"
        self._tell(f"injector: {verb} server session {', '.join(map(str, done))}")
        if way is Way.SESSION_KILL and self.point.where is not Where.INSIDE:
            until("the session to be gone", END_DEADLINE_S, lambda: not self.yard.of_pids(done))
            self._tell("observer: the session is gone")

    def _is_target(self, info) -> bool:
        if self.point.way is Way.SESSION_KILL:
            return True
        return self.yard.engine.sessions.waits_for_lock(info)

    def settle(self) -> None:
        """Take every hindrance away and wait until nothing is at work any more."""
        self._let_go()
        self.yard.wait_quiet(self.proxy.sessions())

    def _release_hold(self) -> None:
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def died_with_server(self) -> None:
        """After the server's death: nothing is left to release but the tool itself."""
        self._let_go()

    def _let_go(self) -> None:
        """Until the tool has ended; one that does not, as it waits for ever, is killed."""
        self._release_hold()
        self.proxy.release()
        try:
            self.struck.ended = self._run.outcome(END_DEADLINE_S)
        except DeadlineExceeded:
            self._tell(f"os: the tool went on for {END_DEADLINE_S:g} s more, and was killed then")
            self._run.signal(signal.SIGKILL)
            self.struck.ended = self._run.outcome(END_DEADLINE_S)

    def _tell(self, says: str) -> None:
        self.struck.witnesses.append(says)

    def close(self) -> None:
        """Leave no process and no connection behind."""
        self._release_hold()
        if self._run is not None and not self._run.ended():
            self._run.signal(signal.SIGKILL)
            self._run.outcome(END_DEADLINE_S)
        self.proxy.close()


def first_line(sql: str) -> str:
    """The first line of SQL that is more than white space, as a label."""
    return next((line.strip() for line in sql.splitlines() if line.strip()), "")


def one(
    yard: Yard, trial: TrialDatabase, point: Point, row: Row, client: Client, request: RunRequest
) -> Struck:
    """Run, strike once, wait until it is quiet."""
    stage = HeldRun(yard, trial, point, row)
    try:
        stage.start(client, request)
        stage.attempt(stage.reach)
        if point.where is Where.INSIDE:
            stage.attempt(stage.bar)
            stage.attempt(stage.enter)
        stage.attempt(stage.strike)
        stage.settle()
    finally:
        stage.close()
    return stage.struck


def all_at_once(
    yard: Yard,
    trials: Sequence[TrialDatabase],
    points: Sequence[Point],
    rows: Sequence[Row],
    client: Client,
    request: RunRequest,
) -> list[Struck]:
    """Hold every run at its own point, then kill the one server they share, by one SIGKILL."""
    stages = [HeldRun(yard, t, p, r) for t, p, r in zip(trials, points, rows, strict=True)]
    try:
        for stage in stages:
            stage.start(client, request)
        for stage in stages:
            stage.attempt(stage.reach)
        inside = [stage for stage in stages if stage.point.where is Where.INSIDE]
        for stage in inside:
            stage.attempt(stage.bar)
        for stage in inside:
            stage.attempt(stage.enter)
        witnesses = [f"{w.source}: {w.says}" for w in yard.server.kill()]
        for stage in stages:
            stage.struck.witnesses += witnesses
            stage.died_with_server()
        yard.server.start_again()
        yard.restarted()
        yard.guard.connect(
            yard.engine.databases.maintenance, "verifier", deadline_s=READY_DEADLINE_S
        ).close()
    finally:
        for stage in stages:
            stage.close()
    return [stage.struck for stage in stages]

"""Two runs of one tool at once: the first held by the proxy, the second left to what it meets.

That the second waits is told by the server, or by what it sends; never by a clock. Who does not end
although nothing is in its way any more is waited for until a deadline, and told so.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import DeadlineExceeded, Missed
from harness.ports import SessionInfo, Witness
from harness.servers import acts
from harness.sweep.held_run import END_DEADLINE_S, STOP_DEADLINE_S
from harness.sweep.points import Point, Way, kind_of
from harness.sweep.rivalry import Meets, RivalSeen
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.tools.client import Client, ClientEnded, RunRequest
from harness.waiting import until
from harness.wire import TAKES_A_LOCK, Breakpoint, Proxy

SAME = 4
"""So often the same question is asked by a run that polls, and by none that is at work."""
CYCLE = 3
"""Questions that such a run may ask in turn."""
LOOK_S = 0.02


class ProxiedRun:
    """One run behind a proxy of its own."""

    def __init__(
        self,
        server: SweepServer,
        trial: TrialDatabase,
        client: Client,
        request: RunRequest,
        tables: Collection[str],
        stop: Breakpoint | None = None,
    ) -> None:
        address, engine = server.address, server.engine
        self._server = server
        self._tables = tables
        self.proxy = Proxy(
            engine.dialect,
            (address.host, address.port),
            paced="implicit-commit-ddl" in engine.traits,
            split=server.split,
        )
        try:
            self.proxy.stop_at(stop)
            self.run = client.start(request, server.through(self.proxy.port), trial.database)
        except BaseException:
            self.proxy.close()
            raise
        self.ended: ClientEnded | None = None
        self.hung = False

    def sessions(self) -> list[SessionInfo]:
        """Its server sessions that are there."""
        return self._server.of_pids(self.proxy.sessions())

    def sent(self) -> int:
        """How many messages of the migration have gone to the server."""
        return sum(
            message.sent_on and kind_of(message, self._tables) == "statement"
            for message in self.proxy.messages
        )

    def kill(self) -> None:
        """SIGKILL, by the exit status. Missed if it ended before."""
        self.run.signal(signal.SIGKILL)
        self.ended = self.run.outcome(END_DEADLINE_S)
        if self.ended.status != -signal.SIGKILL:
            raise Missed(f"the tool ended with status {self.ended.status} before SIGKILL")

    def end(self, deadline_s: float) -> float:
        """Until it has ended, in seconds; one that has not by then ``hung``, and is killed."""
        begun = time.monotonic()
        if self.ended is None:
            try:
                until("the run to end", deadline_s, self.run.ended)
            except DeadlineExceeded:
                self.hung = True
                self.run.signal(signal.SIGKILL)
            self.ended = self.run.outcome(END_DEADLINE_S)
        return time.monotonic() - begun

    def close(self) -> None:
        """Leave no process and no connection behind."""
        if self.ended is None:
            self.run.signal(signal.SIGKILL)
            self.run.outcome(END_DEADLINE_S)
        self.proxy.close()


@dataclass
class TwoRuns:
    """Holds the first, lets the second come to it, and sees how both end."""

    server: SweepServer
    client: Client
    tables: Collection[str]
    patience_s: float
    """After that a run that does not end counts as blocked."""
    witnesses: list[Witness] = field(default_factory=list)
    takes_lock: bool = False
    """The first was seen to take an advisory lock."""

    def at(self, point: Point, trial: TrialDatabase, request: RunRequest) -> RivalSeen:
        """Both runs on that database. Missed if the first does not come to the point, or if its
        way is to kill a second run that waits, and it does not.
        """
        self.witnesses = []
        first = ProxiedRun(
            self.server,
            trial,
            self.client,
            request,
            self.tables,
            Breakpoint(point.n, str(point.where)),
        )
        second: ProxiedRun | None = None
        try:
            self._reach(first, point)
            second = ProxiedRun(self.server, trial, self.client, request, self.tables)
            seen = self._meet(second)
            sent = second.sent()
            self._strike(point.way, first, second, seen)
            waited = self._settle(first, second)
            return self._told(seen, first, second, waited, excluded=not (sent and first.sent()))
        finally:
            first.close()
            if second is not None:
                second.close()

    def _reach(self, first: ProxiedRun, point: Point) -> None:
        message = first.proxy.wait_stopped(STOP_DEADLINE_S, first.run.ended)
        self.takes_lock = bool(first.proxy.locks)
        if message is None:
            said = first.run.outcome(END_DEADLINE_S).said
            raise Missed(f"the first run ended before message {point.n}: {said[:200]}")
        self._tell("wire", f"the first run is held {point.where} message {point.n}")

    def _meet(self, second: ProxiedRun) -> RivalSeen:
        """What the second run comes to."""
        try:
            seen: RivalSeen = until(
                "the second run", self.patience_s, lambda: self._look(second), LOOK_S
            )
        except DeadlineExceeded:
            self._tell("os", f"the second run goes on for {self.patience_s:g} s")
            return RivalSeen(Meets.GOES_ON)
        return seen

    def _look(self, second: ProxiedRun) -> RivalSeen | None:
        if second.run.ended():
            second.ended = second.run.outcome(END_DEADLINE_S)
            self._tell("os", f"the second run ended with status {second.ended.status}")
            return RivalSeen(Meets.FAILS if second.ended.status else Meets.ENDS_WELL)
        waiting = self._waits(second)
        if waiting:
            lock, query = waiting
            self._tell("observer", f"the second run waits for {lock}: {query}")
            return RivalSeen(Meets.WAITS, f"{lock}: {query}" if query else lock)
        recent = tuple(second.proxy.recent)
        if is_asking_again(recent):
            self._tell("wire", f"the second run sends the same again and again: {recent[-1]}")
            return RivalSeen(Meets.ASKS_AGAIN, _short(recent[-1]))
        return None

    def _waits(self, second: ProxiedRun) -> tuple[str, str] | None:
        """The lock and the query of a session that waits, seen so in two looks."""
        waits_for_lock = self.server.engine.sessions.waits_for_lock
        before = [info for info in second.sessions() if waits_for_lock(info)]
        if not before:
            return None
        after = [info for info in second.sessions() if info in before]
        return (after[0].wait, _short(after[0].query)) if after else None

    def _strike(self, way: Way, first: ProxiedRun, second: ProxiedRun, seen: RivalSeen) -> None:
        if way is Way.RIVAL_FIRST_KILLED:
            first.kill()
            self._tell("injector", "sent SIGKILL to the first run")
        elif way is Way.RIVAL_SECOND_KILLED:
            if seen.meets in (Meets.ENDS_WELL, Meets.FAILS):
                raise Missed("the second run does not wait")
            second.kill()
            self._tell("injector", "sent SIGKILL to the second run")
        first.proxy.release()

    def _settle(self, first: ProxiedRun, second: ProxiedRun) -> float:
        """Until both have ended and nothing of them is at work; how long the second took then."""
        first.end(END_DEADLINE_S)
        waited = second.end(self.patience_s)
        for run in (first, second):
            try:
                self.server.wait_gone(run.proxy.sessions())
            except DeadlineExceeded:
                run.hung = True
                acts.end_sessions(self.server.engine, self.server.observer(), run.sessions())
        return waited

    def _told(
        self,
        seen: RivalSeen,
        first: ProxiedRun,
        second: ProxiedRun,
        waited: float,
        *,
        excluded: bool,
    ) -> RivalSeen:
        assert first.ended is not None
        assert second.ended is not None
        hung = "first" if first.hung else "second" if second.hung else ""
        return replace(
            seen,
            excluded=excluded,
            first_status=first.ended.status,
            first_said=first.ended.said[-500:],
            second_status=second.ended.status,
            second_said=second.ended.said[-500:],
            second_sent=second.sent(),
            hung=hung,
            waited_s=round(waited, 1),
        )

    def _tell(self, source: str, says: str) -> None:
        self.witnesses.append(Witness(source, says))


def is_asking_again(recent: Sequence[str]) -> bool:
    """Whether the last messages are one question, or a few in turn, asked over and over; of a
    question for an advisory lock the second time is enough.
    """
    if len(recent) > 1 and recent[-1] == recent[-2] and TAKES_A_LOCK.search(recent[-1]):
        return True
    for period in range(1, CYCLE + 1):
        tail = recent[-period * SAME :]
        if len(tail) == period * SAME and all(
            tail[at] == tail[at - period] for at in range(period, len(tail))
        ):
            return True
    return False


def _short(query: str, limit: int = 160) -> str:
    """A query on one line."""
    told = " ".join(query.split())
    return told if len(told) <= limit else f"{told[:limit]}…"

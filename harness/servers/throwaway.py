"""One throwaway server from its start to its removal, with everything of ours that is open on it.

A drill and a sweep each run on one of these. Nothing here knows what is tried on it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import EnvironmentProblem
from harness.ports import (
    Address,
    Backend,
    Capability,
    DumpSource,
    Engine,
    HasTools,
    Killable,
    Rests,
    Server,
    ServerFacts,
    Session,
    SessionInfo,
    StartsOnData,
    Witness,
)
from harness.servers.guard import Guard
from harness.servers.sessions import RESTART_DEADLINE_S, KeptSessions, Observer
from harness.waiting import until

LOCK_MS = 60_000
"""How long our own questions wait for a lock: a tool may hold one that nobody frees."""
QUIET_DEADLINE_S = 60.0
TICK_DEADLINE_S = 5.0
CLOCK = "SELECT CURRENT_TIMESTAMP"


class ThrowawayServer:
    """A started and adopted server; a context manager, after which nothing of it is left.

    It begins on data that ``fill`` brings, where the backend can do that, else empty.
    EnvironmentProblem if none can be had.
    """

    def __init__(
        self,
        backend: Backend,
        engine: Engine,
        image: str | None = None,
        fill: Callable[[Path], bool] | None = None,
    ) -> None:
        self.engine = engine
        if fill is not None and isinstance(backend, StartsOnData):
            self.server: Server = backend.start_on(engine.recipe, fill)
        else:
            self.server = backend.start(engine.recipe, image)
        try:
            self.guard = Guard(engine, self.server)
            version = self.guard.adopt()
            if not engine.recipe.admits(version):
                raise EnvironmentProblem(
                    f"{engine.label} was asked for, and the server of {self.server.facts.image} "
                    f"says that it is {version}; nothing was run on it"
                )
            self.facts: ServerFacts = replace(self.server.facts, version=version)
            self.address: Address = self.server.address()
        except BaseException:
            self.server.destroy()
            raise
        self._kept = KeptSessions(self.guard, "verifier", lock_ms=LOCK_MS)
        self._observers = threading.local()
        self._every_observer: list[Observer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ sessions

    def observer(self) -> Session:
        """A lasting session outside the databases under test; each thread has its own."""
        own: Observer | None = getattr(self._observers, "own", None)
        if own is None:
            own = self._observers.own = Observer(self.guard)
            self._every_observer.append(own)
        return own()

    def session(self, database: str) -> Session:
        """A session of ours in that database, kept for the next question."""
        return self._kept.of(database)

    def leave(self, database: str) -> None:
        """Close our own session there, if there is one."""
        self._kept.leave(database)

    def of_pids(self, pids: Collection[int]) -> list[SessionInfo]:
        """Those of the server's sessions that are there."""
        return [i for i in self.engine.sessions.listing(self.observer()) if i.pid in pids]

    def wait_gone(self, pids: Collection[int]) -> None:
        """Until none of the sessions is there; their last statements have ended by then."""
        if pids:
            until("the sessions to be gone", QUIET_DEADLINE_S, lambda: not self.of_pids(pids))

    def wait_tick(self) -> None:
        """Until the server's clock tells another time: to some, all of a second is one."""
        began = self.observer().run(CLOCK).scalar()
        until(
            "the server's clock to move on",
            TICK_DEADLINE_S,
            lambda: self.observer().run(CLOCK).scalar() != began,
        )

    # ------------------------------------------------------------------ databases

    def create(self, name: str) -> None:
        """A new, empty database."""
        self.engine.databases.create(self.observer(), name)

    def clone(self, template: str, name: str) -> None:
        """A copy of a whole database; every session in the template is ended."""
        self.leave(template)
        self.engine.databases.clone(self.observer(), template, name)

    def reset(self, template: str, name: str, changed: Collection[str] | None) -> None:
        """Make ``name`` equal to ``template`` again, which differs in the tables ``changed``."""
        self.leave(name)
        self.leave(template)
        self.engine.databases.reset(self.observer(), template, name, changed)

    def drop(self, name: str) -> None:
        """Remove a database with every session in it; no error if it is not there."""
        self.leave(name)
        self.engine.databases.drop(self.observer(), name)

    def load(self, database: str, dump: DumpSource) -> Sequence[str]:
        """Restore a dump made elsewhere into an empty database; what was made for it.

        StepFailed if it is refused.
        """
        self.leave(database)
        return self.engine.backups.load(self.tools(), database, dump)

    # ------------------------------------------------------------------ what a server can do

    def tools(self) -> HasTools:
        """The server's own command-line tools. EnvironmentProblem if they cannot be run here."""
        if not isinstance(self.server, HasTools):
            raise EnvironmentProblem(
                f"the client programs of {self.engine.title} cannot be run beside this server; "
                "--backend docker has them"
            )
        return self.server

    def kill(self) -> Sequence[Witness]:
        """SIGKILL the whole server. EnvironmentProblem if this kind of server cannot be killed."""
        if not isinstance(self.server, Killable) or Capability.KILL not in self.server.capabilities:
            raise EnvironmentProblem(f"this server of {self.engine.title} cannot be killed")
        return self.server.kill()

    def start_again(self) -> None:
        """Start it on the same data and wait until it answers; nothing that was open is."""
        if isinstance(self.server, Killable):
            self.server.start_again()
        self._come_back()

    def at_rest(self, look: Callable[[Path], object]) -> bool:
        """Let ``look`` see its data directory while it is ended cleanly; nothing that was open is
        afterwards. False if it was not looked at: it cannot be ended so.
        """
        if not isinstance(self.server, Rests):
            return False
        self._kept.close()
        for observer in self._every_observer:
            observer.close()
        looked = self.server.at_rest(look)
        self._come_back()
        return looked

    def _come_back(self) -> None:
        self._kept.close()
        self.address = self.server.address()
        self.guard.connect(
            self.engine.databases.maintenance, "verifier", deadline_s=RESTART_DEADLINE_S
        ).close()

    def through(self, port: int) -> Address:
        """The server's address as seen through a proxy on this machine."""
        return replace(self.address, host="127.0.0.1", port=port)

    def close(self) -> None:
        """Remove the server and all it held; safe to call twice."""
        with contextlib.ExitStack() as last_first:
            last_first.callback(self.server.destroy)
            for observer in self._every_observer:
                last_first.callback(observer.close)
            last_first.callback(self._kept.close)

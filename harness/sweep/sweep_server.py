"""One throwaway server and the databases on it that a sweep uses again and again.

``bare`` has every migration so far and no rows but theirs; ``base`` has generated rows as well and
is the state before the migration at hand, kept and never replayed; trials are copies of it, and a
trial that ends as it began is used again as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from harness import sqltext
from harness.drill.target import Observer
from harness.errors import DatabaseError, ScenarioError, StepFailed
from harness.ports import Address, Backend, Engine, HasTools, Session, SessionInfo
from harness.servers.guard import Guard
from harness.state.snapshot import Snapshot, difference, take
from harness.waiting import until

READY_DEADLINE_S = 120.0
QUIET_DEADLINE_S = 60.0
TICK_DEADLINE_S = 5.0
LOCK_MS = 60_000
"""How long we wait for a lock before we say so: a tool may hold one that nobody frees."""
CLOCK = "SELECT CURRENT_TIMESTAMP"


@dataclass
class TrialDatabase:
    """A database that is struck; ``holds`` is what it was last seen to hold, None if unknown."""

    database: str
    holds: Snapshot | None = None


class Yard:
    """A server, its guard, and databases by name."""

    def __init__(self, backend: Backend, engine: Engine, image: str | None = None) -> None:
        self.engine = engine
        self.server = backend.start(engine.recipe, image)
        try:
            self.guard = Guard(engine, self.server)
            self.version = self.guard.adopt()
            self._observers = threading.local()
            self._every_observer: list[Observer] = []
            self.address: Address = self.server.address()
        except BaseException:
            self.server.destroy()
            raise
        self._sessions: dict[str, Session] = {}
        self._trials: list[TrialDatabase] = []
        self._count = 0

    def observer(self) -> Session:
        """A lasting session outside the trials; each thread has its own."""
        own = getattr(self._observers, "own", None)
        if own is None:
            own = self._observers.own = Observer(self.guard)
            self._every_observer.append(own)
        return own()

    def through(self, port: int) -> Address:
        """The server's address as seen through a proxy on this machine."""
        return replace(self.address, host="127.0.0.1", port=port)

    def split(self, text: str) -> list[str]:
        """The statements of one message."""
        return [statement.text for statement in self.cut(text)] or [text]

    def cut(self, text: str) -> Sequence[sqltext.Statement]:
        """The statements of one message; none if it cannot be told where one ends."""
        try:
            return sqltext.split(text, self.engine.dialect)
        except ScenarioError:
            return ()

    def verb(self, text: str) -> str:
        """What the first statement of a message is: ``ALTER TABLE``."""
        return next((statement.kind for statement in self.cut(text)), "")

    # ------------------------------------------------------------------ databases

    def create(self, name: str) -> None:
        self.engine.databases.create(self.observer(), name)

    def clone(self, template: str, name: str) -> None:
        self.leave(template)
        self.engine.databases.clone(self.observer(), template, name)

    def drop(self, name: str) -> None:
        self.leave(name)
        self.engine.databases.drop(self.observer(), name)

    def load(self, database: str, dump: bytes) -> None:
        """Restore a dump made elsewhere into an empty database. StepFailed if it is refused."""
        if not isinstance(self.server, HasTools):
            raise StepFailed("the tools of the server are not here; --backend docker has them")
        self.leave(database)
        self.engine.backups.load(self.server, database, dump)

    def session(self, database: str) -> Session:
        """A session of ours in that database, kept for the next question."""
        kept = self._sessions.get(database)
        if kept is not None:
            try:
                kept.run("SELECT 1")
                return kept
            except DatabaseError:
                kept.close()
        kept = self.guard.connect(database, "verifier", deadline_s=READY_DEADLINE_S)
        self.engine.connector.limit(kept, lock_ms=LOCK_MS)
        self._sessions[database] = kept
        return kept

    def leave(self, database: str) -> None:
        """Close our own session there, if there is one."""
        kept = self._sessions.pop(database, None)
        if kept is not None:
            kept.close()

    def snapshot(
        self,
        database: str,
        volatile: Mapping[str, Collection[str]] | None = None,
        unread: Collection[str] = (),
    ) -> Snapshot:
        """What the database holds; see :func:`harness.sweep.snapshot.take`."""
        return take(self.engine, self.session(database), volatile, unread)

    # ------------------------------------------------------------------ trials

    def trials(self, count: int) -> list[TrialDatabase]:
        """So many databases for trials; none is prepared yet."""
        while len(self._trials) < count:
            self._count += 1
            self._trials.append(TrialDatabase(f"trial_{self._count}"))
        return self._trials[:count]

    def prepare(self, trial: TrialDatabase, base: str, snapshot: Snapshot) -> None:
        """Make the trial hold what ``base`` holds, at the least cost; a trial like it stays."""
        if trial.holds == snapshot:
            return
        self.leave(trial.database)
        self.leave(base)
        changed = None if trial.holds is None else self._tables(trial.holds, snapshot)
        trial.holds = None
        self.engine.databases.reset(self.observer(), base, trial.database, changed)
        trial.holds = snapshot

    def forget_trials(self) -> None:
        """Drop every trial."""
        for trial in self._trials:
            self.drop(trial.database)
        self._trials.clear()

    def _tables(self, one: Snapshot, other: Snapshot) -> frozenset[str]:
        changed = difference(one, other)
        return frozenset(self.engine.snapshot.tables_of(changed.objects())) | {
            table
            for table in one.contents.keys() | other.contents.keys()
            if one.contents.get(table) != other.contents.get(table)
        }

    # ------------------------------------------------------------------ sessions

    def of_pids(self, pids: Collection[int]) -> list[SessionInfo]:
        """Those of the server sessions that are there."""
        return [i for i in self.engine.sessions.listing(self.observer()) if i.pid in pids]

    def wait_tick(self) -> None:
        """Until the server's clock tells another time: to some, all of a second is one."""
        began = self.observer().run(CLOCK).scalar()
        until(
            "the server's clock to move on",
            TICK_DEADLINE_S,
            lambda: self.observer().run(CLOCK).scalar() != began,
        )

    def wait_quiet(self, pids: Collection[int]) -> None:
        """Until none of the sessions is there; their last statements have ended by then."""
        if pids:
            until(
                "the tool's sessions to be gone", QUIET_DEADLINE_S, lambda: not self.of_pids(pids)
            )

    def restarted(self) -> None:
        """After a restart: nothing that was open is."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self.address = self.server.address()

    def close(self) -> None:
        """Remove the server and all it held."""
        for session in self._sessions.values():
            with suppress(DatabaseError):
                session.close()
        for observer in self._every_observer:
            with suppress(DatabaseError):
                observer.close()
        self.server.destroy()

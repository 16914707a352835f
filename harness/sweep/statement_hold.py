"""Holds one statement of a run inside: by a lock, or by one lock after the other through its waits.

The holder of a later wait is taken while the statement stands in the one before, so no moment lies
between them in which it could slip through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from harness.errors import DatabaseError, Missed
from harness.ports import Session
from harness.sweep.sweep_server import SweepServer
from harness.waiting import until

DEADLINE_S = 60.0


class Unheld(Missed):
    """No lock holds the statement."""


class StatementHold:
    """What holds a statement on one database; ``wait`` is the hold in which it is to stand."""

    def __init__(self, server: SweepServer, database: str, wait: int, again: bool) -> None:
        self._server = server
        self._database = database
        self._wait = wait
        self._again = again
        self._kind = self._sql = ""
        self._holders: dict[int, Session] = {}
        self._locks: dict[int, str] = {}
        """By the session that holds it: what it was taken by."""
        self._queued: dict[int, threading.Thread] = {}

    # ------------------------------------------------------------------ around the run

    def prepare(self) -> None:
        """Before the run begins."""
        session = self._connect()
        self._server.engine.statement_holds.prepare(session)

    def clear(self) -> None:
        """After its end, when none of its sessions is left."""
        self._server.engine.statement_holds.clear(self._server.session(self._database))

    def release(self) -> None:
        """Let it go on. Who still queues behind it has its lock then, at the latest."""
        queued = {pid for pid, thread in self._queued.items() if thread.is_alive()}
        self._drop([one for pid, one in self._holders.items() if pid not in queued])
        for thread in self._queued.values():
            thread.join()
        self._queued.clear()
        self._drop(list(self._holders.values()))

    # ------------------------------------------------------------------ holding it

    def take(self, kind: str, sql: str) -> None:
        """Take the lock that will hold it; DatabaseError if none can be had."""
        self._kind, self._sql = kind, sql
        holds = self._server.engine.statement_holds
        locks = holds.parts(self._some(), kind, sql) if self._wait > 1 else ()
        if not locks:
            holds.hold(self._some(), kind, sql, again=self._again)
            return
        for lock in locks:
            session = self._connect()
            self._locks[session.pid] = lock
            holds.take_part(session, lock)

    def move_on(self, pids: Collection[int], is_through: Callable[[], bool]) -> None:
        """From its first wait to the wanted one, or until it is through."""
        if self._locks:
            if not self._again:
                self._past_commit(pids, is_through)
            return
        for wait in range(2, self._wait + 1):
            before = list(self._holders.values())
            session = self._connect()
            self._server.engine.statement_holds.hold(session, self._kind, self._sql, wait)
            self._drop(before)
            until(
                f"the statement to come to its wait {wait}",
                DEADLINE_S,
                lambda: is_through() or self._blocked(pids),
            )

    def _past_commit(self, pids: Collection[int], is_through: Callable[[], bool]) -> None:
        """From lock to lock until it stands in a later transaction: so many commits are behind it.

        Whoever queues for a lock behind it gets the lock at the very moment of its commit.
        """
        engine, observer = self._server.engine, self._server.observer()
        begun, commits = "", 0
        while not is_through():
            found = self._blocked(pids)
            if found is None:
                return
            waiter, blocker = found
            now = engine.statement_holds.transaction_of(observer, waiter)
            commits += bool(begun) and now != begun
            if commits >= self._wait - 1:
                return
            begun = now
            if engine.statement_holds.QUEUES:
                self._queue(self._locks[blocker])
            self._drop([self._holders[blocker]])
            until(
                "the statement to come to its next lock",
                DEADLINE_S,
                lambda: is_through() or self._blocked(pids),
            )

    def _queue(self, lock: str) -> None:
        """Ask for a lock that the statement waits for, behind it."""
        session = self._connect()
        self._locks[session.pid] = lock

        def ask() -> None:
            try:
                self._server.engine.statement_holds.take_part(session, lock)
            except DatabaseError:
                return  # it was released before its turn came

        self._queued[session.pid] = thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        until("a lock to be queued for", DEADLINE_S, lambda: self._waits(session.pid))

    def _waits(self, pid: int) -> bool:
        return any(waiter == pid for waiter, _ in self._pairs())

    def _blocked(self, pids: Collection[int]) -> tuple[int, int] | None:
        """A session of the run and the one of ours that it waits for."""
        pairs = self._pairs()
        waiting = {waiter for waiter, _ in pairs}
        for waiter, blocker in pairs:
            if waiter in pids and blocker in self._holders and blocker not in waiting:
                return waiter, blocker
        return None

    def _pairs(self) -> list[tuple[int, int]]:
        sessions = self._server.engine.sessions
        pairs: list[tuple[int, int]] = sessions.waiting(self._server.observer(), self._database)
        return pairs

    # ------------------------------------------------------------------ sessions of ours

    def _some(self) -> Session:
        return next(iter(self._holders.values()), None) or self._connect()

    def _connect(self) -> Session:
        session = self._server.guard.connect(self._database, "hold")
        self._holders[session.pid] = session
        return session

    def _drop(self, sessions: Collection[Session]) -> None:
        for session in sessions:
            del self._holders[session.pid]
            session.close()

"""Sessions of ours that are kept for the next question, and opened again when they are lost."""

from __future__ import annotations

from contextlib import suppress

from harness.errors import DatabaseError
from harness.ports import Session
from harness.servers.guard import Guard

RESTART_DEADLINE_S = 120.0


class KeptSessions:
    """One session in each database, under one role; a lost one is replaced when it is asked for.

    ``lock_ms`` and ``statement_ms`` bound what is asked in them. ``deadline_s`` is how long a
    server that is coming back is waited for.
    """

    def __init__(
        self,
        guard: Guard,
        role: str,
        *,
        lock_ms: int | None = None,
        statement_ms: int | None = None,
        deadline_s: float = RESTART_DEADLINE_S,
    ) -> None:
        self._guard = guard
        self._role = role
        self._lock_ms = lock_ms
        self._statement_ms = statement_ms
        self._deadline_s = deadline_s
        self._open: dict[str, Session] = {}

    def of(self, database: str) -> Session:
        """The session in that database. DatabaseError if there is none to be had."""
        kept = self._open.get(database)
        if kept is not None:
            try:
                kept.run("SELECT 1")
                return kept
            except DatabaseError:
                self.leave(database)
        session = self._guard.connect(database, self._role, deadline_s=self._deadline_s)
        self._guard.engine.connector.limit(
            session, lock_ms=self._lock_ms, statement_ms=self._statement_ms
        )
        self._open[database] = session
        return session

    def leave(self, database: str) -> None:
        """Close the session in that database, if there is one."""
        kept = self._open.pop(database, None)
        if kept is not None:
            with suppress(DatabaseError):
                kept.close()

    def close(self) -> None:
        """Close all of them; each is opened again when it is asked for."""
        for database in tuple(self._open):
            self.leave(database)


class Observer:
    """A lasting session outside the databases under test, renewed when the server came back."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._session: Session | None = None

    def __call__(self) -> Session:
        if self._session is not None:
            try:
                self._session.run("SELECT 1")
                return self._session
            except DatabaseError:
                self.close()
        session = self._guard.connect(
            self._guard.engine.databases.maintenance, "observer", deadline_s=RESTART_DEADLINE_S
        )
        self._guard.engine.sessions.prepare_progress(session)
        self._session = session
        return session

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(DatabaseError):
                session.close()

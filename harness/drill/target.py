"""The live pair of a throwaway server and one database on it: what every verb acts upon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from harness.drill.migration_runs import MigrationRunner, WorkerRun
from harness.errors import DatabaseError
from harness.ports import Session
from harness.record.timeline import Timeline
from harness.servers.guard import Guard

ASK_LOCK_MS = 1000
ASK_STATEMENT_MS = 15_000
RESTART_DEADLINE_S = 60.0
PROBE_S = 1
"""How long a frozen server is asked before a lasting session is used."""


class Observer:
    """A lasting session outside the database under test, renewed when the server came back."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._session: Session | None = None

    def __call__(self) -> Session:
        if self._session is not None:
            try:
                self._session.run("SELECT 1")
                return self._session
            except DatabaseError:
                self._session.close()
        self._session = self._guard.connect(
            self._guard.engine.databases.maintenance, "observer", deadline_s=RESTART_DEADLINE_S
        )
        self._guard.engine.sessions.prepare_progress(self._session)
        return self._session

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


class LiveTarget:
    """See ``harness.ports.Target``; made by the trial, torn down by the trial."""

    def __init__(
        self,
        guard: Guard,
        observer: Callable[[], Session],
        database: str,
        pristine: str,
        timeline: Timeline,
        conductor: MigrationRunner,
    ) -> None:
        self.engine = guard.engine
        self.server = guard.server
        self.database = database
        self.pristine = pristine
        self.migrated_fingerprint = ""
        self.timeline = timeline
        self.app = None
        self.migration: WorkerRun | None = None
        self.shelf: dict[str, Any] = {}
        self._observer = observer
        self._questions: dict[str, Session] = {}
        self._guard = guard
        self._conductor = conductor

    def connect(self, role: str, database: str | None = None, *, timeout_s: float = 5) -> Session:
        return self._guard.connect(database or self.database, role, timeout_s=timeout_s)

    @contextmanager
    def session(self, role: str, database: str | None = None) -> Iterator[Session]:
        session = self.connect(role, database)
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def asking(self, database: str | None = None) -> Iterator[Session]:
        name = database or self.database
        yield self._kept(name)

    def _kept(self, database: str) -> Session:
        """A session for questions, kept for the next one; renewed when it is lost."""
        self._probe_if_frozen()
        session = self._questions.get(database)
        if session is not None:
            try:
                session.run("SELECT 1")
                return session
            except DatabaseError:
                session.close()
        session = self.connect("verifier", database)
        self.engine.connector.limit(session, lock_ms=ASK_LOCK_MS, statement_ms=ASK_STATEMENT_MS)
        self._questions[database] = session
        return session

    def close(self) -> None:
        """Close what was kept open for questions."""
        for session in self._questions.values():
            session.close()

    def observer(self) -> Session:
        self._probe_if_frozen()
        return self._observer()

    def _probe_if_frozen(self) -> None:
        """A lasting session would wait for ever; a new connection is lost in time."""
        if self.shelf.get("frozen"):
            self.connect("probe", timeout_s=PROBE_S).close()

    def start_migration(self, **changes: Any) -> WorkerRun:
        self.migration = self._conductor.start(**changes)
        return self.migration

    def whose(self, pid: int) -> str:
        hold = self.shelf.get("hold.session")
        if pid in self._conductor.session_pids:
            return "migration"
        if hold is not None and hold.pid == pid:
            return "blocker"
        return "application" if self.app and pid in self.app.pids() else "other"

    def touched(self, table: str) -> tuple[Any, ...]:
        return self.app.touched(table) if self.app else ()

"""The live pair of a throwaway server and one database on it: what every verb acts upon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness.drill.migration_runs import MigrationRunner, SteeredRun
from harness.errors import EnvironmentProblem
from harness.ports import Belief, Session
from harness.record.timeline import Timeline
from harness.servers.sessions import KeptSessions
from harness.servers.throwaway import ThrowawayServer
from harness.state.snapshot import Snapshot
from harness.tools.adapter import Adapter, filled, for_dialect, lock_key
from harness.tools.belief import believes
from harness.verbs.protocols import Application, Shelf

ASK_LOCK_MS = 1000
ASK_STATEMENT_MS = 15_000
PROBE_S = 1
"""How long a frozen server is asked before a lasting session is used."""


class LiveTarget:
    """See ``harness.verbs.protocols.Target``; made by the trial, torn down by the trial."""

    def __init__(
        self,
        host: ThrowawayServer,
        database: str,
        pristine: str,
        timeline: Timeline,
        runner: MigrationRunner,
        tool: Adapter,
    ) -> None:
        """``tool`` is the adapter of the migration tool that keeps a version table."""
        self.host = host
        self.engine = host.engine
        self.server = host.server
        self.database = database
        self.pristine = pristine
        self.migrated: Snapshot | None = None
        self.timeline = timeline
        self.app: Application | None = None
        self.shelf = Shelf()
        self._runner = runner
        self._tool = tool
        self.run: SteeredRun | None = None
        self._questions = KeptSessions(
            host.guard,
            "verifier",
            lock_ms=ASK_LOCK_MS,
            statement_ms=ASK_STATEMENT_MS,
            deadline_s=0,
        )

    @property
    def migration(self) -> SteeredRun:
        if self.run is None:
            raise EnvironmentProblem("the migration was not started yet")
        return self.run

    def connect(self, role: str, database: str | None = None, *, timeout_s: float = 5) -> Session:
        return self.host.guard.connect(database or self.database, role, timeout_s=timeout_s)

    @contextmanager
    def session(self, role: str, database: str | None = None) -> Iterator[Session]:
        session = self.connect(role, database)
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def asking(self, database: str | None = None) -> Iterator[Session]:
        self._probe_if_frozen()
        yield self._questions.of(database or self.database)

    def end(self) -> None:
        """Leave no process, no connection and no session of ours behind."""
        self._runner.end()
        if self.shelf.proxy:
            self.shelf.proxy.close()
        self._questions.close()

    def observer(self) -> Session:
        self._probe_if_frozen()
        return self.host.observer()

    def _probe_if_frozen(self) -> None:
        """A lasting session would wait for ever; a new connection is lost in time."""
        if self.shelf.frozen:
            self.connect("probe", timeout_s=PROBE_S).close()

    def start_migration(
        self,
        *,
        force: str | None = None,
        limits: Mapping[str, int] | None = None,
        through: int | None = None,
    ) -> SteeredRun:
        """Begin a run; ``through`` is the port of a proxy that it connects by."""
        self.run = self._runner.start(force=force, limits=limits, through=through)
        return self.run

    def tool_believes(self) -> Belief:
        with self.asking() as session:
            return believes(self._tool, self.engine, session, self.database)

    def tool_is_locked(self) -> bool:
        """Tries the tool's own lock, and gives it back at once."""
        sends = for_dialect(self._tool.emulation, self.engine.name, self.engine.dialect)
        values = {"lock_key": lock_key(self.database), "database": self.database}
        with self.asking() as session:
            if not session.run(filled(sends.try_lock or sends.lock, values)).scalar():
                return True
            session.run(filled(sends.unlock, values))
            return False

    @property
    def migration_pids(self) -> frozenset[int]:
        """Server sessions of every run of the migration."""
        return self._runner.session_pids

    def whose(self, pid: int) -> str:
        holder = self.shelf.holder
        if pid in self._runner.session_pids:
            return "migration"
        if holder is not None and holder.pid == pid:
            return "blocker"
        return "application" if self.app and pid in self.app.pids() else "other"

    def touched(self, table: str) -> tuple[Any, ...]:
        """A table may be named with its default schema or without."""
        if self.app is None:
            return ()
        return self.app.touched(table) or self.app.touched(table.rpartition(".")[2])

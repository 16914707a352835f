"""What a scenario's words do, and the target that each of them is handed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from harness.errors import StepFailed
from harness.model import Sql, in_dialect
from harness.ports import (
    Belief,
    Capability,
    Engine,
    Finding,
    MigrationOutcome,
    Order,
    Server,
    Session,
    SessionInfo,
    Traffic,
    Witness,
)
from harness.record.timeline import Timeline
from harness.servers.throwaway import ThrowawayServer
from harness.state.snapshot import Snapshot
from harness.wire import Proxy


class Application(Protocol):
    """The application in the background, as verbs may use it."""

    @property
    def version(self) -> str:
        """The version that is deployed now."""
        ...

    def switch(self, version: str) -> None:
        """Deploy another version; every following operation uses it."""

    def release_writers(self) -> None:
        """Let the writers go on, if something held them."""

    def traffic(self, since_ns: int = 0) -> Traffic:
        """What finished since, and what is in flight now."""
        ...

    def works(self, operations: int, deadline_s: float) -> Traffic:
        """Wait until each worker did that many operations from now on, or one fails."""
        ...

    def touched(self, table: str) -> tuple[Any, ...]:
        """Keys of that table's rows which the application wrote or tried to write."""
        ...

    def pids(self) -> frozenset[int]:
        """Server sessions of its workers."""
        ...

    def settle_ledger(self, session: Session) -> Finding:
        """Compare every acknowledged write with what the database holds now."""
        ...

    def check_ledger(
        self, asking: Callable[..., AbstractContextManager[Session]], after: str, pristine: str
    ) -> None:
        """Compare them between two steps; what is destroyed is kept, whatever follows."""


class MigrationRun(Protocol):
    """A migrator at work in its own process."""

    session: SessionInfo | None
    process_id: int

    def alive(self) -> bool: ...

    def outcome(self, deadline_s: float) -> MigrationOutcome:
        """Wait until the process has ended; DeadlineExceeded if it does not."""
        ...

    def signal(self, name: str) -> None:
        """Send a signal by name (``KILL``, ``TERM``) to the migrator's process."""


@dataclass
class Shelf:
    """What one verb leaves for a later one in the same trial."""

    backup: bytes | None = None
    """The dump taken before the migration."""
    hold: HoldKind | None = None
    """The hold that was armed."""
    holder: Session | None = None
    """The session that holds its lock; None once it let go."""
    proxy: Proxy | None = None
    """What the migration's first run connects through, so that it can be cut."""
    frozen: bool = False
    """The server was frozen and not thawed."""


class Target(Protocol):
    """What a verb is handed: one database on one throwaway server, and who is at work on it.

    Nothing here takes an address from outside: every session goes through the guard.
    """

    host: ThrowawayServer
    engine: Engine
    server: Server
    database: str
    pristine: str
    """The untouched database that this trial's was cloned from."""
    migrated: Snapshot | None
    """What an unbroken run of the migration leaves; None where none went through."""
    timeline: Timeline
    app: Application | None
    shelf: Shelf

    @property
    def run(self) -> MigrationRun | None:
        """The latest run of the migration; None before the first one."""
        ...

    @property
    def migration(self) -> MigrationRun:
        """The latest run of the migration. EnvironmentProblem before the first one."""
        ...

    def connect(self, role: str, database: str | None = None, *, timeout_s: float = 5) -> Session:
        """A proven session, for the caller to close."""
        ...

    def session(self, role: str, database: str | None = None) -> AbstractContextManager[Session]:
        """A proven session, closed at the end of the block."""
        ...

    def asking(self, database: str | None = None) -> AbstractContextManager[Session]:
        """A session for questions, with short timeouts, kept open for the next question."""
        ...

    def observer(self) -> Session:
        """A lasting session outside the database under test, renewed after a restart."""
        ...

    def start_migration(
        self, *, force: str | None = None, limits: dict[str, int] | None = None
    ) -> MigrationRun:
        """Begin another run of the migration, e.g. a retry.

        ``force`` only makes the tool take that version for applied; ``limits`` are timeouts.
        """
        ...

    def tool_believes(self) -> Belief:
        """What the migration tool's own table says."""
        ...

    def tool_is_locked(self) -> bool:
        """Whether somebody holds the migration tool's lock."""
        ...

    def whose(self, pid: int) -> str:
        """``migration``, ``application``, ``blocker`` or ``other``."""
        ...

    def touched(self, table: str) -> tuple[Any, ...]:
        """Keys of the rows that the application wrote, so that they can be left out."""
        ...


def sql_for(target: Target, sql: Sql) -> str:
    """The text for the target's engine. StepFailed if the scenario has none for it."""
    engine = target.engine
    text = in_dialect(sql, engine.name, engine.dialect)
    if text is None:
        raise StepFailed(f"no SQL is given for {engine.title}")
    return text


class FaultKind(Protocol):
    """A fault. ``strike`` does not return before its witnesses are in hand.

    It may not judge, repair, or sleep. ``heal`` undoes only what a machine's supervisor would
    (starts a killed server again) and is safe to call twice.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset()
    """What a server must be able to do; asked when trials are planned."""
    strikes_when_done: ClassVar[bool] = False
    """True if the harm comes from a migration that goes through."""
    through_proxy: ClassVar[bool] = False
    """True if the migrator must connect through a proxy that can be cut."""
    deadline_s: ClassVar[float] = 60.0

    def session_ends(self) -> bool:
        """False if the migration's server session lives on after the strike, by design."""
        return True

    def order(self) -> Order | None:
        """What to tell the migrator in place of a plain go."""
        return None

    def strike(self, target: Target) -> Sequence[Witness]:
        """Strike. DatabaseError or DeadlineExceeded if it missed."""
        ...

    def heal(self, target: Target) -> None:
        """Undo what a machine's supervisor would."""
        return


class HoldKind(Protocol):
    """Holds a statement while it runs, deterministically: by a lock, never by the clock."""

    def arm(self, target: Target) -> None:
        """Take the lock, just before the statement is sent."""

    def release(self, target: Target) -> None:
        """Let go; safe to call twice."""

    def holder(self, target: Target) -> SessionInfo | None:
        """The session that holds the lock; None once it is gone."""
        ...

    def prepare(self, target: Target) -> None:
        """What must be in place before the migration starts."""
        return

    def follow(self, target: Target) -> None:
        """What can only be done once the statement has been sent."""
        return

    def clear(self, target: Target) -> None:
        """Remove what ``prepare`` put in place, once nobody is parked in it."""
        return


class StepKind(Protocol):
    """A verb of a procedure. Returns what it did, in one line; StepFailed if it could not."""

    def perform(self, target: Target, deadline_s: float) -> str: ...


class ClaimKind(Protocol):
    """A probe with its expectation. It looks and never acts.

    A server's error is an answer (not held); a lost connection is none (unanswerable): the
    caller sees to both.
    """

    needs_app: ClassVar[bool] = False

    def check(self, target: Target) -> Finding: ...

"""What a scenario's words do, and the target that each of them is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from harness.ports.engines import Engine, Session
from harness.ports.servers import Server
from harness.ports.values import (
    Capability,
    Finding,
    MigrationOutcome,
    SessionInfo,
    Traffic,
    Witness,
)
from harness.record.timeline import Timeline


class Application(Protocol):
    """The application in the background, as verbs may use it."""

    version: str

    def switch(self, version: str) -> None:
        """Deploy another version; every following operation uses it."""

    def traffic(self, since_ns: int = 0) -> Traffic: ...

    def works(self, operations: int, deadline_s: float) -> Traffic:
        """Wait until each worker did that many operations from now on, or one fails."""

    def touched(self, table: str) -> tuple[Any, ...]:
        """Keys of that table's rows which the application wrote or tried to write."""

    def pids(self) -> frozenset[int]:
        """Server sessions of its workers."""

    def settle_ledger(self, session: Session) -> Finding:
        """Compare every acknowledged write with what the database holds now."""


class MigrationRun(Protocol):
    """A migrator at work in its own process."""

    session: SessionInfo | None
    process_id: int

    def alive(self) -> bool: ...

    def outcome(self, deadline_s: float) -> MigrationOutcome:
        """Wait until the process has ended; DeadlineExceeded if it does not."""

    def signal(self, name: str) -> None:
        """Send a signal by name (``KILL``, ``TERM``) to the migrator's process."""


class Target(Protocol):
    """What a verb is handed: one database on one throwaway server, and who is at work on it.

    Nothing here takes an address from outside: every session goes through the guard.
    """

    engine: Engine
    server: Server
    database: str
    pristine: str
    """The untouched database that this trial's was cloned from."""
    migrated_fingerprint: str
    """The schema as an unbroken run of the migration leaves it."""
    timeline: Timeline
    app: Application | None
    migration: MigrationRun | None
    """The latest run of the migration."""
    shelf: dict[str, Any]
    """What one verb leaves for a later one in the same trial: a dump, a hold, a relay."""

    def connect(
        self, role: str, database: str | None = None, *, timeout_s: float = 5
    ) -> Session: ...

    def session(self, role: str, database: str | None = None) -> AbstractContextManager[Session]:
        """A proven session, closed at the end of the block."""

    def asking(self, database: str | None = None) -> AbstractContextManager[Session]:
        """A session for questions, with short timeouts, kept open for the next question."""

    def observer(self) -> Session:
        """A lasting session outside the database under test, renewed after a restart."""

    def start_migration(self, **changes: Any) -> MigrationRun:
        """Begin another run of the migration, e.g. a retry; ``changes`` go into its job."""

    def whose(self, pid: int) -> str:
        """``migration``, ``application``, ``blocker`` or ``other``."""

    def touched(self, table: str) -> tuple[Any, ...]:
        """Keys of the rows that the application wrote, so that they can be left out."""


class FaultKind(Protocol):
    """A fault. ``strike`` does not return before its witnesses are in hand.

    It may not judge, repair, or sleep. ``heal`` undoes only what a machine's supervisor would
    (starts a killed server again) and is safe to call twice.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset()
    strikes_when_done: ClassVar[bool] = False
    """True if the harm comes from a migration that goes through."""
    through_relay: ClassVar[bool] = False
    """True if the migrator must connect through a relay that can be cut."""
    deadline_s: ClassVar[float] = 60.0

    def session_ends(self) -> bool:
        """False if the migration's server session lives on after the strike, by design."""
        return True

    def orders(self) -> Mapping[str, Any]:
        """What to tell the migrator in place of a plain go: ``instead``, ``limits``."""
        return {}

    def strike(self, target: Target) -> Sequence[Witness]: ...

    def heal(self, target: Target) -> None:
        return


class HoldKind(Protocol):
    """Holds a statement while it runs, deterministically: by a lock, never by the clock."""

    def arm(self, target: Target) -> None:
        """Take the lock, just before the statement is sent."""

    def open(self, target: Target) -> None:
        """Let go; safe to call twice."""

    def holder(self, target: Target) -> SessionInfo | None:
        """The session that holds the lock; None once it is gone."""

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


class MigratorKind(Protocol):
    """A migration tool, run inside its own process.

    ``checkpoint(where, first, last)`` must be called ``before`` and ``after`` every message that
    carries statements; it returns when the conductor lets the tool go on, and before a message
    may give a text to send instead.
    """

    modes: ClassVar[frozenset[str]]
    """The ways of sending a migration that this tool knows."""

    def apply(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None: ...


class Renderer(Protocol):
    """One report format. Reads records and verdicts; computes neither."""

    file_name: str

    def render(self, run: Mapping[str, Any]) -> str | bytes: ...

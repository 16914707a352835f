"""The protocols through which the rooms of floor 6 meet, and the values they exchange.

Backends know :class:`Recipe` and no engine; engines know no backend. A verb (fault, gate,
step, claim) is handed a :class:`Target` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol, runtime_checkable

from harness.timeline import Timeline

# ----------------------------------------------------------------------------- values


@dataclass(frozen=True)
class Rows:
    """What a statement returned: column names, rows, and how many rows it affected."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    affected: int = 0

    def scalar(self) -> Any:
        """The first column of the first row; None if there is no row."""
        return self.rows[0][0] if self.rows else None


@dataclass(frozen=True)
class Address:
    """Where a server listens and who may enter; the password never reaches the record."""

    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class SessionInfo:
    """A server session as an observer sees it.

    ``started`` tells two sessions with one pid apart. ``state`` is ``active``, ``idle``,
    ``idle in transaction`` or the engine's own word; ``wait`` what it waits for, or "".
    """

    pid: int
    started: str
    application: str
    state: str
    wait: str
    query: str
    database: str = ""


@dataclass(frozen=True)
class ToolResult:
    """How a command-line tool of the server ended: exit code and capped output."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Recipe:
    """How a server of an engine starts, wherever it starts; a value, no code.

    Placeholders in argument lists: ``{data}``, ``{socket_dir}`` (a local server must make its
    Unix socket there), ``{port}``, ``{password_file}``, ``{bootstrap_file}`` (``bootstrap_sql``
    with the password in it), ``{user}`` (the account the server process runs under),
    ``{binary_dir}``.
    """

    engine: str
    image: str
    """The official image, e.g. ``postgres:18``."""
    stand_in: str
    """The image that ``mdrill images build`` makes, e.g. ``migration-drill/postgres:18``."""
    port: int
    superuser: str
    container_env: Mapping[str, str]
    """Environment of the container; ``{password}`` is replaced."""
    container_args: tuple[str, ...]
    """Arguments given to the image's entry point: the server settings of every backend."""
    binary: str
    """Name of the server program for the local backend: ``postgres``, ``mysqld``, ``mariadbd``."""
    init_argv: tuple[str, ...]
    serve_argv: tuple[str, ...]
    settings: tuple[str, ...]
    """Server settings shared by every backend, as command-line arguments."""
    bootstrap_sql: str = ""
    """SQL that sets the superuser's password in a local server; ``{password}`` is replaced."""
    tools: tuple[str, ...] = ()
    """Client programs that backups need, e.g. ``pg_dump``, ``pg_restore``."""
    fetch_hint: str = ""
    """The one command that mends a machine on which the local binaries are missing."""


@dataclass(frozen=True)
class ServerFacts:
    """What ran, for the record: backend, image or binary, digest, version."""

    backend: str
    engine: str
    image: str
    digest: str
    version: str = ""


class Capability(StrEnum):
    """What a server may or may not be able to do; a fault states what it needs."""

    KILL = "kill"
    PAUSE = "pause"
    TOOLS = "tools"


@dataclass(frozen=True)
class Witness:
    """One independent sign that a fault struck.

    ``source`` is who tells it: ``injector`` (what we did), ``victim`` (the error or exit code
    on its side), ``observer`` (another session), ``os`` (exit status), ``docker``
    (an engine event), ``log`` (the server's log).
    """

    source: str
    says: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Answer(StrEnum):
    """What a claim found. An unanswerable claim is never a pass."""

    HELD = "held"
    NOT_HELD = "not held"
    UNANSWERABLE = "unanswerable"


@dataclass(frozen=True)
class Finding:
    """A claim's answer with its evidence; ``population`` is how many rows or operations it saw.

    ``population`` of zero makes any answer vacuous, and a vacuous answer is inconclusive.
    """

    answer: Answer
    found: str
    wanted: str
    population: int | None = None
    lost: int = 0


# ----------------------------------------------------------------------------- servers


class Server(Protocol):
    """A throwaway server started by this run. It may be told to die, never to be someone else's.

    ``address`` is looked up anew at each call: after a restart the port may differ.
    """

    facts: ServerFacts
    capabilities: frozenset[Capability]

    def address(self) -> Address: ...

    def proof(self) -> str:
        """Proves from outside (label, pid) that this is the server we started; else GuardRefused."""

    def logs(self) -> str:
        """The server's log so far, capped."""

    def destroy(self) -> None:
        """Remove it and all it left; safe to call twice."""


@runtime_checkable
class Killable(Protocol):
    """The server can be killed by SIGKILL and started again on the same data."""

    def kill(self) -> Sequence[Witness]:
        """SIGKILL the whole server; returns the witnesses of its death."""

    def start_again(self) -> None:
        """Start it on the same data; returns when its process runs, not when it is ready."""


@runtime_checkable
class Pausable(Protocol):
    """The server can be frozen and thawed (SIGSTOP, cgroup freezer)."""

    def pause(self) -> Sequence[Witness]: ...

    def resume(self) -> None: ...


@runtime_checkable
class HasTools(Protocol):
    """The engine's own command-line tools can be run against the server."""

    def run_tool(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 120
    ) -> ToolResult:
        """Run a client program beside the server, already authenticated as the superuser."""


class Backend(Protocol):
    """Where servers come from."""

    name: str

    def available(self) -> str | None:
        """None if it can be used here, else one sentence on why not."""

    def cannot_run(self, recipe: Recipe) -> str | None:
        """None if a server of that engine can be had here, else one sentence with the remedy."""

    def start(self, recipe: Recipe, image: str | None = None) -> Server:
        """Start a server; returns when its process runs. EnvironmentProblem if it cannot be had."""

    def leftovers(self) -> list[str]:
        """What dead owners left, one line each; nothing is removed."""

    def collect_garbage(self) -> list[str]:
        """Remove what dead owners left; returns what was removed, one line each."""


# ----------------------------------------------------------------------------- engines


class Session(Protocol):
    """One connection, already past the guard. Statements run at once (autocommit)."""

    pid: int

    def run(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Send one message; the last result. DatabaseError if the server answers with one."""

    def run_file(self, sql: str) -> None:
        """Send several statements as one message, as tools do with a whole file."""

    def close(self) -> None: ...


class Connector(Protocol):
    """The driver of an engine."""

    def connect(
        self, address: Address, database: str, *, application: str, timeout_s: float = 5
    ) -> Session:
        """Open a session in autocommit. DatabaseError(lost=True) if nobody answers."""


class Engine(Protocol):
    """Everything specific to one database engine, as modules of small named facts.

    The modules' functions are described in ``harness/engines/README.md``; the conformance
    suite runs all of them on every engine.
    """

    name: str
    title: str
    """As reports name it: PostgreSQL, MySQL, MariaDB."""
    dialect: str
    """Whose SQL it speaks when a scenario has none under its own name."""
    traits: frozenset[str]
    recipe: Recipe
    connector: ModuleType
    databases: ModuleType
    sessions: ModuleType
    catalog: ModuleType
    plans: ModuleType
    backups: ModuleType
    gating: ModuleType


# ----------------------------------------------------------------------------- verbs


@dataclass
class Traffic:
    """What the application experienced since some moment."""

    ok: int = 0
    errors: int = 0
    waiting: int = 0
    worst_ms: float = 0.0
    longest_wait_ms: float = 0.0
    first_error: str = ""
    reached: bool = False
    """True when every worker did as many operations as were asked for."""


class Application(Protocol):
    """The application in the background, as verbs may use it."""

    version: str

    def switch(self, version: str) -> None:
        """Deploy another version; every following operation uses it."""

    def traffic(self, since_ns: int = 0) -> Traffic: ...

    def works(self, operations: int, deadline_s: float) -> Traffic:
        """Wait until each worker did that many operations from now on, or fails, or the deadline."""

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

    def outcome(self, deadline_s: float) -> Outcome:
        """Wait until the process has ended; DeadlineExceeded if it does not."""

    def signal(self, name: str) -> None:
        """Send a signal by name (``KILL``, ``TERM``) to the migrator's process."""


@dataclass(frozen=True)
class Outcome:
    """How a migrator ended: statements acknowledged, its error if any, its exit status."""

    done: int
    finished: bool
    code: str = ""
    message: str = ""
    exit_status: int | None = None


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
    """What one verb leaves for a later one in the same trial: a dump, a gate, a relay."""

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
        """What to tell the migrator instead of a plain go at the moment: ``instead``, ``limits``."""
        return {}

    def strike(self, target: Target) -> Sequence[Witness]: ...

    def heal(self, target: Target) -> None:
        return


class GateKind(Protocol):
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
    """A verb of a recovery procedure. Returns what it did, in one line; StepFailed if it could not."""

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


def text_of(path: Path, limit: int = 64_000) -> str:
    """The head and the tail of a text file, each up to ``limit`` bytes."""
    raw = path.read_bytes() if path.exists() else b""
    if len(raw) > 2 * limit:
        raw = raw[:limit] + b"\n... cut ...\n" + raw[-limit:]
    return raw.decode("utf-8", "replace")

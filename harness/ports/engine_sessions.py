"""What common code asks of an engine's sessions and databases; see ``harness/engines/README.md``.

``S`` is the session of the engine's own driver.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from harness.ports.contents import Table
from harness.ports.values import Address, Rows, SentStatement, SessionInfo, SessionProgress


class Session(Protocol):
    """One connection, already past the guard. Statements run at once (autocommit)."""

    pid: int

    def run(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Send one message; the last result. DatabaseError if the server answers with one."""
        ...

    def run_file(self, sql: str) -> None:
        """Send several statements as one message, as tools do with a whole file."""

    def close(self) -> None:
        """Say goodbye; safe to call twice and on a broken connection."""


S = TypeVar("S", bound=Session)
S_in = TypeVar("S_in", bound=Session, contravariant=True)


class ConnectorModule(Protocol[S]):
    """The driver of an engine."""

    def connect(
        self, address: Address, database: str, *, application: str, timeout_s: float = 5
    ) -> S:
        """Open a session in autocommit. DatabaseError(lost=True) if nobody answers in time (s)."""
        ...

    def limit(self, s: S, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
        """Set the session's timeouts; None leaves one as it is."""

    def client_line(self, address: Address, database: str) -> str:
        """The shell line with which a person connects."""
        ...

    def identity(self, s: S) -> str:
        """What tells this server from every other one, also after a restart."""
        ...

    def version(self, s: S) -> str:
        """The server's own version text."""
        ...


class DatabasesModule(Protocol[S_in]):
    """Databases on one server: made, cloned, reset, removed; and the nonce that they show."""

    maintenance: str
    """The database that is always there, in which nothing is tested."""

    def plant_nonce(self, s: S_in, nonce: str) -> None:
        """Make every database, also later ones, show the nonce."""

    def read_nonce(self, s: S_in) -> str | None:
        """The nonce that the session's database shows; None if there is none."""
        ...

    def create(self, s: S_in, name: str) -> None:
        """A new, empty database."""

    def drop(self, s: S_in, name: str) -> None:
        """End every session in it and remove it; no error if it is not there."""

    def clone(self, s: S_in, template: str, name: str) -> None:
        """A new database that holds what the template holds."""

    def reset(self, s: S_in, template: str, name: str, changed: Collection[str] | None) -> None:
        """Make it equal to the template again; only the tables ``changed`` differ, if told."""

    def keep_rows(self, s: S_in, tables: Collection[str]) -> Mapping[str, bytes]:
        """The rows of small tables of the session's database, by table, for :meth:`refill`; nothing
        where that takes them from the template.
        """
        ...

    def refill(self, s: S_in, template: str, table: Table, rows: bytes) -> None:
        """Give a small table of the session's database the rows that were kept, or that it has in
        the template; it must have no trigger.
        """

    def forget_reserved_keys(self, s: S_in, tables: Collection[str]) -> None:
        """Let each column of theirs that numbers itself go on behind its largest value: what a
        server has reserved and never given, it forgets in a crash.
        """

    def give_next(self, s: S_in, numbers: Mapping[str, int]) -> None:
        """Let sequences and tables that number themselves, by the name of the counter, give that
        number next; never one that they have given.
        """

    def settings(self, s: S_in) -> Mapping[str, str]:
        """What the server is set to for everybody, by name, but for what a restart changes."""
        ...

    def series(self, count: int) -> str:
        """A derived table ``series`` with one column ``n`` = 1 … count."""
        ...


class SessionsModule(Protocol[S_in]):
    """Who is connected, who waits for whom, and how a session is ended."""

    KILLED: frozenset[str]
    """Codes that a session gets which is ended from outside."""
    look_sql: Mapping[str, str]
    """Diagnosis queries as a person types them, by name."""

    def waits_for_lock(self, info: SessionInfo) -> bool:
        """Whether the session is parked on a lock."""
        ...

    def listing(self, s: S_in) -> list[SessionInfo]:
        """Every client session of the server, this one included."""
        ...

    def find(self, s: S_in, pid: int, started: str) -> SessionInfo | None:
        """One session; None once it is gone, its locks free and its work undone."""
        ...

    def end(self, s: S_in, pid: int, started: str) -> bool:
        """Tell that very session to end; False if it is not there."""
        ...

    def end_sql(self, pid: int) -> str:
        """The bare command a person would paste."""
        ...

    def cancel(self, s: S_in, pid: int, started: str) -> bool:
        """End the query it runs, and nothing else; False if it is not there."""
        ...

    def waiting(self, s: S_in, database: str) -> list[tuple[int, int]]:
        """(waiter, blocker) pairs in the database."""
        ...

    def root_blockers(self, s: S_in, database: str) -> list[int]:
        """Sessions that block others and wait for nobody."""
        ...

    def progress(self, s: S_in) -> list[SessionProgress]:
        """What is under way, as the server counts it."""
        ...

    def prepare_progress(self, s: S_in) -> None:
        """Switch on what :meth:`progress` needs, once for each start of the server."""


class StatementLogModule(Protocol[S_in]):
    """The server's own log of what sessions send it."""

    def begin(self, s: S_in, database: str) -> None:
        """From now on new sessions in that database are logged, statement by statement."""

    def read(self, s: S_in, log: str) -> list[SentStatement]:
        """What was logged so far, in order; ``log`` is the text of the server's log file."""
        ...

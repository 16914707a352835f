"""What common code asks of a database engine; see ``harness/engines/README.md``.

An engine is a folder of modules of small named facts. Each module is described here by a protocol,
which the type checker holds against it; the conformance suite runs all of them on real servers.
``S`` is the session of the engine's own driver.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from harness.ports.contents import Counter, Table
from harness.ports.objects import Column, Constraint, Cost, Index
from harness.ports.servers import HasTools
from harness.ports.table_specs import Formula, TableSpec
from harness.ports.values import (
    Address,
    Recipe,
    Rows,
    SentStatement,
    SessionInfo,
    SessionProgress,
    ToolResult,
)
from harness.sqltext import Dialect


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


class CatalogModule(Protocol[S_in]):
    """What the server's catalogue says about the tables of the default schema."""

    def tables(self, s: S_in) -> list[str]: ...

    def columns(self, s: S_in, table: str) -> dict[str, Column]: ...

    def indexes(self, s: S_in, table: str) -> dict[str, Index]: ...

    def constraints(self, s: S_in, table: str) -> dict[str, Constraint]: ...

    def key_of(self, s: S_in, table: str) -> str | None:
        """The primary key if it is one column, else None."""
        ...


class PlansModule(Protocol[S_in]):
    """What a query costs."""

    def cost(self, s: S_in, sql: str) -> Cost:
        """Run it and count the work, never the time."""
        ...


class BackupsModule(Protocol[S_in]):
    """Logical dumps by the engine's own tools."""

    def dump(self, server: HasTools, database: str, tables: Sequence[str] = ()) -> bytes: ...

    def restore(self, server: HasTools, database: str, dump: bytes) -> None:
        """Into an existing, empty database. StepFailed if the tool refuses."""

    def load(self, server: HasTools, database: str, dump: bytes) -> None:
        """A dump made elsewhere. StepFailed with what was refused."""

    def restore_over(
        self, server: HasTools, database: str, dump: bytes, tables: Sequence[str]
    ) -> ToolResult:
        """Over the live tables: the tempting command."""
        ...

    def bring_side(
        self, live: S_in, side: S_in, side_database: str, table: str, as_table: str
    ) -> None:
        """Copy a side database's table, exactly, into a new table of the live one."""

    def fill_sql(
        self, table: str, key: str, columns: Sequence[str], side: str, only_if: str | None = None
    ) -> list[str]:
        """UPDATEs that copy columns from ``side`` by key."""
        ...


class HoldingModule(Protocol[S_in]):
    """Locks that hold a statement while it runs."""

    HOLDS_THE_SERVER: bool
    """Whether what :meth:`hold_all` takes is a lock of the whole server or of one database."""

    def hold_row(self, s: S_in, table: str, key: str, value: Any) -> None: ...

    def hold_table_read(self, s: S_in, table: str) -> None: ...

    def hold_all(self, s: S_in, verb: str) -> None:
        """Whatever ``verb`` is going to change waits. DatabaseError if no lock can be had."""

    def install_trigger(self, s: S_in, table: str, key: str, value: Any, name: str) -> None: ...

    def remove_trigger(self, s: S_in, table: str, name: str) -> None: ...

    def take_lock(self, s: S_in, name: str) -> None: ...

    def drop_lock(self, s: S_in, name: str) -> None: ...

    def lock_holder(self, s: S_in, name: str) -> int | None: ...

    def end_transaction(self, s: S_in) -> None: ...


class TableSpecsModule(Protocol[S_in]):
    """What tables want of their rows, and the SQL that makes them."""

    UNCHECKED: str
    CHECKED: str
    """Statements that switch the checks of foreign keys off and on again."""

    def specs(self, s: S_in) -> list[TableSpec]:
        """Every base table."""
        ...

    def formulas(self, kind: Any, literals: Collection[str] = ()) -> list[Formula]:
        """Values to try in a column of that kind, the likeliest first."""
        ...

    def quotient(self, index: str, by: int) -> str:
        """Whole division."""
        ...

    def inserts(self, spec: TableSpec, columns: Sequence[str], select: str) -> list[str]:
        """Ways to insert, one after the other."""
        ...

    def updates(
        self, spec: TableSpec, sets: Sequence[tuple[str, str]], numbered: str, condition: str
    ) -> str:
        """UPDATE from a parent's numbered rows."""
        ...

    def defer(self, s: S_in) -> None:
        """Open a transaction in which links are looked at only when it ends, where that can be."""


class SnapshotModule(Protocol[S_in]):
    """What a whole database holds."""

    DUPLICATE: str
    """The code of the error that an INSERT gets for a value that is there already."""
    SETTINGS: str
    """Stands before a message whose text depends on the session's settings."""

    def objects(self, s: S_in) -> dict[str, str]:
        """Every object by kind and name → its definition."""
        ...

    def tables(self, s: S_in) -> dict[str, Table]:
        """Every table that has rows of its own."""
        ...

    def partitioned(self, s: S_in) -> dict[str, Table]:
        """Tables that stand for the rows of others."""
        ...

    def counters(self, s: S_in) -> dict[str, Counter]:
        """Every sequence, and every column that numbers itself."""
        ...

    def row_hash(self, values: Sequence[str]) -> str:
        """A 64-bit hash of these expressions."""
        ...

    def summed(self, hashed: str) -> str:
        """The sum of hashes over rows."""
        ...

    def literal(self, given: Any) -> str: ...

    def quoted(self, text: str) -> str: ...

    def is_one_of(self, columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> str:
        """The condition that a row has one of the keys."""
        ...

    def tables_of(self, objects: Iterable[str]) -> set[str]:
        """The tables that the named objects are or belong to."""
        ...

    def invalid(self, found: Mapping[str, str]) -> list[str]:
        """The indexes among the objects that serve no query."""
        ...

    def remove_sql(self, differs: Iterable[str]) -> list[str]:
        """Statements that take away what an unfinished statement left."""
        ...


class ProbingModule(Protocol):
    """Queries by which a person tells what is there."""

    def probe_sql(self, key: str) -> str | None:
        """SQL that gives 1 if the object is there, else 0; None for kinds that cannot be asked."""
        ...


class Engine(Protocol):
    """Everything specific to one database engine."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """As reports name it: PostgreSQL, MySQL, MariaDB."""
        ...

    @property
    def dialect(self) -> Dialect:
        """Whose SQL it speaks when a scenario has none under its own name."""
        ...

    @property
    def traits(self) -> frozenset[str]: ...

    @property
    def recipe(self) -> Recipe: ...

    @property
    def connector(self) -> ConnectorModule[Any]: ...

    @property
    def databases(self) -> DatabasesModule[Any]: ...

    @property
    def sessions(self) -> SessionsModule[Any]: ...

    @property
    def statement_log(self) -> StatementLogModule[Any]: ...

    @property
    def catalog(self) -> CatalogModule[Any]: ...

    @property
    def plans(self) -> PlansModule[Any]: ...

    @property
    def backups(self) -> BackupsModule[Any]: ...

    @property
    def holding(self) -> HoldingModule[Any]: ...

    @property
    def table_specs(self) -> TableSpecsModule[Any]: ...

    @property
    def snapshot(self) -> SnapshotModule[Any]: ...

    @property
    def probing(self) -> ProbingModule: ...

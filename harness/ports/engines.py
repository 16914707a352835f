"""What common code asks of a database engine; see ``harness/engines/README.md``.

An engine is a folder of modules of small named facts. Each module is described here by a protocol,
which the type checker holds against it, here or beside; the conformance suite runs all of them on
real servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from harness.ports.dumps import DumpSource, DumpWords
from harness.ports.engine_contents import (
    CatalogModule,
    PlansModule,
    ProbingModule,
    SnapshotModule,
    TableSpecsModule,
)
from harness.ports.engine_sessions import (
    ConnectorModule,
    DatabasesModule,
    S_in,
    SessionsModule,
    StatementLogModule,
)
from harness.ports.servers import HasTools
from harness.ports.values import Recipe, ToolResult
from harness.sqltext import Dialect


class BackupsModule(Protocol[S_in]):
    """Logical dumps by the engine's own tools."""

    def dump(self, server: HasTools, database: str, tables: Sequence[str] = ()) -> bytes: ...

    def restore(self, server: HasTools, database: str, dump: bytes) -> None:
        """Into an existing, empty database. StepFailed if the tool refuses."""

    def is_own(self, begin: bytes) -> bool:
        """Whether a dump that begins so (its first few kilobytes) is this engine's own."""
        ...

    def words(self, begin: bytes, end: bytes) -> DumpWords:
        """What a dump says of itself in its first and last few kilobytes."""
        ...

    def load(self, server: HasTools, database: str, dump: DumpSource) -> Sequence[str]:
        """A dump made elsewhere; what was made here for it, in sentences.

        StepFailed with what was refused first; ``line N: `` before it, where it stands on a line
        of the dump. NotTaken if it may be well: it is of several databases, or needs
        what this server has not.
        """
        ...

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

    def hold_row(self, s: S_in, table: str, key: str, value: Any) -> None: ...

    def hold_table_read(self, s: S_in, table: str) -> None: ...

    def install_trigger(self, s: S_in, table: str, key: str, value: Any, name: str) -> None: ...

    def remove_trigger(self, s: S_in, table: str, name: str) -> None: ...

    def take_lock(self, s: S_in, name: str) -> None: ...

    def drop_lock(self, s: S_in, name: str) -> None: ...

    def lock_holder(self, s: S_in, name: str) -> int | None: ...

    def end_transaction(self, s: S_in) -> None: ...


class StatementHoldsModule(Protocol[S_in]):
    """What holds any statement amid its work. ``kind`` is as :mod:`harness.sqltext` tells it."""

    HOLDS_THE_SERVER: bool
    """Whether what is taken is a lock of the whole server or of one database."""
    QUEUES: bool
    """Whether who asks for a lock behind a statement has it at the moment of its commit."""

    def waits(self, s: S_in, statements: Sequence[tuple[str, str]], texts: Iterable[str]) -> int:
        """How often a message can be held: once, or in each wait of its statement, or after a
        commit of its own as well. ``statements`` are its kinds and texts.
        """
        ...

    def prepare(self, s: S_in) -> None:
        """Before the run."""

    def clear(self, s: S_in) -> None:
        """After the run, when none of its sessions is left: nothing of :meth:`prepare` is."""

    def hold(self, s: S_in, kind: str, sql: str, wait: int = 1, *, again: bool = False) -> None:
        """Hold it until the session ends. DatabaseError if no lock can be had.

        ``again``: by other locks than the usual ones, which did not hold it.
        """

    def parts(self, s: S_in, kind: str, sql: str) -> Sequence[str]:
        """Locks, each for a session of its own, that hold a message which commits by itself; none
        for what waits by itself.
        """
        ...

    def take_part(self, s: S_in, part: str) -> None:
        """Take one of those locks, until the session ends."""

    def transaction_of(self, s: S_in, pid: int) -> str:
        """In which transaction the session is."""
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
    def label(self) -> str:
        """The name with the version that was asked for, if one was: ``postgres:17``."""
        ...

    def at(self, version: str) -> Engine:
        """The same engine in a version that is asked for."""
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
    def statement_holds(self) -> StatementHoldsModule[Any]: ...

    @property
    def table_specs(self) -> TableSpecsModule[Any]: ...

    @property
    def snapshot(self) -> SnapshotModule[Any]: ...

    @property
    def probing(self) -> ProbingModule: ...

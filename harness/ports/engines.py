"""What common code asks of a database engine; see ``harness/engines/README.md``."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

from harness.ports.values import Address, Recipe, Rows


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
    holding: ModuleType
    table_specs: ModuleType
    snapshot: ModuleType
    probing: ModuleType

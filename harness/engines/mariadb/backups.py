"""Logical dumps of MariaDB with mariadb-dump and its client."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.mysql import backups
from harness.engines.mysql.backups import bring_side, fill_sql
from harness.ports import HasTools, ToolResult

__all__ = ["bring_side", "dump", "fill_sql", "load", "restore", "restore_over"]

DUMP = ("mariadb-dump", backups.USER)
LOAD = ("mariadb", backups.USER)


def dump(server: HasTools, database: str, tables: Sequence[str] = ()) -> bytes:
    """A dump as SQL, of the whole database or of some tables."""
    return backups.dump(server, database, tables, tool=DUMP)


def restore(server: HasTools, database: str, dump: bytes) -> None:
    """Load into an existing, empty database; stops at the first error."""
    backups.restore(server, database, dump, tool=LOAD)


def load(server: HasTools, database: str, dump: bytes) -> None:
    """Restore a dump made elsewhere. StepFailed with what was refused."""
    backups.load(server, database, dump, tool=LOAD)


def restore_over(server: HasTools, database: str, dump: bytes, tables: Sequence[str]) -> ToolResult:
    """Reload the dump over the live tables: it drops and recreates them, later writes are lost."""
    return backups.restore_over(server, database, dump, tables, tool=LOAD)

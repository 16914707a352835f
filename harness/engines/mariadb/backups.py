"""Logical dumps of MariaDB with mariadb-dump and its client."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.engines.mysql import backups
from harness.engines.mysql.backups import bring_side, fill_sql, words
from harness.ports import DumpSource, HasTools, ToolResult

__all__ = ["bring_side", "dump", "fill_sql", "is_own", "load", "restore", "restore_over", "words"]

DUMP = ("mariadb-dump", backups.USER)
LOAD = ("mariadb", backups.USER)
OWN = re.compile(rb"(?:/\*M!999999\\-[^\n]*\n)?-- (?:MariaDB dump|MySQL dump [^\n]*MariaDB)")


def dump(server: HasTools, database: str, tables: Sequence[str] = ()) -> bytes:
    """A dump as SQL, of the whole database or of some tables."""
    return backups.dump(server, database, tables, tool=DUMP)


def restore(server: HasTools, database: str, dump: bytes) -> None:
    """Load into an existing, empty database; stops at the first error."""
    backups.restore(server, database, dump, tool=LOAD)


def is_own(begin: bytes) -> bool:
    """Whether something that begins so is a dump of MariaDB; older ones call themselves MySQL's."""
    return bool(OWN.match(begin))


def load(server: HasTools, database: str, dump: DumpSource) -> Sequence[str]:
    """Restore a dump made elsewhere; what was made for it. StepFailed with what was refused."""
    return backups.load(server, database, dump, tool=LOAD)


def restore_over(server: HasTools, database: str, dump: bytes, tables: Sequence[str]) -> ToolResult:
    """Reload the dump over the live tables: it drops and recreates them, later writes are lost."""
    return backups.restore_over(server, database, dump, tables, tool=LOAD)

"""Logical dumps of MySQL with mysqldump and its client, and what a reload is good for."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.facts import succeeded
from harness.engines.mysql import catalog, foreign_dump, quoting
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.foreign_dump import words
from harness.errors import StepFailed
from harness.ports import DumpSource, HasTools, ToolResult

__all__ = [
    "bring_side",
    "dump",
    "fill_sql",
    "is_own",
    "load",
    "restore",
    "restore_over",
    "words",
]

USER = "--user=root"
DUMP = ("mysqldump", USER, "--set-gtid-purged=OFF")
LOAD = ("mysql", USER)
HOW = ("--single-transaction", "--no-tablespaces", "--skip-comments")


def dump(
    server: HasTools, database: str, tables: Sequence[str] = (), tool: Sequence[str] = DUMP
) -> bytes:
    """A dump as SQL, of the whole database or of some tables."""
    return succeeded(server.run_tool([*tool, *HOW, database, *tables]), tool[0]).stdout


def restore(server: HasTools, database: str, dump: bytes, tool: Sequence[str] = LOAD) -> None:
    """Load into an existing, empty database; stops at the first error."""
    succeeded(server.run_tool([*tool, database], stdin=dump), tool[0])


def is_own(begin: bytes) -> bool:
    """Whether something that begins so is a dump of MySQL, and not of MariaDB."""
    return begin.startswith(b"-- MySQL dump") and b"MariaDB" not in begin[:200]


def load(
    server: HasTools, database: str, dump: DumpSource, tool: Sequence[str] = LOAD
) -> Sequence[str]:
    """Restore a dump made elsewhere; what was made for it. StepFailed with what was refused."""
    return foreign_dump.load(server, database, dump, tool)


def restore_over(
    server: HasTools,
    database: str,
    dump: bytes,
    tables: Sequence[str],
    tool: Sequence[str] = LOAD,
) -> ToolResult:
    """Reload the dump over the live tables: it drops and recreates them, later writes are lost."""
    return server.run_tool([*tool, database], stdin=dump)


def bring_side(
    live: MySQLSession, side: MySQLSession, side_database: str, table: str, as_table: str
) -> None:
    """Copy a side database's table, exactly, into a new table ``as_table`` of the live one.

    The copy has the column types, all values and the primary key, but no other constraint, and
    what was generated is a plain value in it.
    """
    columns = catalog.columns(side, table)
    if not columns:
        raise StepFailed(f"database {side_database} has no table {table}; was it in the dump?")
    key = catalog.key_of(side, table)
    keyed = f" (PRIMARY KEY ({quoting.name(key)}))" if key else ""
    live.run(
        f"CREATE TABLE {quoting.name(as_table)}{keyed} SELECT {quoting.names(columns)} "
        f"FROM {quoting.name(side_database)}.{quoting.name(table)}"
    )
    live.run(f"ANALYZE TABLE {quoting.name(as_table)}")


def fill_sql(
    table: str, key: str, columns: Sequence[str], side: str, only_if: str | None = None
) -> list[str]:
    """UPDATEs that copy columns from ``side`` by key, only where the live value is NULL.

    ``only_if`` is a condition that replaces "is NULL"; it names columns as ``table.column`` and
    ``side.column``, and then one statement copies all columns.
    """
    live, other = quoting.name(table), quoting.name(side)
    joined = f"{live} JOIN {other} ON {other}.{quoting.name(key)} = {live}.{quoting.name(key)}"

    def update(names: Sequence[str], condition: str) -> str:
        copied = ", ".join(f"{live}.{quoting.name(c)} = {other}.{quoting.name(c)}" for c in names)
        return f"UPDATE {joined} SET {copied} WHERE {condition}"

    if only_if:
        return [update(columns, f"({only_if})")]
    return [update([column], f"{live}.{quoting.name(column)} IS NULL") for column in columns]

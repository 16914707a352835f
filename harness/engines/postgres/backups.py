"""Logical dumps of PostgreSQL with pg_dump and pg_restore, and what a restore is good for."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.facts import succeeded
from harness.engines.postgres import catalog, quoting
from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.databases import GUARD_SCHEMA
from harness.engines.postgres.dump_words import words
from harness.engines.postgres.foreign_dump import is_own, load
from harness.errors import StepFailed
from harness.ports import HasTools, ToolResult

__all__ = ["bring_side", "dump", "fill_sql", "is_own", "load", "restore", "restore_over", "words"]


def dump(server: HasTools, database: str, tables: Sequence[str] = ()) -> bytes:
    """A dump in pg_dump's custom format, of the whole database or of some tables."""
    argv = ["pg_dump", "-Fc", "-N", GUARD_SCHEMA]
    for table in tables:
        argv += ["-t", quoting.table(table)]
    return succeeded(server.run_tool([*argv, "-d", database]), "pg_dump").stdout


def restore(server: HasTools, database: str, dump: bytes) -> None:
    """Restore into an existing, empty database, wholly or not at all."""
    argv = ["pg_restore", "--single-transaction", "--exit-on-error", "-d", database]
    succeeded(server.run_tool(argv, stdin=dump), "pg_restore")


def restore_over(server: HasTools, database: str, dump: bytes, tables: Sequence[str]) -> ToolResult:
    """``pg_restore -c -t users``: drops the live table and brings back the old one.

    Later writes are lost, and so are its indexes and constraints, which ``-t`` leaves out.
    Where a foreign key points at it the drop is refused and the exit code is 1.
    """
    argv = ["pg_restore", "-c"]
    for table in tables:
        argv += ["-t", table]
    return server.run_tool([*argv, "-d", database], stdin=dump)


def bring_side(
    live: PostgresSession, side: PostgresSession, side_database: str, table: str, as_table: str
) -> None:
    """Copy a side database's table, exactly, into a new table ``as_table`` of the live one.

    PostgreSQL cannot read across databases, so the rows pass through this process by COPY.
    The copy has the column types, all values and the primary key, but no other constraint.
    """
    columns = catalog.columns(side, table)
    if not columns:
        raise StepFailed(f"database {side_database} has no table {table}; was it in the dump?")
    listed = quoting.names(list(columns))
    typed = ", ".join(f"{quoting.name(c.name)} {c.type}" for c in columns.values())
    live.run(f"CREATE TABLE {quoting.table(as_table)} ({typed})")
    side.copy_to(
        live,
        f"COPY (SELECT {listed} FROM {quoting.table(table)}) TO STDOUT",
        f"COPY {quoting.table(as_table)} ({listed}) FROM STDIN",
    )
    key = catalog.key_of(side, table)
    if key:
        live.run(f"ALTER TABLE {quoting.table(as_table)} ADD PRIMARY KEY ({quoting.name(key)})")
    live.run(f"ANALYZE {quoting.table(as_table)}")


def fill_sql(
    table: str, key: str, columns: Sequence[str], side: str, only_if: str | None = None
) -> list[str]:
    """UPDATEs that copy columns from ``side`` by key, only where the live value is NULL.

    ``only_if`` is a condition that replaces "is NULL"; it names columns as ``table.column`` and
    ``side.column``, and then one statement copies all columns.
    """
    live, other = quoting.name(table), quoting.name(side)
    by_key = f"{other}.{quoting.name(key)} = {live}.{quoting.name(key)}"

    def update(names: Sequence[str], condition: str) -> str:
        copied = ", ".join(f"{quoting.name(c)} = {other}.{quoting.name(c)}" for c in names)
        return f"UPDATE {live} SET {copied} FROM {other} WHERE {by_key} AND {condition}"

    if only_if:
        return [update(columns, f"({only_if})")]
    return [update([column], f"{live}.{quoting.name(column)} IS NULL") for column in columns]

"""Grants that name a database: they stand beside it and outlive it, so a copy needs its own."""

from __future__ import annotations

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import MySQLSession

TABLES = ("db", "tables_priv", "columns_priv", "procs_priv")

NAMES = "REPLACE(Db, CHAR(92), '') = {}"
"""In ``mysql.db`` an underscore may have a backslash before it. A pattern that fits the database
names others too and is left alone."""

COLUMNS = """
SELECT COLUMN_NAME FROM information_schema.columns
WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME = %s AND COLUMN_NAME <> 'Db'
"""


def copy(s: MySQLSession, template: str, name: str) -> None:
    """Give ``name`` the grants that ``template`` has and no others."""
    wanted = _where_named(s, template)
    if gone := wanted | _where_named(s, name):
        _delete(s, gone, name)
        for table in wanted:
            _insert(s, table, template, name)
        s.run("FLUSH PRIVILEGES")


def remove(s: MySQLSession, name: str) -> None:
    """Nobody has any right in that database by its name."""
    if named := _where_named(s, name):
        _delete(s, named, name)
        s.run("FLUSH PRIVILEGES")


def _where_named(s: MySQLSession, database: str) -> set[str]:
    """The tables that have grants of this database."""
    condition = NAMES.format(quoting.value(database))
    asked = (f"SELECT '{table}' FROM mysql.{table} WHERE {condition}" for table in TABLES)
    return {row[0] for row in s.run(" UNION ".join(asked)).rows}


def _delete(s: MySQLSession, tables: set[str], database: str) -> None:
    condition = NAMES.format(quoting.value(database))
    for table in tables:
        s.run(f"DELETE FROM mysql.{table} WHERE {condition}")


def _insert(s: MySQLSession, table: str, template: str, name: str) -> None:
    columns = quoting.names(row[0] for row in s.run(COLUMNS, (table,)).rows)
    called = name.replace("_", "\\_") if table == "db" else name
    s.run(
        f"INSERT INTO mysql.{table} (Db, {columns}) SELECT {quoting.value(called)}, {columns} "
        f"FROM mysql.{table} WHERE {NAMES.format(quoting.value(template))}"
    )

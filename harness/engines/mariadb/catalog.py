"""What MariaDB's catalogue says about the session's database; see MySQL's catalog."""

from __future__ import annotations

from harness.engines.mysql import catalog
from harness.engines.mysql.catalog import key_of, tables
from harness.engines.mysql.connector import MySQLSession
from harness.ports.objects import Column, Constraint, Index

__all__ = [
    "columns",
    "constraints",
    "indexes",
    "key_of",
    "tables",
]

COLUMNS = catalog.COLUMNS.replace("COLUMN_DEFAULT", "NULLIF(COLUMN_DEFAULT, 'NULL')")
"""A column without a default has the text ``NULL`` here; a default of that text is quoted."""

INDEXES = catalog.INDEXES.replace("COALESCE(COLUMN_NAME, EXPRESSION)", "COLUMN_NAME").replace(
    "IS_VISIBLE = 'YES'", "IGNORED = 'NO'"
)
CONSTRAINTS = catalog.CONSTRAINTS.replace("c.ENFORCED = 'YES'", "TRUE")


def columns(s: MySQLSession, table: str) -> dict[str, Column]:
    """The table's columns in their order; empty if there is no such table."""
    return catalog.columns(s, table, COLUMNS)


def indexes(s: MySQLSession, table: str) -> dict[str, Index]:
    """The table's indexes; an IGNORED one counts as not visible."""
    return catalog.indexes(s, table, INDEXES)


def constraints(s: MySQLSession, table: str) -> dict[str, Constraint]:
    """The table's keys, foreign keys and checks; all are enforced."""
    return catalog.constraints(s, table, CONSTRAINTS)

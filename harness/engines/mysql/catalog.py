"""What MySQL's catalogue says about the tables of the session's database."""

from __future__ import annotations

from collections.abc import Mapping

from harness.engines.mysql.connector import MySQLSession
from harness.ports.objects import Column, Constraint, ConstraintKind, Index

TABLES = """
SELECT TABLE_NAME FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME
"""

COLUMNS = """
SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COALESCE(GENERATION_EXPRESSION, '')
FROM information_schema.columns
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION
"""

INDEXES = """
SELECT INDEX_NAME, COALESCE(COLUMN_NAME, EXPRESSION), NON_UNIQUE, IS_VISIBLE = 'YES'
FROM information_schema.statistics
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY INDEX_NAME, SEQ_IN_INDEX
"""

CONSTRAINTS = """
SELECT c.CONSTRAINT_NAME, c.CONSTRAINT_TYPE, c.ENFORCED = 'YES', k.COLUMN_NAME
FROM information_schema.table_constraints c
LEFT JOIN information_schema.key_column_usage k
  ON k.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME
 AND k.CONSTRAINT_NAME = c.CONSTRAINT_NAME
WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = %s
ORDER BY c.CONSTRAINT_NAME, k.ORDINAL_POSITION
"""

KINDS: Mapping[str, ConstraintKind] = {
    "PRIMARY KEY": "primary",
    "UNIQUE": "unique",
    "FOREIGN KEY": "foreign",
    "CHECK": "check",
}

KEY_OF = """
SELECT MIN(COLUMN_NAME) FROM information_schema.statistics
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND INDEX_NAME = 'PRIMARY'
HAVING COUNT(*) = 1
"""


def tables(s: MySQLSession) -> list[str]:
    """The tables of the session's database."""
    return [row[0] for row in s.run(TABLES).rows]


def columns(s: MySQLSession, table: str, sql: str = COLUMNS) -> dict[str, Column]:
    """The table's columns in their order; empty if there is no such table."""
    return {
        name: Column(name, kind, nullable == "YES", default, bool(expression))
        for name, kind, nullable, default, expression in s.run(sql, (table,)).rows
    }


def indexes(s: MySQLSession, table: str, sql: str = INDEXES) -> dict[str, Index]:
    """The table's indexes; all are valid, for none is built half."""
    found: dict[str, Index] = {}
    for name, column, non_unique, visible in s.run(sql, (table,)).rows:
        earlier = found[name].columns if name in found else ()
        found[name] = Index(
            name,
            (*earlier, column),
            unique=not non_unique,
            primary=name == "PRIMARY",
            visible=bool(visible),
        )
    return found


def constraints(s: MySQLSession, table: str, sql: str = CONSTRAINTS) -> dict[str, Constraint]:
    """The table's keys, foreign keys and checks; a check names no columns."""
    found: dict[str, Constraint] = {}
    for name, kind, enforced, column in s.run(sql, (table,)).rows:
        earlier = found[name].columns if name in found else ()
        own = (*earlier, column) if column else earlier
        found[name] = Constraint(name, KINDS[kind], own, enforced=bool(enforced))
    return found


def key_of(s: MySQLSession, table: str) -> str | None:
    """The single-column primary key; None if there is none or it has several columns."""
    found = s.run(KEY_OF, (table,)).scalar()
    return None if found is None else str(found)

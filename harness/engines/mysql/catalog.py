"""What MySQL's catalogue says about the session's database, and checksums of its tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from harness.engines.facts import Column, Constraint, Index
from harness.engines.mysql import quoting
from harness.engines.mysql.connector import MySQLSession

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

KINDS = {"PRIMARY KEY": "primary", "UNIQUE": "unique", "FOREIGN KEY": "foreign", "CHECK": "check"}

FINGERPRINT = (
    "SELECT 'table', TABLE_NAME, ENGINE, TABLE_COLLATION FROM information_schema.tables "
    "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
    "SELECT 'column', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, "
    "COLLATION_NAME, GENERATION_EXPRESSION FROM information_schema.columns "
    "WHERE TABLE_SCHEMA = DATABASE()",
    "SELECT 'index', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE, SUB_PART, "
    "INDEX_TYPE, COLLATION, {index_facts} FROM information_schema.statistics "
    "WHERE TABLE_SCHEMA = DATABASE()",
    "SELECT 'constraint', TABLE_NAME, CONSTRAINT_NAME, CONSTRAINT_TYPE {constraint_facts} "
    "FROM information_schema.table_constraints WHERE TABLE_SCHEMA = DATABASE()",
    "SELECT 'foreign', k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_NAME, "
    "k.REFERENCED_COLUMN_NAME, r.UPDATE_RULE, r.DELETE_RULE "
    "FROM information_schema.key_column_usage k "
    "JOIN information_schema.referential_constraints r "
    "ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME "
    "AND r.TABLE_NAME = k.TABLE_NAME "
    "WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL",
    "SELECT 'check', CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.check_constraints "
    "WHERE CONSTRAINT_SCHEMA = DATABASE()",
    "SELECT 'trigger', EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, "
    "ACTION_STATEMENT FROM information_schema.triggers WHERE TRIGGER_SCHEMA = DATABASE()",
    "SELECT 'view', TABLE_NAME, REPLACE(VIEW_DEFINITION, CONCAT('`', DATABASE(), '`.'), '') "
    "FROM information_schema.views WHERE TABLE_SCHEMA = DATABASE()",
)
INDEX_FACTS = "EXPRESSION, IS_VISIBLE"
CONSTRAINT_FACTS = ", ENFORCED"

KEY_OF = """
SELECT MIN(COLUMN_NAME) FROM information_schema.statistics
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND INDEX_NAME = 'PRIMARY'
HAVING COUNT(*) = 1
"""


TEXT_KEY = "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
"""Said outright: a key column's collation may be another than the server's default (1267)."""


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


def fingerprint(
    s: MySQLSession,
    index_facts: str = INDEX_FACTS,
    constraint_facts: str = CONSTRAINT_FACTS,
) -> str:
    """A hash of tables, columns, indexes, constraints, triggers and views.

    The order of columns, the next auto-increment value and the database's name are left out.
    """
    lines = sorted(
        json.dumps([None if v is None else str(v) for v in row])
        for sql in FINGERPRINT
        for row in s.run(
            sql.format(index_facts=index_facts, constraint_facts=constraint_facts)
        ).rows
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def checksum(
    s: MySQLSession,
    table: str,
    columns: Sequence[str],
    key: str | None = None,
    without: Sequence[Any] = (),
) -> tuple[int, str]:
    """(rows, sum of the rows' hashes), so order does not count but duplicates do."""
    where, args = _leaving_out(key or key_of(s, table), without)
    found = s.run(
        f"SELECT COUNT(*), COALESCE(SUM({_hash_of(columns)}), 0) FROM {quoting.name(table)}{where}",
        args,
    )
    count, total = found.rows[0]
    return int(count), str(total)


def row_hashes(
    s: MySQLSession,
    table: str,
    key: str,
    columns: Sequence[str],
    without: Sequence[Any] = (),
) -> dict[Any, str]:
    """Key → hash of those columns."""
    where, args = _leaving_out(key, without)
    found = s.run(
        f"SELECT {quoting.name(key)}, {_hash_of(columns)} FROM {quoting.name(table)}{where}", args
    )
    return {key: str(value) for key, value in found.rows}


def key_of(s: MySQLSession, table: str) -> str | None:
    """The single-column primary key; None if there is none or it has several columns."""
    return s.run(KEY_OF, (table,)).scalar()


def _hash_of(columns: Sequence[str]) -> str:
    """64 bits of SHA-2 over the row as a JSON array, in which NULL and borders are distinct."""
    row = f"JSON_ARRAY({quoting.names(columns)})"
    return f"CAST(CONV(LEFT(SHA2({row}, 256), 16), 16, 10) AS DECIMAL(20))"


def _leaving_out(key: str | None, without: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    if not without:
        return "", ()
    if key is None:
        raise ValueError("rows can be left out only by a key, and the table has no single one")
    column, kind = quoting.name(key), "BIGINT"
    if not all(isinstance(v, int) for v in without):
        column, kind = f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin", TEXT_KEY
    listed = f"JSON_TABLE(%s, '$[*]' COLUMNS (v {kind} PATH '$')) AS leave_out"
    return (
        f" WHERE {column} NOT IN (SELECT v FROM {listed})",
        (json.dumps(list(without), default=str),),
    )

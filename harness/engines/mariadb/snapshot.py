"""What a whole MariaDB database holds: as on MySQL; here stands what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.engines.mysql import quoting, snapshot
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.snapshot import (
    DUPLICATE,
    SETTINGS,
    invalid,
    is_one_of,
    literal,
    partitioned,
    quoted,
    remove_sql,
    row_hash,
    summed,
    tables,
    tables_of,
)
from harness.engines.mysql.snapshot_sql import DATABASE, LISTINGS, word
from harness.ports.contents import Counter

__all__ = [
    "DUPLICATE",
    "SETTINGS",
    "counters",
    "invalid",
    "is_one_of",
    "literal",
    "objects",
    "partitioned",
    "quoted",
    "remove_sql",
    "row_hash",
    "summed",
    "tables",
    "tables_of",
]


OF_DATABASE = replace(DATABASE, words=(*DATABASE.words[:2], word("SCHEMA_COMMENT", "COMMENT {!r}")))
HERE = tuple(OF_DATABASE if one is DATABASE else one for one in LISTINGS if not one.since)
"""What a version of MySQL brought is not here; a database has a comment."""

SEQUENCES = """
SELECT TABLE_NAME FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'SEQUENCE' ORDER BY TABLE_NAME
"""

NEXT_KEYS = """
SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND AUTO_INCREMENT IS NOT NULL
"""


def objects(s: MySQLSession) -> dict[str, str]:
    """As on MySQL, and the sequences, and the periods of tables."""
    return snapshot.objects(s, HERE)


def counters(s: MySQLSession) -> dict[str, Counter]:
    """Next auto-increment values, and the first value a sequence has not set aside yet."""
    return snapshot.counters(s, NEXT_KEYS) | {
        name: Counter(int(value), int(step))
        for name, value, step in _sequences(s, "next_not_cached_value, increment")
    }


def _sequences(s: MySQLSession, columns: str) -> tuple[tuple[Any, ...], ...]:
    names = [row[0] for row in s.run(SEQUENCES).rows]
    if not names:
        return ()
    reads = (f"SELECT {quoting.value(n)}, {columns} FROM {quoting.name(n)}" for n in names)
    return s.run(" UNION ALL ".join(reads)).rows

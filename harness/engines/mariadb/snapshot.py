"""What a whole MariaDB database holds: as on MySQL; here stands what differs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from harness.engines.mysql import quoting, snapshot
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.snapshot import (
    DUPLICATE,
    SETTINGS,
    defined_alike,
    finish_sql,
    in_a_copy,
    invalid,
    is_one_of,
    literal,
    partitioned,
    quoted,
    reads_alike,
    remove_sql,
    row_hash,
    summed,
    tables,
    tables_of,
    writes,
)
from harness.engines.mysql.snapshot_sql import DATABASE, LISTINGS, word
from harness.ports.contents import Counter

__all__ = [
    "DUPLICATE",
    "SETTINGS",
    "counters",
    "defined_alike",
    "finish_sql",
    "in_a_copy",
    "invalid",
    "is_one_of",
    "literal",
    "objects",
    "partitioned",
    "quoted",
    "reads_alike",
    "remove_sql",
    "row_hash",
    "summed",
    "tables",
    "tables_of",
    "writes",
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


TAKERS = """
SELECT COLUMN_DEFAULT, TABLE_NAME, COLUMN_NAME, EXISTS (
  SELECT 1 FROM information_schema.statistics AS s
  WHERE s.TABLE_SCHEMA = c.TABLE_SCHEMA AND s.TABLE_NAME = c.TABLE_NAME AND s.NON_UNIQUE = 0
  GROUP BY s.INDEX_NAME HAVING count(*) = 1 AND max(s.COLUMN_NAME) = c.COLUMN_NAME)
FROM information_schema.columns AS c
WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_DEFAULT LIKE 'nextval(%'
ORDER BY TABLE_NAME, COLUMN_NAME
"""
"""Columns that take a sequence's values, and whether none of them may come twice."""
NAME = r"`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|[^`\".()]+"
TAKES = re.compile(rf"nextval\((?:(?:{NAME})\.)?({NAME})\)")
"""A session's settings decide whether and how the names are quoted."""


def objects(s: MySQLSession) -> dict[str, str]:
    """As on MySQL, and the sequences, and the periods of tables."""
    return snapshot.objects(s, HERE)


def counters(s: MySQLSession) -> dict[str, Counter]:
    """Next auto-increment values, and the first value a sequence has not set aside yet."""
    found = snapshot.counters(s, NEXT_KEYS)
    sequences = _sequences(s, "next_not_cached_value, increment")
    takers = _takers(s) if sequences else {}
    for name, value, step in sequences:
        column, source, unique = takers.get(name, ("", "", False))
        farthest = s.run(source.format("max" if step > 0 else "min")).scalar() if source else None
        whole = None if farthest is None else int(farthest)
        found[name] = Counter(int(value), int(step), column, whole, unique)
    return found


def _takers(s: MySQLSession) -> dict[str, tuple[str, str, bool]]:
    """Sequence → the first column that takes its values, the query of the farthest one, and
    whether they are unique.
    """
    found: dict[str, tuple[str, str, bool]] = {}
    for default, table, column, unique in s.run(TAKERS).rows:
        if match := TAKES.fullmatch(str(default)):
            of = f"SELECT {{}}({quoting.name(column)}) FROM {quoting.name(table)}"
            taker = (f"{table}.{column}", of, bool(unique))
            quote = match[1][0] if match[1][0] in '`"' else ""
            bare = match[1][1:-1].replace(quote * 2, quote) if quote else match[1]
            found.setdefault(bare, taker)
    return found


def _sequences(s: MySQLSession, columns: str) -> tuple[tuple[Any, ...], ...]:
    names = [row[0] for row in s.run(SEQUENCES).rows]
    if not names:
        return ()
    reads = (f"SELECT {quoting.value(n)}, {columns} FROM {quoting.name(n)}" for n in names)
    return s.run(" UNION ALL ".join(reads)).rows

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
from harness.engines.mysql.snapshot_sql import (
    CHECKS,
    COLUMNS,
    CONSTRAINTS,
    INDEXES,
    LISTINGS,
    Listing,
    flag,
)
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


def _with(listing: Listing, source: str, **words: tuple[str, str] | None) -> Listing:
    """The listing with the values that name such a column replaced, or left out."""
    kept = [next((w for c, w in words.items() if c in told[0]), told) for told in listing.words]
    return replace(listing, source=source, words=tuple(w for w in kept if w is not None))


DIFFERENT = {
    COLUMNS: _with(
        COLUMNS, "columns", SRS_ID=None,
        COLUMN_DEFAULT=("NULLIF(COLUMN_DEFAULT, 'NULL')", "DEFAULT {}"),
    ),
    INDEXES: _with(
        INDEXES, "statistics", EXPRESSION=None,
        IS_VISIBLE=flag("SEQ_IN_INDEX = 1 AND IGNORED = 'YES'", "IGNORED"),
    ),
    CONSTRAINTS: _with(CONSTRAINTS, "table_constraints", ENFORCED=None),
    CHECKS: replace(CHECKS, source="check_constraints", where="TRUE"),
}  # fmt: skip
"""A column without a default has the text ``NULL``; a check belongs to a table."""

HERE = tuple(DIFFERENT.get(listing, listing) for listing in LISTINGS)

QUOTED = "SET STATEMENT sql_mode = '' FOR "
"""Otherwise names in views and checks are quoted as the session's mode says."""

SEQUENCES = """
SELECT TABLE_NAME FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'SEQUENCE' ORDER BY TABLE_NAME
"""

NEXT_KEYS = """
SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND AUTO_INCREMENT IS NOT NULL
"""


def objects(s: MySQLSession) -> dict[str, str]:
    """As on MySQL, and the sequences."""
    return snapshot.objects(s, HERE, QUOTED) | {
        f"sequence {name}": f"START {start} MIN {least} MAX {most} INCREMENT {step} CACHE {cache}"
        + (" CYCLE" if cycle else "")
        for name, start, least, most, step, cache, cycle in _sequences(
            s, "start_value, minimum_value, maximum_value, increment, cache_size, cycle_option"
        )
    }


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

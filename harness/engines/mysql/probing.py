"""Queries by which a person tells whether one object of the snapshot is there."""

from __future__ import annotations

from harness.engines.mysql import quoting

TABLE = (
    "SELECT COUNT(*) FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = {0}"
)
COLUMN = (
    "SELECT COUNT(*) FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name = {0} AND column_name = {1}"
)
INDEX = (
    "SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = {0} AND index_name = {1}"
)
QUERIES = {"table": (TABLE, 1), "column": (COLUMN, 2), "index": (INDEX, 2)}


def probe_sql(key: str) -> str | None:
    """SQL that gives 1 if the object is there, else 0; None for other kinds of objects."""
    kind, _, name = key.partition(" ")
    query, parts = QUERIES.get(kind, ("", 0))
    named = name.split(".")
    if not query or len(named) != parts:
        return None
    return query.format(*(quoting.value(part) for part in named))

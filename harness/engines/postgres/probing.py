"""Queries by which a person tells whether one object of the snapshot is there."""

from __future__ import annotations

from harness.engines.postgres import quoting

TABLE = (
    "SELECT count(*) FROM information_schema.tables WHERE table_schema = {0} AND table_name = {1}"
)
COLUMN = (
    "SELECT count(*) FROM information_schema.columns "
    "WHERE table_schema = {0} AND table_name = {1} AND column_name = {2}"
)
INDEX = (
    "SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = {0} AND c.relname = {1} AND x.indisvalid"
)
QUERIES = {"table": (TABLE, 2), "column": (COLUMN, 3), "index": (INDEX, 2)}


def probe_sql(key: str) -> str | None:
    """SQL that gives 1 if the object is there (an index: and valid), else 0; None for others."""
    kind, _, name = key.partition(" ")
    query, parts = QUERIES.get(kind, ("", 0))
    named = name.split(".")
    if not query or len(named) != parts:
        return None
    return query.format(*(quoting.value(part) for part in named))

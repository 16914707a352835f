"""What a whole PostgreSQL database holds: every object's definition, every table's rows."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping

from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.snapshot_sql import SCHEMA, SEQUENCES, SETTINGS, TABLES

__all__ = ["column_sums", "contents", "remove_sql", "schema", "sequences", "tables_of"]

AT_ONCE = 200
"""So many tables are counted by one statement."""

OF_A_TABLE = frozenset({"table", "view", "sequence"})
PARTS_OF_A_TABLE = frozenset({"column", "constraint", "trigger", "policy", "rule"})
OTHER_KINDS = frozenset(
    {"aggregate", "collation", "comment", "domain", "enum", "event", "extension", "function"}
    | {"grant", "index", "operator", "procedure", "publication", "schema", "server", "setting"}
    | {"statistics", "type"}
)


def schema(s: PostgresSession) -> dict[str, str]:
    """Every object of every user schema → its definition, spelled alike whatever the session.

    Left out: the order of columns, the names of NOT NULL constraints, the members of extensions,
    and what is ours. An INVALID index, a NOT VALID constraint, a DISABLED trigger and the flags
    of row level security show.
    """
    return dict(s.run(SETTINGS + SCHEMA).rows)


def contents(
    s: PostgresSession,
    without: Collection[str] = (),
    columns: Mapping[str, Collection[str]] | None = None,
) -> dict[str, tuple[int, str]]:
    """Every base table and filled materialised view → (rows, sum of its rows' hashes).

    A partition counts, the table it belongs to does not. ``without`` leaves tables out,
    ``columns`` columns of a table; columns are hashed in the order of their names. A virtual
    column follows from the others and is never read. A table dropped meanwhile: DatabaseError.
    """
    found: dict[str, tuple[int, str]] = {}
    listed = [row for row in s.run(TABLES).rows if row[0] not in without]
    for some in _chunks(listed):
        counts = [
            f"SELECT {quoting.value(key)}, count(*), "
            f"coalesce(sum({_hash(_kept(names, (columns or {}).get(key, ())))}::numeric), 0)::text "
            f"FROM ONLY {quoting.name(space)}.{quoting.name(table)}"
            for key, space, table, names in some
        ]
        for key, count, total in s.run(SETTINGS + " UNION ALL ".join(counts)).rows:
            found[key] = (count, total)
    return found


def column_sums(s: PostgresSession, table: str) -> dict[str, str]:
    """Column → sum of its values' hashes, for a table as :func:`contents` names it."""
    rows = [row for row in s.run(TABLES).rows if row[0] == table]
    if not rows or not rows[0][3]:
        return {}
    _, space, name, names = rows[0]
    sums = ", ".join(f"coalesce(sum({_hash([column])}::numeric), 0)::text" for column in names)
    of = f"{quoting.name(space)}.{quoting.name(name)}"
    found = s.run(f"{SETTINGS}SELECT {sums} FROM ONLY {of}")
    return dict(zip(names, found.rows[0], strict=True))


def sequences(s: PostgresSession) -> dict[str, int]:
    """Sequence → the value it gives next; a killed server may skip up to 32."""
    listed = s.run(SEQUENCES).rows
    found: dict[str, int] = {}
    for some in _chunks(listed):
        reads = [
            f"SELECT {quoting.value(key)}, last_value + CASE WHEN is_called THEN {step} "
            f"ELSE 0 END FROM {quoting.name(space)}.{quoting.name(name)}"
            for key, space, name, step in some
        ]
        found |= dict(s.run(" UNION ALL ".join(reads)).rows)
    return found


def tables_of(objects: Iterable[str]) -> set[str]:
    """The tables that the named objects are or belong to, as far as their names tell it.

    Takes names of :func:`schema` and of :func:`contents`.
    """
    found = set()
    for named in objects:
        kind, _, name = named.partition(" ")
        if kind in PARTS_OF_A_TABLE and name:
            found.add(name.rpartition(".")[0])
        elif kind in OF_A_TABLE and name:
            found.add(name)
        elif kind not in OTHER_KINDS or not name:
            found.add(named)
    return found


def remove_sql(differs: Iterable[str]) -> list[str]:
    """Statements that take away what an unfinished statement left: indexes too many.

    ``differs`` are lines such as ``new: index public.users_phone_idx``. Nothing else outlives
    its statement here, for DDL is undone with its transaction; only CONCURRENTLY has several.
    """
    mark = "new: index "
    names = [
        line.removeprefix(mark).partition(": ")[0] for line in differs if line.startswith(mark)
    ]
    return [
        "DROP INDEX CONCURRENTLY IF EXISTS "
        + ".".join(quoting.name(part) for part in name.split(".", 1))
        for name in names
    ]


def _kept(names: Iterable[str], left_out: Collection[str]) -> list[str]:
    return [name for name in names if name not in left_out]


def _hash(columns: Collection[str]) -> str:
    """64 bits of a row's text, in which NULL, '' and the borders of values are distinct."""
    return f"hashtextextended(ROW({quoting.names(list(columns))})::text, 0)"


def _chunks(rows: Iterable[tuple]) -> Iterator[list[tuple]]:
    left = iter(rows)
    while some := list(itertools.islice(left, AT_ONCE)):
        yield some

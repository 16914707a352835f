"""What a whole MySQL database holds: every object's definition, every table's rows."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.snapshot_sql import KEY_PARTS, LISTINGS, Listing, union

__all__ = ["column_sums", "contents", "remove_sql", "schema", "sequences", "tables_of"]

AT_ONCE = 200
"""So many tables are counted by one statement."""

OF_A_TABLE = frozenset({"table", "column", "index", "constraint", "partition", "trigger"})
OTHER_KINDS = frozenset({"database", "view", "procedure", "function", "event", "sequence"})

READ = """
SELECT c.TABLE_NAME, c.COLUMN_NAME, LOWER(c.DATA_TYPE), c.EXTRA
FROM information_schema.columns c JOIN information_schema.tables t
  ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_SCHEMA = DATABASE()
  AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
  AND COALESCE(c.GENERATION_EXPRESSION, '') NOT IN ('ROW START', 'ROW END')
"""
"""When a row of MariaDB's was written says nothing about what it holds."""

NEXT_KEYS = """
SET SESSION information_schema_stats_expiry = 0;
SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND AUTO_INCREMENT IS NOT NULL
"""
"""Otherwise the server answers with what it read up to a day ago."""

AS_IT_IS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double"}) | {
    "date",
    "datetime",
    "time",
    "year",
}
AS_HEX = frozenset({"char", "varchar", "binary", "varbinary", "enum", "set", "bit"}) | {
    "uuid",
    "inet4",
    "inet6",
}
NO_VALUE = "'N'"
"""Stands for NULL where no number, date or hexadecimal text can be confused with it."""


def schema(
    s: MySQLSession, listings: tuple[Listing, ...] = LISTINGS, before: str = ""
) -> dict[str, str]:
    """Every object of the session's database → its definition, without the database's name.

    Left out: the order of columns, the next auto-increment values, the character sets of the
    clients that made triggers and routines, grants, and the columns of views.
    """
    database = str(s.run("SELECT DATABASE()").scalar())
    found: dict[str, list[tuple[int, int, str]]] = {}
    rows = s.run(before + union(listings)).rows
    tables = {row[2] for row in rows if listings[row[0]].kind == "table"}
    for number, order, *values in rows:
        listing = listings[number]
        if listing.kind == "column" and values[0] not in tables:
            continue
        key = _key(listing, [_text(value) for value in values[:KEY_PARTS]])
        told = _definition(listing, values[KEY_PARTS:])
        found.setdefault(key, []).append((int(order), number, told))
    prefix = quoting.name(database) + "."
    return {
        key: " ".join(told for _, _, told in sorted(parts) if told).replace(prefix, "")
        for key, parts in found.items()
    }


def contents(
    s: MySQLSession,
    without: Collection[str] = (),
    columns: Mapping[str, Collection[str]] | None = None,
) -> dict[str, tuple[int, str]]:
    """Every base table → (rows, sum of its rows' hashes), 64 bits each.

    ``without`` leaves tables out, ``columns`` columns of a table; columns are hashed in the order
    of their names. A virtual column follows from the others and is never read. A table dropped
    meanwhile: DatabaseError.
    """
    found: dict[str, tuple[int, str]] = {}
    listed = [(table, of) for table, of in _readable(s).items() if table not in without]
    for some in _chunks(listed):
        counts = [
            f"SELECT {quoting.value(table)}, COUNT(*), "
            f"COALESCE(SUM({_hash(_kept(of, (columns or {}).get(table, ())))}), 0) "
            f"FROM {quoting.name(table)}"
            for table, of in some
        ]
        for table, count, total in s.run(" UNION ALL ".join(counts)).rows:
            found[table] = (int(count), str(total))
    return found


def column_sums(s: MySQLSession, table: str) -> dict[str, str]:
    """Column → sum of its values' hashes."""
    of = _readable(s).get(table, {})
    if not of:
        return {}
    sums = ", ".join(f"COALESCE(SUM({_hash([value])}), 0)" for value in of.values())
    found = s.run(f"SELECT {sums} FROM {quoting.name(table)}").rows[0]
    return {column: str(total) for column, total in zip(of, found, strict=True)}


def sequences(s: MySQLSession, next_keys: str = NEXT_KEYS) -> dict[str, int]:
    """Table → the next value of its auto-increment column."""
    return {table: int(value) for table, value in s.run(next_keys).rows}


def tables_of(objects: Iterable[str]) -> set[str]:
    """The tables that the named objects are or belong to; views and programs belong to none.

    Takes names of :func:`schema` and of :func:`contents`.
    """
    found = set()
    for named in objects:
        kind, _, name = named.partition(" ")
        if kind in OF_A_TABLE and name:
            found.add(name.partition(".")[0])
        elif kind not in OTHER_KINDS or not name:
            found.add(named)
    return found


def remove_sql(differs: Iterable[str]) -> list[str]:
    """Nothing: a DDL statement that is cut off leaves no half object behind."""
    return []


def _readable(s: MySQLSession) -> dict[str, dict[str, str]]:
    """Table → column → the expression of its value as text; both in the order of names."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind, extra in sorted(s.run(READ).rows):
        of = found.setdefault(table, {})
        if "VIRTUAL GENERATED" not in extra.upper():
            of[column] = _value(quoting.name(column), kind)
    return found


def _value(column: str, kind: str) -> str:
    """Exact, the same in every time zone and character set, and never NULL.

    A FLOAT is shown with six digits unless it is made a DOUBLE. Long values are hashed one by
    one, for a text beyond ``max_allowed_packet`` becomes NULL.
    """
    if kind in AS_IT_IS:
        return f"IFNULL({column}, {NO_VALUE})"
    if kind == "float":
        return f"IFNULL({column} + 0e0, {NO_VALUE})"
    if kind == "timestamp":
        return f"IFNULL(UNIX_TIMESTAMP({column}), {NO_VALUE})"
    if kind in AS_HEX:
        return f"IFNULL(HEX({column}), {NO_VALUE})"
    return f"IFNULL(SHA2({column}, 256), {NO_VALUE})"


def _kept(of: Mapping[str, str], left_out: Collection[str]) -> list[str]:
    return [value for column, value in of.items() if column not in left_out]


def _hash(values: Collection[str]) -> str:
    row = f"CONCAT_WS(',', {', '.join(values)})" if values else "''"
    return f"CAST(CONV(LEFT(SHA2({row}, 256), 16), 16, 10) AS DECIMAL(20))"


def _key(listing: Listing, parts: list[str]) -> str:
    if listing.kind == "routine":
        return f"{parts[0].lower()} {parts[1]}"
    return f"{listing.kind} {'.'.join(part for part in parts if part)}"


def _definition(listing: Listing, values: Iterable[Any]) -> str:
    told = [
        text.format(_text(value))
        for (_, text), value in zip(listing.words, values, strict=False)
        if value is not None
    ]
    return " ".join(told)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")


def _chunks(rows: Iterable[tuple[str, dict[str, str]]]) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(itertools.islice(left, AT_ONCE)):
        yield some

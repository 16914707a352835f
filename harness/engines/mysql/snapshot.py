"""What a whole MySQL database holds: every object's definition, every table's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.listed_objects import Catalogue, Relation
from harness.engines.mysql.snapshot_sql import LISTINGS, Listing, union
from harness.errors import DatabaseError
from harness.ports.contents import Counter, Table, Writes

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

DUPLICATE = "1062"
"""ER_DUP_ENTRY: what an INSERT gets for a value that is there already."""

SETTINGS = ""
"""No setting of a session changes what is read: see :func:`_value`."""

OF_A_TABLE = frozenset({"table", "column", "index", "constraint", "partition", "trigger"}) | {
    "period",
    "histogram",
}
OTHER_KINDS = frozenset({"database", "next", "view", "procedure", "function", "event"}) | {
    "grant",
    "library",
    "package",
    "sequence",
}

ATTEMPTS = 3
NOT_THERE = "1146"
"""ER_NO_SUCH_TABLE, or view: it was listed, and dropped before it could be shown."""

HOW_SHOWN = "@@sql_mode, @@character_set_results, @@sql_quote_show_create"
"""Settings of a session on which the texts of SHOW CREATE depend."""

READ = """
SELECT c.TABLE_NAME, c.COLUMN_NAME, LOWER(c.DATA_TYPE), c.EXTRA
FROM information_schema.columns c JOIN information_schema.tables t
  ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_SCHEMA = DATABASE()
  AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
  AND COALESCE(c.GENERATION_EXPRESSION, '') NOT IN ('ROW START', 'ROW END')
"""
"""When a row of MariaDB's was written says nothing about what it holds."""

KEYS = """
SELECT s.TABLE_NAME, s.INDEX_NAME,
  IF(c.IS_NULLABLE = 'NO' AND s.SUB_PART IS NULL, s.COLUMN_NAME, NULL)
FROM information_schema.statistics s LEFT JOIN information_schema.columns c
  ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME
 AND c.COLUMN_NAME = s.COLUMN_NAME
WHERE s.TABLE_SCHEMA = DATABASE() AND s.NON_UNIQUE = 0
ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX
"""

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


def objects(s: MySQLSession, listings: tuple[Listing, ...] = LISTINGS) -> dict[str, str]:
    """Every object of the session's database → its definition, without the database's name.

    The order of columns is an object of its own. Left out: the next auto-increment values, the
    character sets of the clients that made triggers and routines, and the columns of views.
    """
    for _ in range(1, ATTEMPTS):
        try:
            return _objects(s, listings)
        except DatabaseError as error:
            if error.code != NOT_THERE:
                raise
    return _objects(s, listings)


def _objects(s: MySQLSession, listings: tuple[Listing, ...]) -> dict[str, str]:
    settings, listed = s.run_all(f"SELECT DATABASE(), {HOW_SHOWN}; {union(listings)}")
    database, *how = settings.rows[0]
    catalogue = Catalogue(listings, listed.rows)
    found = catalogue.objects
    for relation, text in zip(catalogue.relations, _show(s, catalogue.relations, how), strict=True):
        found |= relation.objects(text, catalogue.collations)
    prefix = quoting.name(str(database)) + "."
    return {key: told.replace(prefix, "") for key, told in found.items()}


def _show(s: MySQLSession, relations: Sequence[Relation], how: Sequence[Any]) -> list[str]:
    """What SHOW CREATE says of each, in one message; the session is afterwards as before."""
    mode, names, quotes = (quoting.value(setting) for setting in how)
    back = (
        f"SET sql_mode = {mode}, character_set_results = {names}, sql_quote_show_create = {quotes}"
    )
    asked = [f"SHOW CREATE {one.shown_as} {quoting.name(one.name)}" for one in relations]
    alike = "SET sql_mode = '', character_set_results = utf8mb4, sql_quote_show_create = 1"
    try:
        answers = s.run_all("; ".join((alike, *asked, back)))
    except DatabaseError as error:
        if not error.lost:
            s.run(back)
        raise
    return [str(answer.rows[0][1]) for answer in answers[1:-1]]


def tables(s: MySQLSession) -> dict[str, Table]:
    """Every base table. A virtual column follows from the others and is never read."""
    keys: dict[str, dict[str, list[str]]] = {}
    for table, index, column in s.run(KEYS).rows:
        keys.setdefault(table, {}).setdefault(index, []).append(column)
    return {
        table: Table(
            table,
            quoting.name(table),
            of,
            _key_among(keys.get(table, {})),
            {column: quoting.name(column) for column in of},
        )
        for table, of in _readable(s).items()
    }


def _key_among(indexes: Mapping[str, Sequence[str | None]]) -> tuple[str, ...]:
    """The primary key, else the shortest unique key whose columns are all there and never NULL."""
    usable = {index: of for index, of in indexes.items() if None not in of}
    best = min(
        usable, key=lambda index: (index != "PRIMARY", len(usable[index]), index), default=""
    )
    return tuple(str(column) for column in usable.get(best, ()))


def partitioned(s: MySQLSession) -> dict[str, Table]:
    """None: a partitioned table is one table."""
    return {}


def row_hash(values: Sequence[str]) -> str:
    """64 bits of SHA-2 over the row's values."""
    row = f"CONCAT_WS(',', {', '.join(values)})" if values else "''"
    return f"CAST(CONV(LEFT(SHA2({row}, 256), 16), 16, 10) AS DECIMAL(20))"


def summed(hashed: str) -> str:
    """The sum of hashes over rows; 0 of none."""
    return f"COALESCE(SUM({hashed}), 0)"


literal = quoting.value
quoted = quoting.name


def is_one_of(columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> str:
    """The condition that a row has one of the keys."""
    listed = ", ".join(f"({', '.join(map(_literal_of_key, key))})" for key in keys)
    return f"({quoting.names(columns)}) IN ({listed})" if keys else "FALSE"


def _literal_of_key(value: Any) -> str:
    if isinstance(value, bytes):
        return f"0x{value.hex()}" if value else "''"
    return quoting.value(value)


def counters(s: MySQLSession, next_keys: str = NEXT_KEYS) -> dict[str, Counter]:
    """Table → the next value of its auto-increment column, which the server keeps ahead of all.

    Of a table that nobody has opened since the server came back, MySQL tells the last value given.
    """
    numbered = [quoting.name(row[0]) for row in s.run(next_keys).rows]
    if numbered:
        s.run(" UNION ALL ".join(f"(SELECT 1 FROM {table} LIMIT 0)" for table in numbered))
    return {table: Counter(int(value)) for table, value in s.run(next_keys).rows}


def writes(s: MySQLSession) -> Writes | None:
    """None: no count of the server's outlives a restart and sees DDL as well."""
    return None


def in_a_copy(s: MySQLSession, template: Writes) -> Writes:
    """Never asked, for there are no counts."""
    return template


def defined_alike(s: MySQLSession, then: Writes, now: Writes) -> bool:
    """Never asked, for there are no counts."""
    return False


def reads_alike(changed: Iterable[str]) -> bool:
    """A table's rows are told by its own definition."""
    return True


def tables_of(objects: Iterable[str]) -> set[str]:
    """The tables that the named objects are or belong to; views and programs belong to none.

    Takes names of :func:`objects` and of :func:`tables`. A table may have a name that reads like
    an object's; then it is taken for both.
    """
    found = set()
    for named in objects:
        kind, _, name = named.partition(" ")
        if named.startswith("column order "):
            found.add(named.removeprefix("column order "))
        elif kind in OF_A_TABLE and name:
            found.add(name.partition(".")[0])
        elif kind not in OTHER_KINDS or not name:
            found.add(named)
    return found


def invalid(found: Mapping[str, str]) -> list[str]:
    """Nothing: none of the objects is built half."""
    return []


def remove_sql(differs: Iterable[str]) -> list[str]:
    """Nothing: a DDL statement that is cut off leaves no half object behind."""
    return []


def finish_sql(differs: Iterable[str]) -> list[str]:
    """Nothing: a DDL statement that is cut off leaves nothing begun behind."""
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

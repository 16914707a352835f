"""What a whole PostgreSQL database holds: every object's definition, every table's rows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.snapshot_sql import (
    OBJECTS,
    PARTITIONED,
    SEQUENCES,
    SETTINGS,
    TABLES,
)
from harness.engines.postgres.writes import defined_alike, in_a_copy, writes
from harness.ports.contents import Counter, Table

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

AT_ONCE = 200
"""So many sequences are read by one statement."""

INFINITE = "'NaN', 'Infinity', '-Infinity'"
"""Values of a numeric column that no sequence reaches."""

DUPLICATE = "23505"
"""unique_violation: what an INSERT gets for a value that is there already."""

LARGE_OBJECTS = "large objects"
"""What :func:`tables` calls the pages of large objects, if there are any."""

COLUMN_ORDER = "column order "
OF_A_TABLE = frozenset({"table", "view", "sequence"})
PARTS_OF_A_TABLE = frozenset({"column", "constraint", "trigger", "policy", "rule"})
SAY_NOTHING_OF_ROWS = (
    *OF_A_TABLE, *PARTS_OF_A_TABLE, "index", "statistics", "comment", "grant",
)  # fmt: skip
"""First words of kinds that do not make the rows of another table read otherwise."""


def objects(s: PostgresSession) -> dict[str, str]:
    """Every object of every user schema, and what the database has without a schema → its
    definition, spelled alike whatever the session.

    The order of columns is an object of its own. Left out: the names of NOT NULL constraints, the
    members of extensions, whether a subscription is enabled, secrets in the options of user
    mappings, and what is ours. An INVALID index, a NOT VALID constraint, a DISABLED trigger and
    the flags of row level security show. Two objects may have one name here, if there is a point in
    a schema's; then both are told.
    """
    found: dict[str, str] = {}
    for key, told in s.run(SETTINGS + OBJECTS).rows:
        found[key] = " and ".join(sorted((found[key], told or ""))) if key in found else told or ""
    return found


def tables(s: PostgresSession) -> dict[str, Table]:
    """Every base table and filled materialised view, and the large objects if there are any.

    A partition counts, the table it belongs to does not. A virtual column follows from the others
    and is never read.
    """
    return _tables("ONLY ", s.run(TABLES).rows)


def partitioned(s: PostgresSession) -> dict[str, Table]:
    """Every partitioned table as a whole."""
    return _tables("", s.run(PARTITIONED).rows)


def _tables(only: str, rows: Iterable[tuple[Any, ...]]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for row in rows:
        table = _table(only, *row)
        if table.name in found:
            table = replace(table, name=table.source.removeprefix(only))
        found[table.name] = table
    return found


def _table(
    only: str,
    named: str,
    space: str,
    table: str,
    columns: list[str],
    key: list[str],
    as_texts: list[bool],
) -> Table:
    values = {column: quoting.name(column) for column in columns}
    return Table(
        named,
        f"{only}{quoting.name(space)}.{quoting.name(table)}",
        values,
        tuple(key),
        {
            column: f"{value}::text" if as_text else value
            for (column, value), as_text in zip(values.items(), as_texts, strict=True)
        },
    )


def row_hash(values: Sequence[str]) -> str:
    """64 bits of a row's text, in which NULL, '' and the borders of values are distinct."""
    return f"hashtextextended(ROW({', '.join(values)})::text, 0)"


def summed(hashed: str) -> str:
    """The sum of hashes over rows, as text; 0 of none."""
    return f"coalesce(sum({hashed}::numeric), 0)::text"


literal = quoting.value
quoted = quoting.name


def is_one_of(columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> str:
    """The condition that a row has one of the keys."""
    listed = ", ".join(f"({', '.join(map(_key, key))})" for key in keys)
    return f"({quoting.names(list(columns))}) IN ({listed})" if keys else "false"


def _key(value: Any) -> str:
    """An untyped literal takes the type of the column that it is compared with."""
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return quoting.value(value)


class _Taking(NamedTuple):
    """A sequence, and one column that takes its values, as :data:`SEQUENCES` tells it."""

    key: str
    space: str
    name: str
    step: int
    least: int
    most: int
    cycles: bool
    of_space: str | None
    table: str | None
    column: str | None
    is_whole: bool | None
    unique: bool | None


def counters(s: PostgresSession) -> dict[str, Counter]:
    """Every sequence with the column that takes its values; a killed server may skip up to 32.

    Of several columns the one that is farthest ahead.
    """
    found: dict[str, Counter] = {}
    for some in _chunks(itertools.starmap(_Taking, s.run(SEQUENCES).rows)):
        reads = [_read(number, taking) for number, taking in enumerate(some)]
        for number, value, farthest in s.run(SETTINGS + " UNION ALL ".join(reads)).rows:
            of = some[number]
            counter = Counter(
                int(value),
                int(of.step),
                f"{of.of_space}.{of.table}.{of.column}" if of.column else "",
                None if farthest is None else int(farthest),
                bool(of.unique),
            )
            found[of.key] = _farther(found.get(of.key), counter)
    return found


def _farther(one: Counter | None, other: Counter) -> Counter:
    if one is None or one.farthest is None:
        return other
    if other.farthest is None or (other.farthest - one.farthest) * one.step <= 0:
        return one
    return other


def _read(number: int, of: _Taking) -> str:
    """The value that comes next, and the one in the column that is farthest."""
    onward = f"last_value::numeric + {of.step}"
    if of.cycles:
        is_last = f"last_value {f'> {of.most}' if of.step > 0 else f'< {of.least}'}::numeric"
        again = of.least if of.step > 0 else of.most
        onward = f"CASE WHEN {is_last} - {of.step} THEN {again} ELSE {onward} END"
    farthest = "NULL::numeric"
    if of.of_space and of.table and of.column:
        taken = quoting.name(of.column)
        finite = "" if of.is_whole else f" WHERE {taken}::numeric NOT IN ({INFINITE})"
        farthest = (
            f"(SELECT {'max' if of.step > 0 else 'min'}({taken})::numeric "
            f"FROM {quoting.name(of.of_space)}.{quoting.name(of.table)}{finite})"
        )
    return (
        f"SELECT {number}, CASE WHEN is_called THEN {onward} ELSE last_value END, "
        f"{farthest} FROM {quoting.name(of.space)}.{quoting.name(of.name)}"
    )


def tables_of(objects: Iterable[str]) -> set[str]:
    """The tables that the named objects are or belong to, as far as their names tell it.

    Takes names of :func:`objects` and of :func:`tables`. A table's name has a point in its first
    word, no kind of object has one.
    """
    found = set()
    for named in objects:
        kind, _, name = named.partition(" ")
        if named.startswith(COLUMN_ORDER):
            found.add(named.removeprefix(COLUMN_ORDER))
        elif kind in PARTS_OF_A_TABLE and name:
            found.add(name.rpartition(".")[0])
        elif kind in OF_A_TABLE and name:
            found.add(name)
        elif "." in kind:
            found.add(named)
    return found


def reads_alike(changed: Iterable[str]) -> bool:
    """True if only tables changed, and what says nothing of rows: not a type, not a function."""
    return all(
        key.startswith(COLUMN_ORDER) or key.partition(" ")[0] in SAY_NOTHING_OF_ROWS
        for key in changed
    )


def invalid(found: Mapping[str, str]) -> list[str]:
    """The indexes among the objects that cost every write and serve no query."""
    return [
        key.removeprefix("index ")
        for key, told in found.items()
        if key.startswith("index ") and told.startswith(("INVALID", "NOT READY"))
    ]


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


HALF_DETACHED = re.compile(r"changed: table .+?: table OF (.+?) DETACH PENDING\b")
NAMED = re.compile(r"changed: table (.+?): table OF ")


def finish_sql(differs: Iterable[str]) -> list[str]:
    """Statements that end what an unfinished one began, and that nothing else ends or takes back.

    A partition whose DETACH … CONCURRENTLY was cut off stays pending, and refuses another DETACH.
    """
    found = []
    for line in differs:
        parent, part = HALF_DETACHED.match(line), NAMED.match(line)
        if parent and part:
            name = ".".join(quoting.name(word) for word in part[1].split(".", 1))
            found.append(f"ALTER TABLE {parent[1]} DETACH PARTITION {name} FINALIZE")
    return found


def _chunks(rows: Iterable[_Taking]) -> Iterator[list[_Taking]]:
    left = iter(rows)
    while some := list(itertools.islice(left, AT_ONCE)):
        yield some

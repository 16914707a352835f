"""The rows of tables, counted and hashed by the server."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from harness.ports import Engine, Session
from harness.ports.contents import Table
from harness.state import given_numbers

AT_ONCE = 200
"""So many tables are counted by one statement."""


def checksums(
    engine: Engine,
    session: Session,
    volatile: Mapping[str, Collection[str]],
    tables: Iterable[Table],
) -> dict[str, tuple[int, str]]:
    """Each of the tables → (rows, sum of its rows' hashes).

    Order does not count, duplicates do. ``volatile`` columns of a table are left out, or the
    numbers in them that the server gave (see :mod:`harness.state.given_numbers`).
    """
    module = engine.snapshot
    found: dict[str, tuple[int, str]] = {}
    for some in chunks(tables, AT_ONCE):
        counts = [
            f"SELECT {module.literal(table.name)}, count(*), "
            f"{module.summed(_hash(engine, table, volatile.get(table.name, ())))} "
            f"FROM {table.source}"
            for table in some
        ]
        for name, count, total in session.run(module.SETTINGS + " UNION ALL ".join(counts)).rows:
            found[name] = (int(count), str(total))
    return found


def column_sums(
    engine: Engine, session: Session, name: str, volatile: Collection[str] = ()
) -> dict[str, str]:
    """Column → sum of its values' hashes; ``volatile`` as in :func:`checksums`."""
    module, table = engine.snapshot, engine.snapshot.tables(session).get(name)
    values = given_numbers.values(engine, table.columns, volatile) if table else {}
    if table is None or not values:
        return {}
    sums = ", ".join(module.summed(module.row_hash([value])) for value in values.values())
    found = session.run(f"{module.SETTINGS}SELECT {sums} FROM {table.source}").rows[0]
    return {column: str(total) for column, total in zip(values, found, strict=True)}


def without_values(
    engine: Engine, session: Session, name: str, columns: Collection[str]
) -> list[str]:
    """Those of the table's columns in which every row has NULL; of a table without rows all."""
    module, table = engine.snapshot, engine.snapshot.tables(session).get(name)
    there = [column for column in columns if table and column in table.columns]
    if table is None or not there:
        return []
    counts = ", ".join(f"count({module.quoted(column)})" for column in there)
    found = session.run(f"{module.SETTINGS}SELECT {counts} FROM {table.source}").rows[0]
    return [column for column, count in zip(there, found, strict=True) if not int(count)]


def named(tables: Mapping[str, Table], name: str) -> Table | None:
    """The table that a person means by ``users``, with or without its schema."""
    if name in tables:
        return tables[name]
    meant = [table for key, table in tables.items() if key.rpartition(".")[2] == name]
    return min(meant, key=lambda table: (table.name != f"public.{name}", table.name), default=None)


def _hash(engine: Engine, table: Table, volatile: Collection[str]) -> str:
    kept = given_numbers.values(engine, table.columns, volatile)
    sql: str = engine.snapshot.row_hash(list(kept.values()))
    return sql


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items in lists of that size; the last may be shorter."""
    left = iter(items)
    while some := list(itertools.islice(left, size)):
        yield some

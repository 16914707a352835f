"""What a migration has made, and put nothing into yet."""

from __future__ import annotations

from collections.abc import Iterator

from harness.ports import Engine, Session
from harness.state.difference import difference
from harness.state.rows import without_values
from harness.state.snapshot import Snapshot


def empty_parts(
    engine: Engine, session: Session, before: Snapshot, now: Snapshot
) -> tuple[str, ...]:
    """New tables without a row, and new columns in which every row that is there has NULL.

    By kind and name, as a difference has them. ``session`` stands in the database of ``now``.
    """
    return tuple(sorted(_empty(engine, session, before, now)))


def _empty(engine: Engine, session: Session, before: Snapshot, now: Snapshot) -> Iterator[str]:
    columns: dict[str, list[str]] = {}
    for key in difference(before, now).new:
        kind, _, name = key.partition(" ")
        table, _, column = name.rpartition(".")
        if kind == "table" and now.contents.get(name, (1, ""))[0] == 0:
            yield key
        elif kind == "column" and table in before.contents and now.contents.get(table, (0,))[0]:
            columns.setdefault(table, []).append(column)
    for table, new in columns.items():
        for column in without_values(engine, session, table, new):
            yield f"column {table}.{column}"

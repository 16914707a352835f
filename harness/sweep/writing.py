"""What the application writes between up and down, in both of its versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness import row_generation
from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Table
from harness.row_generation import Added
from harness.state.difference import difference
from harness.state.rows import column_sums, named
from harness.state.snapshot import Snapshot
from harness.sweep.subject import Subject
from harness.sweep.sweep_server import SweepServer
from harness.sweep.written_rows import WrittenRows

WRITTEN = 5
"""New rows of each table."""
OLD_VERSION = 2
"""Of those, rows that the old version writes."""
EDITED = 6
"""Old rows that are edited; the first of them get values in new columns as well."""
ENOUGH = 30
"""Rows of a table from which on old rows are edited: those are not compared with before."""


def write(
    server: SweepServer, up: Subject, database: str, migrated: Snapshot, without: Collection[str]
) -> WrittenRows:
    """New rows in every table, values in the columns that the migration added, and edits of old
    rows in the tables that it works on. The old version of the application, which is still there,
    writes some of them and knows nothing of the new columns.
    """
    engine, session, before = server.engine, server.session(database), server.session(up.template)
    had, has = engine.snapshot.tables(before), engine.snapshot.tables(session)
    new = {
        name: columns
        for name, table in has.items()
        if name in had and (columns := [c for c in table.columns if c not in had[name].columns])
    }
    renamed = {name: _renamed(engine, (before, session), (had[name], has[name])) for name in new}
    more = {name: [c for c in its if c not in renamed[name]] for name, its in new.items()}
    old = {
        name: _kept(had[name], has[name], renamed.get(name, {}))
        for name in _worked_on(server, up, migrated, without)
        if name in had and name in has and migrated.contents[name][0] >= ENOUGH
    }
    added = row_generation.add(engine, session, WRITTEN, without=without)
    _as_the_old_version(engine, session, added, more)
    updated = row_generation.update(engine, session, more)
    edited = row_generation.update(engine, session, old, EDITED)
    return WrittenRows(engine, session, added, updated, edited, renamed)


def _worked_on(
    server: SweepServer, up: Subject, migrated: Snapshot, without: Collection[str]
) -> set[str]:
    """Tables that the migration makes different, they or their rows."""
    gap = difference(up.base.without(without), migrated)
    return {*server.engine.snapshot.tables_of(gap.objects()), *gap.contents}


def _kept(had: Table, has: Table, renamed: Mapping[str, str]) -> list[str]:
    """Columns that were there before, by the names that they have now."""
    return [
        c for c in has.columns if c in renamed or (c in had.columns and c not in renamed.values())
    ]


def _renamed(
    engine: Engine, sessions: tuple[Session, Session], tables: tuple[Table, Table]
) -> dict[str, str]:
    """Columns that have another name now, with the name that they had: they hold its values, and
    it is gone, or borne by a column that stands behind them and holds others.
    """
    (before, now), (had, has) = sessions, tables
    then, since = (column_sums(engine, session, had.name) for session in (before, now))
    order, found = list(has.columns), dict[str, str]()

    def was(name: str, column: str) -> bool:
        if name in found.values() or then[name] != since[column]:
            return False
        if name not in has.columns:
            return True
        return order.index(name) > order.index(column) and since[name] != then[name]

    for column in order:
        name = next((n for n in had.columns if column not in had.columns and was(n, column)), "")
        if name:
            found[column] = name
    return found


def _as_the_old_version(
    engine: Engine, session: Session, added: Sequence[Added], more: Mapping[str, Collection[str]]
) -> None:
    """Leave the new columns of some new rows to their defaults, where there are any."""
    quoted, tables = engine.snapshot.quoted, engine.snapshot.tables(session)
    for name, columns in more.items():
        for rows in added:
            if named({name: tables[name]}, rows.table) is None or not rows.keys:
                continue
            where = engine.snapshot.is_one_of(rows.key, rows.keys[:OLD_VERSION])
            for column in columns:
                try:
                    session.run(
                        f"UPDATE {rows.source} SET {quoted(column)} = DEFAULT WHERE {where}"
                    )
                except DatabaseError as error:
                    if error.lost:
                        raise

"""Rows that the application wrote between up and down, and what the way down leaves of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Table
from harness.row_generation import Added, Updated
from harness.state.rows import named
from harness.state.rows_difference import RowSample, RowsDifference

SAMPLES = 3
"""Rows that are shown of a table."""
Key = tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    """One row: the hash of each value, by which it is compared, and the value as it is shown."""

    hashes: Mapping[str, str]
    shown: Mapping[str, str | None]


@dataclass(frozen=True)
class _Watched:
    """Some columns of some rows of one table, as they were written."""

    table: Table
    key: Sequence[str]
    keys: Sequence[Sequence[object]]
    columns: Sequence[str]
    rows: Mapping[Key, _Row] = field(default_factory=dict)


class WrittenRows:
    """Read right after they were written; compared with what is there later."""

    def __init__(
        self,
        engine: Engine,
        session: Session,
        added: Sequence[Added] = (),
        updated: Sequence[Updated] = (),
    ) -> None:
        self._engine = engine
        self._tables: Mapping[str, Table] = engine.snapshot.tables(session)
        self._added = {
            table.name: rows for rows in added if (table := named(self._tables, rows.table))
        }
        wanted: list[tuple[Added | Updated, Sequence[str]]] = [(rows, ()) for rows in added]
        wanted += [(rows, rows.columns) for rows in updated]
        written = (self._as_written(session, rows, columns) for rows, columns in wanted)
        self._watched = [watched for watched in written if watched]

    @property
    def count(self) -> int:
        """Rows that were added, and those that got other values."""
        return sum(rows.rows for rows in self._added.values()) + sum(
            len(watched.keys) for watched in self._watched if watched.columns
        )

    def keys(self, table: Table) -> Sequence[Sequence[object]]:
        """The new rows of a table by its key; none if they are known by another one."""
        rows = self._added.get(table.name)
        return rows.keys if rows and tuple(rows.key) == tuple(table.key) else ()

    def uncounted(self, table: Table) -> int:
        """How many rows of a table are new without being told by their keys."""
        rows = self._added.get(table.name)
        return 0 if rows is None or self.keys(table) else rows.rows

    def lost(self, session: Session) -> Iterator[str]:
        """What is gone or other, table by table, in words."""
        tables = self._engine.snapshot.tables(session)
        gone: Counter[str] = Counter()
        for watched in self._watched:
            gone.update(_of_gone_columns(watched, tables.get(watched.table.name)))
        yield from (f"{many} values of {name}, which is gone" for name, many in gone.items())
        for watched in self._watched:
            now = tables.get(watched.table.name)
            if now is None or not set(watched.key) <= now.columns.keys():
                yield from _of_gone(watched, now)
                continue
            try:
                yield from _compared(watched, self._read(session, watched, now))
            except DatabaseError as problem:
                if problem.lost:
                    raise
                yield f"{watched.table.name}: what is left cannot be read: {problem.message}"

    def _as_written(
        self, session: Session, rows: Added | Updated, columns: Sequence[str]
    ) -> _Watched | None:
        table = named(self._tables, rows.table)
        if table is None or not rows.keys:
            return None
        watched = _Watched(table, rows.key, rows.keys, columns or tuple(table.columns))
        return replace(watched, columns=columns, rows=self._read(session, watched, table))

    def _read(self, session: Session, watched: _Watched, now: Table) -> Mapping[Key, _Row]:
        """The rows by key, of the columns that are (still) there; hashed as when written."""
        module, then = self._engine.snapshot, watched.table
        names = [name for name in watched.columns or then.columns if name in now.columns]
        key = [module.quoted(name) for name in watched.key]
        hashes = [module.row_hash([then.columns[name]]) for name in names]
        listed = ", ".join([*key, *hashes, *(now.shown[name] for name in names)])
        condition = module.is_one_of(watched.key, watched.keys)
        sql = f"{module.SETTINGS}SELECT {listed} FROM {now.source} WHERE {condition}"
        wide, found = len(key), {}
        for row in session.run(sql).rows:
            values, shown = row[wide : wide + len(names)], row[wide + len(names) :]
            told = [None if value is None else str(value) for value in shown]
            found[tuple(map(str, row[:wide]))] = _Row(
                dict(zip(names, map(str, values), strict=True)),
                dict(zip(names, told, strict=True)),
            )
        return found


def _of_gone_columns(watched: _Watched, now: Table | None) -> Iterator[str]:
    """Once for each value of the rows, NULL apart, that went with its column."""
    gone = [
        column
        for column in watched.columns or (watched.table.columns if now else ())
        if now is None or column not in now.columns
    ]
    for row in watched.rows.values():
        told = (column for column in gone if row.shown[column] is not None)
        yield from (f"{watched.table.name}.{column}" for column in told)


def _of_gone(watched: _Watched, now: Table | None) -> Iterator[str]:
    """The table is gone, or the key by which its rows were known."""
    name, many = watched.table.name, len(watched.rows)
    if now is None and not watched.columns:
        yield f"{many} rows of {name}, which is gone"
    elif now is not None:
        yield f"{many} rows of {name} cannot be found any more: {', '.join(watched.key)} is gone"


def _compared(watched: _Watched, rows: Mapping[Key, _Row]) -> Iterator[str]:
    """Rows that are gone or other."""
    name = watched.table.name
    columns: Counter[str] = Counter()
    samples, missing, changed = [], 0, 0
    for key, then in watched.rows.items():
        told = ", ".join(f"{c} {v}" for c, v in zip(watched.key, key, strict=True))
        row = rows.get(key)
        if row is None:
            missing += 1
            samples.append(RowSample(told, _words(then, then.hashes), None))
            continue
        other = [c for c, value in row.hashes.items() if value != then.hashes[c]]
        changed += bool(other)
        columns.update(other)
        if other:
            samples.append(RowSample(told, _words(then, other), _words(row, other)))
    found = RowsDifference(
        name, len(watched.rows), missing, 0, changed, dict(columns), tuple(samples[:SAMPLES])
    )
    if found:
        yield str(found)


def _words(row: _Row, columns: Sequence[str] | Mapping[str, str]) -> Mapping[str, str]:
    return {c: "NULL" if (v := row.shown[c]) is None else v for c in columns}

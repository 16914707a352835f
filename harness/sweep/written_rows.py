"""Rows that the application wrote between up and down, and what the way down leaves of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
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


@dataclass
class LostWrites:
    """What the way down leaves not of what was written, table by table, in words."""

    meanwhile: list[str] = field(default_factory=list)
    """In tables and columns that only the way up brought, or other than it was written."""
    undone: list[str] = field(default_factory=list)
    """Gone from tables and columns that were there before: rows, values, edits."""


class WrittenRows:
    """Read right after they were written; compared with what is there later.

    ``updated`` are values in columns that the migration added; ``edited`` those in columns that
    were there before. ``renamed`` are columns that had another name before, by table.
    """

    def __init__(
        self,
        engine: Engine,
        session: Session,
        added: Sequence[Added] = (),
        updated: Sequence[Updated] = (),
        edited: Sequence[Updated] = (),
        renamed: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._renamed = renamed or {}
        self._engine = engine
        self._tables: Mapping[str, Table] = engine.snapshot.tables(session)
        self._added = {
            table.name: rows for rows in added if (table := named(self._tables, rows.table))
        }
        self._edited = {
            table.name: rows for rows in edited if (table := named(self._tables, rows.table))
        }
        wanted: list[tuple[Added | Updated, Sequence[str]]] = [(rows, ()) for rows in added]
        wanted += [(rows, rows.columns) for rows in (*updated, *edited)]
        written = (self._as_written(session, rows, columns) for rows, columns in wanted)
        self._watched = [watched for watched in written if watched]

    @property
    def count(self) -> int:
        """Rows that were added, and those that got other values."""
        return sum(rows.rows for rows in self._added.values()) + sum(
            len(watched.keys) for watched in self._watched if watched.columns
        )

    def keys(self, table: Table) -> Sequence[Sequence[object]]:
        """The new and the edited rows of a table by its key; none if they are known by another."""
        found: list[Sequence[object]] = []
        for rows in (self._added.get(table.name), self._edited.get(table.name)):
            if rows and tuple(rows.key) == tuple(table.key):
                found += rows.keys
        return found

    def uncounted(self, table: Table) -> int:
        """How many rows of a table are new without being told by their keys."""
        rows = self._added.get(table.name)
        if rows is None or (rows.keys and tuple(rows.key) == tuple(table.key)):
            return 0
        return rows.rows

    def lost(self, session: Session, before: Session) -> LostWrites:
        """What is gone or other; ``before`` is in the database of the state before."""
        found, had = LostWrites(), self._engine.snapshot.tables(before)
        tables = self._engine.snapshot.tables(session)
        gone: Counter[str] = Counter()
        for watched in self._watched:
            renamed = self._renamed.get(watched.table.name, {})
            gone.update(_of_gone_columns(watched, tables.get(watched.table.name), renamed))
        found.meanwhile += [
            f"{many} values of {name}, which is gone" for name, many in gone.items()
        ]
        for watched in self._watched:
            now, then = (there.get(watched.table.name) for there in (tables, had))
            if now is None or not set(watched.key) <= now.columns.keys():
                found.meanwhile += _of_gone(watched, now)
                continue
            try:
                rows = self._read(session, watched, now)
                originals = self._originals(before, watched, then)
            except DatabaseError as problem:
                if problem.lost:
                    raise
                says = f"{watched.table.name}: what is left cannot be read: {problem.message}"
                found.meanwhile.append(says)
                continue
            columns = set(then.columns) if then else None
            if columns:
                columns -= set(self._renamed.get(watched.table.name, {}).values())
            _compare(watched, rows, originals, columns, found)
        return found

    def _originals(
        self, before: Session, watched: _Watched, then: Table | None
    ) -> Mapping[Key, _Row]:
        """What edited rows held before the migration; nothing of new ones."""
        if then is None or not watched.columns or not set(watched.key) <= then.columns.keys():
            return {}
        if not set(watched.columns) & then.columns.keys():
            return {}
        return self._read(before, watched, then)

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


def _of_gone_columns(
    watched: _Watched, now: Table | None, renamed: Mapping[str, str]
) -> Iterator[str]:
    """Once for each value of the rows, NULL apart, that went with its column; one that has its
    earlier name again did not.
    """
    gone = [
        column
        for column in watched.columns or (watched.table.columns if now else ())
        if now is None or not {column, renamed.get(column, column)} & now.columns.keys()
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


def _compare(
    watched: _Watched,
    rows: Mapping[Key, _Row],
    originals: Mapping[Key, _Row],
    had: Collection[str] | None,
    found: LostWrites,
) -> None:
    """Rows that are gone or other: what nothing is left of, apart from what is only other. ``had``
    are the columns of the table before, None if there was none.
    """
    lost, other = _Strays(watched), _Strays(watched)
    for key, then in watched.rows.items():
        row = rows.get(key)
        if row is None:
            (other if had is None else lost).gone(key, then)
            continue
        differ = [c for c, value in row.hashes.items() if value != then.hashes[c]]
        undone = [
            c for c in differ if c in (had or ()) and _is_undone(c, then, row, originals.get(key))
        ]
        lost.changed(key, then, row, undone)
        other.changed(key, then, row, [c for c in differ if c not in undone])
    found.undone += lost.told()
    found.meanwhile += other.told()


def _is_undone(column: str, written: _Row, now: _Row, original: _Row | None) -> bool:
    """Whether a value is gone, or an edit is: the same as ever before it. A value that is only
    another one may be the same in the words of the old version.
    """
    if now.shown[column] is None:
        return written.shown[column] not in (None, "")
    return original is not None and original.hashes.get(column) == now.hashes[column]


class _Strays:
    """Rows of one table that are not as they were written, counted and with samples."""

    def __init__(self, watched: _Watched) -> None:
        self._watched = watched
        self._columns: Counter[str] = Counter()
        self._gone = self._changed = 0
        self._samples: list[RowSample] = []

    def gone(self, key: Key, then: _Row) -> None:
        self._gone += 1
        self._samples.append(RowSample(self._told(key), _words(then, then.hashes), None))

    def changed(self, key: Key, then: _Row, now: _Row, columns: Sequence[str]) -> None:
        if not columns:
            return
        self._changed += 1
        self._columns.update(columns)
        both = (_words(then, columns), _words(now, columns))
        self._samples.append(RowSample(self._told(key), *both))

    def told(self) -> list[str]:
        watched, samples = self._watched, tuple(self._samples[:SAMPLES])
        found = RowsDifference(
            watched.table.name, len(watched.rows), self._gone, 0, self._changed,
            dict(self._columns), samples,
        )  # fmt: skip
        return [str(found)] if found else []

    def _told(self, key: Key) -> str:
        return ", ".join(f"{c} {v}" for c, v in zip(self._watched.key, key, strict=True))


def _words(row: _Row, columns: Sequence[str] | Mapping[str, str]) -> Mapping[str, str]:
    return {c: "NULL" if (v := row.shown[c]) is None else v for c in columns}

"""Two databases' rows of one table, compared one by one where they differ.

Only what differs is fetched, in bounded portions, so a table of any size can be compared.
"""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Table
from harness.state.rows import chunks, named

BUCKET = 500
"""Rows in a bucket, about; those of buckets that differ are fetched."""
PORTION = 50_000
"""Rows of one side that are in memory at a time, about."""
SAMPLES = 5
"""Rows that are shown of a table, before and after."""
SHOWN = 60
"""Characters that are shown of a value."""

Key = tuple[Any, ...]


@dataclass(frozen=True)
class RowSample:
    """One row that differs: its values by column in each state; None where it is not there."""

    key: str
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None

    def __str__(self) -> str:
        if self.after is None:
            return f"{self.key} is gone"
        if self.before is None:
            return f"{self.key} is new"
        other = [
            f"{column} {self.before[column]} → {self.after.get(column, '(no such column)')}"
            for column in self.before
            if self.before[column] != self.after.get(column)
        ]
        return f"{self.key}: {', '.join(other)}"


@dataclass(frozen=True)
class RowsDifference:
    """How the rows of one table differ.

    ``had`` are the rows that were compared. ``columns`` counts changed values; without a key a
    changed row is one that is gone and one that is new.
    """

    table: str
    had: int
    gone: int = 0
    new: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[RowSample, ...] = ()

    @property
    def count(self) -> int:
        """Rows that are not as they were."""
        return self.gone + self.new + self.changed

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        parts = [
            f"{count} {what}"
            for count, what in ((self.gone, "gone"), (self.new, "new"), (self.changed, "changed"))
            if count
        ]
        told = f"{self.table}: {self.count} of {self.had} rows differ ({', '.join(parts)})"
        if self.samples:
            told += ": " + "; ".join(map(str, self.samples))
            told += "; …" if self.count > len(self.samples) else ""
        return told


def compare(
    engine: Engine,
    before: Session,
    after: Session,
    name: str,
    *,
    columns: Sequence[str] = (),
    without: Callable[[], Collection[Any]] = tuple,
) -> RowsDifference:
    """Compare a table of two databases, in ``columns`` or in all that it had before.

    ``without`` gives the keys of rows to leave out. It is asked again at the end: what came into it
    while the rows were read is left out as well. DatabaseError if the table was not there before.
    """
    return _Comparison(engine, before, after, name, columns, without).run()


class _Comparison:
    """One table, on both sides."""

    def __init__(
        self,
        engine: Engine,
        before: Session,
        after: Session,
        name: str,
        columns: Sequence[str],
        without: Callable[[], Collection[Any]],
    ) -> None:
        self._engine = engine
        self._module = engine.snapshot
        self._sessions = before, after
        had = self._table(before, name)
        if had is None:
            raise DatabaseError("", f"there was no table {name} to compare with")
        self._had = had
        self._has = self._table(after, name)
        self._columns = tuple(columns) or tuple(had.columns)
        self._without = without
        self._left_out = tuple(without())
        self._keyed = bool(had.key) and (
            self._has is None or set(had.key) <= self._has.columns.keys()
        )

    def _table(self, session: Session, name: str) -> Table | None:
        module = self._module
        return named(module.tables(session), name) or named(module.partitioned(session), name)

    def run(self) -> RowsDifference:
        had, sum_before = self._sum(self._had, self._sessions[0])
        if self._has is None:
            return RowsDifference(self._had.name, had, gone=had)
        missing = set(self._columns) - self._has.columns.keys()
        if missing:
            return RowsDifference(
                self._had.name, had, changed=had, columns=dict.fromkeys(sorted(missing), had)
            )
        has, sum_after = self._sum(self._has, self._sessions[1])
        if (had, sum_before) == (has, sum_after):
            return RowsDifference(self._had.name, had)
        return self._by_key(had, max(had, has)) if self._keyed else self._by_value(had)

    # ------------------------------------------------------------------ with a key

    def _by_key(self, had: int, most: int) -> RowsDifference:
        many = max(1, most // BUCKET)
        strays = self._differing_buckets(many)
        gone, new, changed = [], [], []
        for some in chunks(strays, max(1, PORTION // BUCKET)):
            old = self._hashes(self._had, self._sessions[0], many, some)
            now = self._hashes(self._other, self._sessions[1], many, some)
            gone += [key for key in old if key not in now]
            new += [key for key in now if key not in old]
            changed += [key for key in old if key in now and old[key] != now[key]]
        late = {str(key) for key in self._without()} - set(map(str, self._left_out))
        if late and len(self._had.key) == 1:
            gone, new, changed = (
                [key for key in keys if str(key[0]) not in late] for keys in (gone, new, changed)
            )
        shown = sorted((*gone, *changed, *new), key=_sortable)
        return RowsDifference(
            self._had.name,
            had,
            len(gone),
            len(new),
            len(changed),
            self._changed_values(changed),
            tuple(self._samples(shown[:SAMPLES])),
        )

    @property
    def _other(self) -> Table:
        assert self._has is not None
        return self._has

    def _differing_buckets(self, many: int) -> list[int]:
        one, other = (
            self._buckets(table, session, many)
            for table, session in zip((self._had, self._other), self._sessions, strict=True)
        )
        return sorted(b for b in one.keys() | other.keys() if one.get(b) != other.get(b))

    def _buckets(self, table: Table, session: Session, many: int) -> dict[int, tuple[int, str]]:
        bucket = self._bucket(table, many)
        found = self._ask(
            session,
            f"SELECT {bucket}, count(*), {self._module.summed(self._hash(table))} "
            f"FROM {table.source}{self._where(table)} GROUP BY {bucket}",
        )
        return {int(b): (int(count), str(total)) for b, count, total in found}

    def _hashes(
        self, table: Table, session: Session, many: int, buckets: Sequence[int]
    ) -> dict[Key, str]:
        listed = ", ".join(map(str, buckets))
        found = self._ask(
            session,
            f"SELECT {self._hash(table)}, {self._listed(table, self._had.key)} "
            f"FROM {table.source}"
            f"{self._where(table, f'{self._bucket(table, many)} IN ({listed})')}",
        )
        return {tuple(map(_hashable, key)): str(total) for total, *key in found}

    def _changed_values(self, changed: Sequence[Key]) -> dict[str, int]:
        """How many of these rows differ in each column."""
        counts: Multiset[str] = Multiset()
        for some in chunks(changed, 500):
            old, now = (
                self._values(table, session, some, hashed=True)
                for table, session in zip((self._had, self._other), self._sessions, strict=True)
            )
            for key in some:
                for column in self._columns:
                    counts[column] += old.get(key, {}).get(column) != now.get(key, {}).get(column)
        return {column: count for column, count in counts.items() if count}

    def _samples(self, keys: Sequence[Key]) -> Iterator[RowSample]:
        if not keys:
            return
        old, now = (
            self._values(table, session, keys)
            for table, session in zip((self._had, self._other), self._sessions, strict=True)
        )
        for key in keys:
            told = ", ".join(f"{c} {_short(v)}" for c, v in zip(self._had.key, key, strict=True))
            yield RowSample(told, old.get(key), now.get(key))

    def _values(
        self, table: Table, session: Session, keys: Sequence[Key], *, hashed: bool = False
    ) -> dict[Key, dict[str, str]]:
        """The rows of these keys; each value as it is shown, or hashed to be compared."""
        listed = self._listed(table, self._columns)
        if hashed:
            values = (self._module.row_hash([table.columns[c]]) for c in self._columns)
            listed = ", ".join(values)
        found = self._ask(
            session,
            f"SELECT {self._listed(table, self._had.key)}, {listed} FROM {table.source} "
            f"WHERE {self._module.is_one_of(self._had.key, keys)}",
        )
        width = len(self._had.key)
        return {
            tuple(map(_hashable, row[:width])): {
                column: _short(value)
                for column, value in zip(self._columns, row[width:], strict=True)
            }
            for row in found
        }

    # ------------------------------------------------------------------ without one

    def _by_value(self, had: int) -> RowsDifference:
        """A row is known by all of its values; which of them changed cannot be told."""
        old, now = (
            Multiset(str(row[0]) for row in self._ask(session, self._every_hash(table)))
            for table, session in zip((self._had, self._other), self._sessions, strict=True)
        )
        gone, new = old - now, now - old
        samples = [
            RowSample(told, values, None)
            for told, values in self._of_hashes(self._had, self._sessions[0], list(gone))
        ]
        samples += [
            RowSample(told, None, values)
            for told, values in self._of_hashes(self._other, self._sessions[1], list(new))
        ]
        return RowsDifference(
            self._had.name, had, gone.total(), new.total(), samples=tuple(samples[:SAMPLES])
        )

    def _every_hash(self, table: Table) -> str:
        return f"SELECT {self._hash(table)} FROM {table.source}"

    def _of_hashes(
        self, table: Table, session: Session, hashes: Sequence[str]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        if not hashes:
            return
        listed = ", ".join(hashes[:SAMPLES])
        found = self._ask(
            session,
            f"SELECT {self._listed(table, self._columns)} FROM {table.source} "
            f"WHERE {self._hash(table)} IN ({listed})",
        )
        for row in found[:SAMPLES]:
            values = {c: _short(v) for c, v in zip(self._columns, row, strict=True)}
            yield f"({', '.join(values.values())})", values

    # ------------------------------------------------------------------ SQL

    def _sum(self, table: Table, session: Session) -> tuple[int, str]:
        found = self._ask(
            session,
            f"SELECT count(*), {self._module.summed(self._hash(table))} "
            f"FROM {table.source}{self._where(table)}",
        )
        count, total = found[0]
        return int(count), str(total)

    def _hash(self, table: Table) -> str:
        return self._module.row_hash([table.columns[column] for column in self._columns])

    def _bucket(self, table: Table, many: int) -> str:
        keys = [table.columns[column] for column in self._had.key]
        return f"abs({self._module.row_hash(keys)} % {many})"

    def _where(self, table: Table, condition: str = "") -> str:
        parts = [condition] if condition else []
        if self._left_out and len(self._had.key) == 1:
            keys = [(key,) for key in self._left_out]
            parts.append(f"NOT ({self._module.is_one_of(self._had.key, keys)})")
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _listed(self, table: Table, columns: Sequence[str]) -> str:
        return ", ".join(self._module.quoted(column) for column in columns)

    def _ask(self, session: Session, sql: str) -> Sequence[tuple[Any, ...]]:
        return session.run(self._module.SETTINGS + sql).rows


def _short(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes | bytearray | memoryview):
        value = f"0x{bytes(value).hex()}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | bytes) or value is None else str(value)


def _sortable(key: Key) -> tuple[tuple[int, Any], ...]:
    return tuple((0, part) if isinstance(part, int) else (1, str(part)) for part in key)

"""Two databases' rows of one table, compared one by one where they differ.

Only buckets of rows that differ are fetched, a portion at a time, and of what differs only counts
and a few samples are kept, so a table of any size can be compared.
"""

from __future__ import annotations

import heapq
from collections import Counter as Multiset
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Table
from harness.state.rows import chunks, named
from harness.state.rows_difference import RowSample, RowsDifference

BUCKET = 500
"""Rows in a bucket, about; those of buckets that differ are fetched."""
MOST_BUCKETS = 65_536
"""Their sums are all in memory."""
PORTION = 1_000_000
"""Hashes of one side that are in memory at a time, about: rows times columns."""
SAMPLES = 5
"""Rows that are shown of a table, before and after."""
SHOWN = 60
"""Characters that are shown of a value."""

Key = tuple[Any, ...]
Stray = tuple[Key, int]
"""The key of a row that differs, and the key's hash."""


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

    ``without`` gives the keys of rows to leave out, tuples where they have several columns. It is
    asked again after each portion: what came into it while the rows were read is left out as well.
    DatabaseError if the table, or one of the columns, was not there before.
    """
    comparison = _Comparison(engine, (before, after), name, columns, without)
    had, sum_before = comparison.sum(0)
    if comparison.is_gone:
        return RowsDifference(comparison.name, had, gone=had)
    if missing := comparison.missing():
        return RowsDifference(
            comparison.name, had, changed=had, columns=dict.fromkeys(missing, had)
        )
    has, sum_after = comparison.sum(1)
    if (had, sum_before) == (has, sum_after):
        return RowsDifference(comparison.name, had)
    return comparison.differing(had, has)


class _Comparison:
    """One table, on both sides.

    Each side counts and adds up the hashes of its rows, then of its rows by bucket, and only rows
    of buckets that differ are fetched, as hashes, a portion at a time. A side's values are hashed
    as the first side has them, so a column that only became wider is the same.
    """

    def __init__(
        self,
        engine: Engine,
        sessions: tuple[Session, Session],
        name: str,
        columns: Sequence[str],
        without: Callable[[], Collection[Any]],
    ) -> None:
        self._module = engine.snapshot
        self._sessions = sessions
        had, has = (self._table(session, name) for session in sessions)
        if had is None:
            raise DatabaseError("", f"there was no table {name} to compare with")
        self._had, self._has = had, has
        self._columns = tuple(columns) or tuple(had.columns)
        if unknown := [column for column in self._columns if column not in had.columns]:
            raise DatabaseError(
                "", f"there was no column {name}.{unknown[0]} with values of its own"
            )
        self._without = without
        self._left_out = self._keys_left_out()
        self._key = had.key if has and set(had.key) <= has.columns.keys() else ()
        self._of_key = self._hashed(self._key or self._columns)

    def _table(self, session: Session, name: str) -> Table | None:
        module = self._module
        return named(module.tables(session), name) or named(module.partitioned(session), name)

    @property
    def name(self) -> str:
        return self._had.name

    @property
    def is_gone(self) -> bool:
        return self._has is None

    def missing(self) -> list[str]:
        """Columns to compare that are there no longer."""
        assert self._has is not None
        return sorted(set(self._columns) - self._has.columns.keys())

    def sum(self, side: int) -> tuple[int, str]:
        """How many rows, and the sum of their hashes."""
        total = self._module.summed(self._hashed(self._columns))
        ((count, added),) = self._ask(side, f"SELECT count(*), {total}")
        return int(count), str(added)

    def differing(self, had: int, has: int) -> RowsDifference:
        """How they differ, whose sums do."""
        many = min(MOST_BUCKETS, max(1, max(had, has) // BUCKET))
        if self._key:
            found = self._by_key(had, many)
            if found or self._late():
                return found
        self._key, self._of_key = (), self._hashed(self._columns)
        return self._by_value(had, many)

    # ------------------------------------------------------------------ with a key

    def _by_key(self, had: int, many: int) -> RowsDifference:
        gone = new = 0
        changed: Multiset[str] = Multiset()
        rows = 0
        shown: list[Stray] = []
        for old, now in self._portions(many, len(self._key) + len(self._columns) + 1):
            late = self._late()
            strays = []
            for key in old.keys() | now.keys():
                one, other = old.get(key), now.get(key)
                if one == other or (late and tuple(map(str, key)) in late):
                    continue
                gone, new = gone + (other is None), new + (one is None)
                if one and other:
                    rows += 1
                    changed.update(
                        c for c, a, b in zip(self._columns, one[1], other[1], strict=True) if a != b
                    )
                strays.append((key, (one or other or (0,))[0]))
            shown = heapq.nsmallest(SAMPLES, (*shown, *strays), key=_sortable)
        return RowsDifference(
            self.name, had, gone, new, rows, dict(changed), tuple(self._samples(shown))
        )

    def _portions(
        self, many: int, width: int
    ) -> Iterator[tuple[dict[Key, tuple[int, Key]], dict[Key, tuple[int, Key]]]]:
        """The rows of both sides by key, each with its key's hash and those of its values."""
        hashes = ", ".join(self._hashed([column]) for column in self._columns)
        for some in self._differing_buckets(many, width):
            yield tuple(
                {
                    tuple(map(_hashable, row[1 : 1 + len(self._key)])): (
                        int(row[0]),
                        tuple(map(int, row[1 + len(self._key) :])),
                    )
                    for row in self._ask(
                        side,
                        f"SELECT {self._of_key}, {self._shown(side, self._key)}, {hashes}",
                        f"{self._bucket(many)} IN ({some})",
                    )
                }
                for side in (0, 1)
            )  # type: ignore[misc]

    def _keys_left_out(self) -> tuple[Key, ...]:
        """Keys of the table; others, and those of a table that has none, tell nothing."""
        keys = (key if isinstance(key, tuple) else (key,) for key in self._without())
        return tuple(key for key in keys if len(key) == len(self._had.key))

    def _late(self) -> frozenset[tuple[str, ...]]:
        """Keys to leave out that came while the rows were read."""
        now, then = (
            frozenset(tuple(map(str, key)) for key in keys)
            for keys in (self._keys_left_out(), self._left_out)
        )
        return now - then

    def _samples(self, strays: Sequence[Stray]) -> Iterator[RowSample]:
        if not strays:
            return
        listed = ", ".join(str(number) for _, number in strays)
        width = len(self._key)
        old, now = (
            {
                tuple(map(_hashable, row[:width])): self._told(row[width:])
                for row in self._ask(
                    side,
                    f"SELECT {self._shown(side, (*self._key, *self._columns))}",
                    f"{self._of_key} IN ({listed})",
                )
            }
            for side in (0, 1)
        )
        for key, _ in strays:
            told = ", ".join(f"{c} {_short(v)}" for c, v in zip(self._key, key, strict=True))
            yield RowSample(told, old.get(key), now.get(key))

    # ------------------------------------------------------------------ without one

    def _by_value(self, had: int, many: int) -> RowsDifference:
        """A row is known by all of its values; which of them changed cannot be told."""
        gone, new = 0, 0
        samples: tuple[list[int], list[int]] = [], []
        for some in self._differing_buckets(many, 2):
            old, now = (
                Multiset(
                    {
                        int(number): int(count)
                        for number, count in self._ask(
                            side,
                            f"SELECT {self._of_key}, count(*)",
                            f"{self._bucket(many)} IN ({some})",
                            self._of_key,
                        )
                    }
                )
                for side in (0, 1)
            )
            gone, new = gone + (old - now).total(), new + (now - old).total()
            for kept, more in zip(samples, (old - now, now - old), strict=True):
                kept += sorted(more)[: SAMPLES - len(kept)]
        shown = [RowSample(*row, None) for row in self._of_hashes(0, samples[0])]
        shown += [RowSample(told, None, row) for told, row in self._of_hashes(1, samples[1])]
        return RowsDifference(self.name, had, gone, new, samples=tuple(shown[:SAMPLES]))

    def _of_hashes(self, side: int, numbers: Sequence[int]) -> Iterator[tuple[str, dict[str, str]]]:
        for number in numbers:
            select = f"SELECT {self._shown(side, self._columns)}"
            for row in self._ask(side, select, f"{self._of_key} = {number}", limit=1):
                values = self._told(row)
                yield f"({', '.join(values.values())})", values

    # ------------------------------------------------------------------ SQL

    def _differing_buckets(self, many: int, width: int) -> Iterator[str]:
        """Numbers of the buckets that differ, as many at a time as are fetched together."""
        one, other = (
            {
                int(number): (int(count), str(added))
                for number, count, added in self._ask(
                    side,
                    f"SELECT {self._bucket(many)}, count(*), "
                    f"{self._module.summed(self._hashed(self._columns))}",
                    group=self._bucket(many),
                )
            }
            for side in (0, 1)
        )
        strays = sorted(b for b in one.keys() | other.keys() if one.get(b) != other.get(b))
        rows = max((one.get(b, (0,))[0] for b in strays), default=0)
        rows = max(1, rows, max((other.get(b, (0,))[0] for b in strays), default=0))
        for some in chunks(strays, max(1, PORTION // (rows * width))):
            yield ", ".join(map(str, some))

    def _hashed(self, columns: Sequence[str]) -> str:
        sql: str = self._module.row_hash([self._had.columns[column] for column in columns])
        return sql

    def _bucket(self, many: int) -> str:
        return f"abs({self._of_key} % {many})"

    def _shown(self, side: int, columns: Sequence[str]) -> str:
        table = self._had if side == 0 or self._has is None else self._has
        return ", ".join(table.shown[column] for column in columns) or "1"

    def _told(self, values: Sequence[Any]) -> dict[str, str]:
        return {c: _short(v) for c, v in zip(self._columns, values, strict=False)}

    def _ask(
        self, side: int, select: str, condition: str = "", group: str = "", limit: int = 0
    ) -> Sequence[tuple[Any, ...]]:
        table = self._had if side == 0 or self._has is None else self._has
        conditions = [condition] if condition else []
        if self._left_out:
            left_out = self._module.is_one_of(self._had.key, self._left_out)
            conditions.append(f"NOT ({left_out})")
        sql = f"{select} FROM {table.source}"
        sql += f" WHERE {' AND '.join(conditions)}" if conditions else ""
        sql += f" GROUP BY {group}" if group else ""
        sql += f" LIMIT {limit}" if limit else ""
        return self._sessions[side].run(self._module.SETTINGS + sql).rows


def _short(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes | bytearray | memoryview):
        value = f"0x{bytes(value).hex()}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}… ({len(text)} characters)"


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | bytes) or value is None else str(value)


def _sortable(stray: Stray) -> tuple[tuple[int, Any], ...]:
    return tuple((0, part) if isinstance(part, int) else (1, str(part)) for part in stray[0])

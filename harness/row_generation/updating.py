"""Other values in a few rows that are there: an application that uses what a migration added."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.table_specs import Link, TableSpec
from harness.row_generation.filling import specs_of
from harness.row_generation.keys import Key, hashable, key_of, keys_there, named, quoted, rows_of
from harness.row_generation.narrowing import literals_of

CANDIDATES = 40
"""Values that are tried for one column of one row."""


@dataclass(frozen=True)
class Updated:
    """Rows of one table whose values in ``columns`` are others now, by the values of its ``key``.

    ``why_not`` is one sentence for what could not be updated.
    """

    table: str
    source: str
    """The table in FROM."""
    key: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    why_not: str = ""


def update(
    engine: Engine, session: Session, columns: Mapping[str, Collection[str]], rows: int = 3
) -> tuple[Updated, ...]:
    """Give the first ``rows`` rows of each table, by its key, other values in these columns.

    ``columns`` are by table, as ``name`` or ``schema.name``. Constraints hold: what the server
    refuses stays as it is and is told. A lost connection is the only DatabaseError that leaves
    this.
    """
    specs = specs_of(engine, session, ())
    found = []
    for table, wanted in columns.items():
        spec = named(specs, table)
        if spec is None:
            found.append(Updated(table, "", why_not="there is no such table"))
            continue
        try:
            found.append(_Updating(engine, session, spec, rows).run(wanted))
        except DatabaseError as error:
            if error.lost:
                raise
            said = f"the server refused: {error.message}"
            found.append(Updated(spec.name, spec.source, key_of(spec), why_not=said))
    return tuple(found)


class _Updating:
    """One table."""

    def __init__(self, engine: Engine, session: Session, spec: TableSpec, rows: int) -> None:
        self._engine, self._session, self._spec, self._rows = engine, session, spec, rows
        self._said = ""

    def run(self, wanted: Collection[str]) -> Updated:
        """Each row by itself: all columns at once, and those by one that this refuses."""
        spec = self._spec
        found = Updated(spec.name, spec.source, key_of(spec))
        if not found.key:
            return _less(found, "it has no key, so its rows cannot be told apart")
        able, why_not = self._able(wanted)
        if not able:
            return _less(found, why_not)
        written: dict[str, None] = {}
        keys = []
        for number, key in enumerate(keys_there(self._session, spec, self._rows)):
            before = self._values(key, able)
            self._write(key, able, number)
            now = self._values(key, able)
            changed = [name for name in able if before[name] != now[name]]
            written.update(dict.fromkeys(changed))
            keys += [key] if changed else []
        if len(written) < len(able):
            why_not = why_not or self._said or "it has no rows"
        columns = tuple(name for name in able if name in written)
        return Updated(spec.name, spec.source, found.key, columns, tuple(keys), why_not)

    def _able(self, wanted: Collection[str]) -> tuple[list[str], str]:
        """The columns that an application can write; and why it cannot write another."""
        there = {column.name: column for column in self._spec.columns}
        able, why_not = [], ""
        for name in wanted:
            if name not in there:
                why_not = f"it has no column {name}"
            elif there[name].generated or there[name].served or name in key_of(self._spec):
                why_not = f"{name} is not an application's to write"
            else:
                able.append(name)
        return able, why_not

    def _write(self, key: Key, names: Sequence[str], number: int) -> None:
        """All columns at once by their likeliest values; else each by the first that is taken."""
        several = [next(self._candidates(name, number), "NULL") for name in names]
        if len(names) > 1 and self._set(key, dict(zip(names, several, strict=True))):
            return
        for name in names:
            for value in self._candidates(name, number):
                if self._set(key, {name: value}):
                    break

    def _candidates(self, name: str, number: int) -> Iterator[str]:
        """Values for one column, the likeliest first; of a foreign key those of its parent."""
        spec = self._spec
        for link in spec.links:
            if name in link.columns:
                yield _of_parent(link, link.columns.index(name), number)
                return
        literals = literals_of([check for check in spec.checks if name in check.columns])
        formulas = self._engine.table_specs.formulas(spec.column(name).kind, literals)
        for formula in formulas[:CANDIDATES]:
            yield formula.at(str(100_003 + 7 * number))
            yield formula.at(str(number))

    def _set(self, key: Key, values: Mapping[str, str]) -> bool:
        sets = ", ".join(f"{self._spec.column(n).quoted} = {sql}" for n, sql in values.items())
        where = rows_of(self._engine, self._spec, [key])
        before = self._values(key, list(values))
        try:
            self._session.run(f"UPDATE {self._spec.source} SET {sets} WHERE {where}")
        except DatabaseError as error:
            if error.lost:
                raise
            self._said = f"the server refused: {error.message}"
            return False
        return before != self._values(key, list(values))

    def _values(self, key: Key, names: Sequence[str]) -> dict[str, object]:
        listed = quoted(self._spec, names)
        where = rows_of(self._engine, self._spec, [key])
        rows = self._session.run(f"SELECT {listed} FROM {self._spec.source} WHERE {where}").rows
        values = rows[0] if rows else (None,) * len(names)
        return dict(zip(names, map(hashable, values), strict=True))


def _less(found: Updated, why_not: str) -> Updated:
    return Updated(found.table, found.source, found.key, why_not=why_not)


def _of_parent(link: Link, place: int, number: int) -> str:
    """The key of one of the parent's rows, by its order."""
    column, order = link.parent_columns[place], ", ".join(link.parent_columns)
    return (
        f"(SELECT k FROM (SELECT {column} AS k FROM {link.source} WHERE {column} IS NOT NULL "
        f"ORDER BY {order} LIMIT 1 OFFSET {number + 1}) AS chosen)"
    )

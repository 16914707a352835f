"""Takes rows out of a database, and with them every row that refers to one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.errors import DatabaseError, DrillError
from harness.ports import Engine, Session
from harness.ports.table_specs import Link, TableSpec
from harness.row_generation.keys import Key, hashable, key_of, quoted
from harness.row_generation.mixing import NO_LIMIT


class NotThinned(DrillError):
    """The server would not give up the rows, so nothing may be concluded from what it has."""


class RowIds:
    """What tells the rows of one table apart: its key, or a hash of all values."""

    def __init__(self, engine: Engine, session: Session, spec: TableSpec) -> None:
        self.spec, self.columns = spec, key_of(spec)
        self._module = engine.snapshot
        self._expression = quoted(spec, self.columns) or self._hash(session)

    def _hash(self, session: Session) -> str:
        tables = {**self._module.tables(session), **self._module.partitioned(session)}
        names = (self.spec.name, f"public.{self.spec.name}")
        table = next(tables[name] for name in names if name in tables)
        sql: str = self._module.row_hash(list(table.columns.values()))
        return sql

    def there(self, session: Session, limit: int) -> list[Key]:
        """The rows in their order."""
        rows = session.run(
            f"{self._module.SETTINGS}SELECT {self._expression} FROM {self.spec.source} "
            f"ORDER BY {self._expression} LIMIT {limit}"
        ).rows
        return [tuple(map(hashable, row)) for row in rows]

    def condition(self, keys: Sequence[Key]) -> str:
        """That a row is one of them."""
        if self.columns:
            sql: str = self._module.is_one_of(self.columns, keys)
            return sql
        listed = ", ".join(str(key[0]) for key in keys)
        return f"{self._expression} IN ({listed})" if keys else "1 = 0"

    def values(self, session: Session, names: Sequence[str], limit: int) -> dict[Key, list[Any]]:
        """Some columns of all rows, by what tells the row apart."""
        listed = ", ".join([self._expression, *(self.spec.column(name).quoted for name in names)])
        found = session.run(
            f"{self._module.SETTINGS}SELECT {listed} FROM {self.spec.source} LIMIT {limit}"
        )
        width = len(self.columns) or 1
        return {tuple(map(hashable, row[:width])): list(row[width:]) for row in found.rows}


def thin(
    engine: Engine,
    session: Session,
    specs: Sequence[TableSpec],
    keep: Mapping[str, tuple[RowIds, Collection[Key]] | None],
) -> None:
    """Leave of each table in ``keep`` only those rows; None: no row. Others are left alone, but for
    rows that refer to one that is gone. NotThinned if the server refuses.
    """
    module = engine.table_specs
    try:
        session.run(engine.snapshot.SETTINGS or "SELECT 1")
        module.defer(session)
        session.run(module.UNCHECKED)
        gone = [spec for spec in specs if spec.name in keep and _left(session, spec, keep)]
        _orphans_gone(session, specs, [spec.name for spec in gone])
        session.run("COMMIT")
        session.run(module.CHECKED)
    except DatabaseError as error:
        if error.lost:
            raise
        raise NotThinned(f"rows could not be taken out: {error}") from error


def _left(
    session: Session,
    spec: TableSpec,
    keep: Mapping[str, tuple[RowIds, Collection[Key]] | None],
) -> bool:
    """Take out all but those; whether that took any."""
    kept = keep[spec.name]
    where = f" WHERE NOT ({kept[0].condition(list(kept[1]))})" if kept else ""
    return session.run(f"DELETE FROM {spec.source}{where}").affected > 0


def _orphans_gone(session: Session, specs: Sequence[TableSpec], changed: list[str]) -> None:
    """Rows that refer to what is gone, and those that refer to them, until there are none."""
    while changed:
        parent = changed.pop()
        for spec in specs:
            for link in spec.links:
                if link.parent == parent and session.run(_delete(spec, link)).affected:
                    changed.append(spec.name)


def _delete(spec: TableSpec, link: Link) -> str:
    """MySQL does not delete from a table that it reads at the same time, so it reads first."""
    own = [spec.column(name).quoted for name in link.columns]
    named = ", ".join(f"{name} AS k{n}" for n, name in enumerate(link.parent_columns))
    kept = ", ".join(f"k{n}" for n in range(len(own)))
    there, theirs = (
        " AND ".join(f"{name} IS NOT NULL" for name in names)
        for names in (own, link.parent_columns)
    )
    return (
        f"DELETE FROM {spec.source} WHERE {there} AND ({', '.join(own)}) NOT IN "
        f"(SELECT {kept} FROM (SELECT {named} FROM {link.source} WHERE {theirs} "
        f"LIMIT {NO_LIMIT}) AS parents)"
    )

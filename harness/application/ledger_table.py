"""Reads what the database holds of the ledger's rows: in the table, and out of its sight."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.application.deviation import nearest, same
from harness.application.ledger import Expected
from harness.application.writes import ROW
from harness.model import App
from harness.ports import Engine, Session

CHUNK = 500
"""Keys per query."""
SAMPLE = 20
"""Rows, from each end of the table, by which a column is told to have come back empty."""


@dataclass(frozen=True)
class Found:
    """The ledger's rows as they are, and which of its columns are there; None: no such table."""

    columns: Sequence[str] | None
    rows: Mapping[int, Mapping[str, Any]]


class LedgerTable:
    """The application's table in one database. DatabaseError if the server refuses to tell."""

    def __init__(self, app: App, engine: Engine) -> None:
        self._app = app
        self._engine = engine

    def found(self, session: Session, wanted: Expected) -> Found:
        """The rows of every key that the ledger answers for; columns that are gone left out."""
        app, catalog = self._app, self._engine.catalog
        there = catalog.columns(session, app.table) if app.table in catalog.tables(session) else {}
        if app.key not in there:
            return Found(None, {})
        columns = [column for column in app.ledger if column in there]
        return Found(columns, self._rows(session, app.table, columns, list(wanted.states)))

    def hidden(
        self, session: Session, before: Session, found: Found, wanted: Expected
    ) -> set[tuple[int, str]]:
        """Cells that are not to be found, and whose values are still in the database.

        They are looked for under names that there were not ``before``: in the other columns of
        the same row, or in another table.
        """
        app, catalog = self._app, self._engine.catalog
        if found.columns is None:
            others = set(catalog.tables(session)) - set(catalog.tables(before))
            return {cell for table in others for cell in self._kept_in(session, table, wanted)}
        gone = [column for column in app.ledger if column not in found.columns]
        now = catalog.columns(session, app.table) if gone else {}
        new = [column for column in now if column not in catalog.columns(before, app.table)]
        rows = self._rows(session, app.table, new, list(wanted.states)) if new else {}
        return {
            (key, column)
            for key, states in wanted.states.items()
            for column in gone
            for held in [[state[column] for state in states if state and column in state]]
            if any(same(value, other) for value in held for other in rows.get(key, {}).values())
        }

    def empty(
        self, session: Session, columns: Collection[str], touched: Collection[int]
    ) -> dict[str, Any]:
        """Columns that hold one value in all rows that the application never touched.

        A few rows of each end of the table are looked at. ROW stands for no such rows at all;
        then every column counts as full of NULL.
        """
        app, (first, last) = self._app, self._app.keys
        own = [key for key in range(first, last + 1) if key not in touched][:SAMPLE]
        within = f" OR {app.key} IN ({_marks(own)})" if own else ""
        names = sorted(columns)
        rows: list[tuple[Any, ...]] = []
        for order in ("ASC", "DESC"):
            sql = (
                f"SELECT {', '.join([app.key, *names])} FROM {app.table} "
                f"WHERE ({app.key} < %s OR {app.key} > %s) AND {app.key} < %s{within} "
                f"ORDER BY {app.key} {order} LIMIT {SAMPLE}"
            )
            rows += session.run(sql, (first, last, app.new_keys_from, *own)).rows
        if not rows:
            return {ROW: None, **dict.fromkeys(names)}
        values = {
            name: {repr(row[at]): row[at] for row in rows} for at, name in enumerate(names, 1)
        }
        return {name: next(iter(of.values())) for name, of in values.items() if len(of) == 1}

    # ------------------------------------------------------------------ its own

    def _kept_in(self, session: Session, table: str, wanted: Expected) -> set[tuple[int, str]]:
        there = self._engine.catalog.columns(session, table)
        columns = [column for column in self._app.ledger if column in there]
        if self._app.key not in there or not columns:
            return set()
        rows = self._rows(session, table, columns, list(wanted.states))
        kept = set()
        for key, states in wanted.states.items():
            broken = {deviation.cell for deviation in nearest(states, rows.get(key), columns)}
            if ROW not in broken:
                kept |= {(key, cell) for cell in (ROW, *columns) if cell not in broken}
        return kept

    def _rows(
        self, session: Session, table: str, columns: Sequence[str], keys: Sequence[int]
    ) -> dict[int, dict[str, Any]]:
        key_column = self._app.key
        rows = {}
        for first in range(0, len(keys), CHUNK):
            chunk = keys[first : first + CHUNK]
            sql = (
                f"SELECT {', '.join([key_column, *columns])} FROM {table} "
                f"WHERE {key_column} IN ({_marks(chunk)})"
            )
            for key, *values in session.run(sql, chunk).rows:
                rows[int(key)] = dict(zip(columns, values, strict=True))
        return rows


def _marks(keys: Sequence[int]) -> str:
    return ", ".join(["%s"] * len(keys))

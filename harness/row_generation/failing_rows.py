"""On which rows a migration fails: the smallest set of them, found by trying it on fewer.

First which table must have rows for it to fail, then which of its rows, by halving. What is tried
is a copy of the database from which rows were taken out, with all rows that refer to them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from harness.ports import Engine, Session
from harness.ports.table_specs import TableSpec
from harness.row_generation.failure import Attempt, FailingRow, FailingRows, Failure
from harness.row_generation.filling import specs_of
from harness.row_generation.keys import Key, shown
from harness.row_generation.order import turns
from harness.row_generation.row_search import RowSearch
from harness.row_generation.search import OutOfTries, Tries, minimal, named_in
from harness.row_generation.thinning import NotThinned, RowIds, thin
from harness.sqltext import is_named

TRIES = 25
MOST = 10_000
"""Rows of a table that are tried one by one; of a larger one only the table is told."""
WIDTH = 40
"""Characters that are told of a value."""

Keep = Mapping[str, tuple[RowIds, Sequence[Key]] | None]
"""Table → its rows that stay; None: none of them. What is not in it stays as it is."""


def smallest(
    engine: Engine,
    session_of: Callable[[], Session],
    attempt: Attempt,
    failure: Failure | None = None,
    *,
    about: str = "",
    without: Collection[str] = (),
    tries: int = TRIES,
) -> FailingRows:
    """Find on which rows of a database a migration fails, in so many ``tries``.

    ``session_of`` gives a session in it that only reads; it is asked each time anew, for a copy may
    end every session of what is copied. ``failure`` is how it fails on all of them, if that is
    known. ``about`` is the migration's text: tables and columns that it names are tried and told
    first. ``without`` are tables left alone. What ``attempt`` raises leaves this.
    """
    return _Finding(engine, session_of, attempt, about, without, tries).run(failure)


def keep_passing(
    engine: Engine, session: Session, found: FailingRows, without: Collection[str] = ()
) -> None:
    """Leave of the table only rows with which the migration was seen to go through.

    So it can be tried on rows after all. What refers to another row goes with it. NotThinned if the
    server refuses.
    """
    specs = specs_of(engine, session, without)
    spec = next(spec for spec in specs if spec.name == found.table)
    thin(engine, session, specs, {spec.name: (RowIds(engine, session, spec), found.passing)})


class _Finding:
    """One search; every question to the migration goes through ``_failure``."""

    def __init__(
        self, engine: Engine, session_of: Callable[[], Session], attempt: Attempt, about: str,
        without: Collection[str], tries: int,
    ) -> None:  # fmt: skip
        self._engine, self._session, self._attempt = engine, session_of, attempt
        self._about = about
        self._specs = [turn.spec for turn in turns(specs_of(engine, session_of(), without))]
        self._by_name = {spec.name: spec for spec in self._specs}
        self._tries = Tries(tries)
        self._wanted = Failure("", "")

    def run(self, failure: Failure | None) -> FailingRows:
        """The tables, then the rows of one of them."""
        wanted = failure or self._failure({})
        if wanted is None:
            raise ValueError("the migration does not fail on these rows")
        self._wanted = wanted
        filled = [spec.name for spec in self._specs if self._count(spec)]
        try:
            if not filled or self._fails_with(()):
                return self._told()
            tables = self._tables(filled)
        except OutOfTries:
            return self._told(why_not=f"{self._tries.spent} tries did not tell of which table")
        except NotThinned as error:
            return self._told(why_not=str(error))
        table, also = self._table_of(tables)
        return self._rows(table, also)

    # ------------------------------------------------------------------ tables

    def _tables(self, filled: Sequence[str]) -> list[str]:
        """The fewest tables that must have rows; what the error or the migration names first."""
        for text in (self._wanted.message, self._about):
            for name in _tables_in(text, filled)[:2]:
                if self._fails_with([name]):
                    return [name]
        return minimal(list(filled), self._fails_with)

    def _fails_with(self, tables: Collection[str]) -> bool:
        """Whether it fails if only these have rows, and those that they refer to."""
        kept = self._with_parents(tables)
        return self._fails({spec.name: None for spec in self._specs if spec.name not in kept})

    def _with_parents(self, tables: Collection[str]) -> set[str]:
        found, todo = set[str](), list(tables)
        while todo:
            name = todo.pop()
            if name not in found and name in self._by_name:
                found.add(name)
                todo += [link.parent for link in self._by_name[name].links]
        return found

    def _table_of(self, tables: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """The table whose rows are looked at, and the others that must have rows."""
        named = _tables_in(self._wanted.message, tables)
        table = named[0] if named else tables[0]
        parents = self._with_parents([table])
        return table, tuple(name for name in tables if name not in parents)

    # ------------------------------------------------------------------ rows

    def _rows(self, table: str, also: tuple[str, ...]) -> FailingRows:
        spec = self._by_name[table]
        many = self._count(spec)
        if many > MOST:
            return self._told(table, many, also=also, among=many)
        ids = RowIds(self._engine, self._session(), spec)
        keys = list(dict.fromkeys(ids.there(self._session(), MOST)))
        kept = self._with_parents([table, *also])
        emptied: Keep = {name: None for name in self._by_name if name not in kept}

        def fails(some: Sequence[Key]) -> bool:
            every = len(some) == len(keys)
            return self._fails(emptied if every else {**emptied, table: (ids, some)})

        names = [column.name for column in spec.columns]
        values = ids.values(self._session(), names, MOST)
        search = RowSearch(
            keys,
            fails,
            lambda some: named_in(self._tries.said, some, values),
            lambda key: sum(len(str(value)) for value in values.get(key, ())),
        )
        with contextlib.suppress(NotThinned):
            search.run(self._tries)
        if search.complete and not (search.sets or search.any_row):
            return self._told(why_not=f"it fails on all rows of {table}, and on no part of them")
        return self._told(
            table,
            many,
            sets=self._described(ids, search.sets),
            complete=search.complete,
            any_row=search.any_row,
            among=len(search.known),
            also=also,
            passing=search.passing(),
        )

    def _described(
        self, ids: RowIds, sets: Sequence[Sequence[Key]]
    ) -> tuple[tuple[FailingRow, ...], ...]:
        names = self._columns_told(ids.spec, ids.columns)
        values = ids.values(self._session(), names, MOST) if sets else {}
        return tuple(
            tuple(
                FailingRow(
                    shown(ids.columns, key) if ids.columns else "",
                    dict(zip(names, map(_short, values.get(key, ())), strict=False)),
                )
                for key in rows
            )
            for rows in sets
        )

    def _columns_told(self, spec: TableSpec, key: Sequence[str]) -> list[str]:
        """Those that the error names, else those that the migration names, else the first."""
        others = [column.name for column in spec.columns if column.name not in key]
        for text in (f"{self._wanted.message} {self._tries.said}", self._about):
            if named := [name for name in others if is_named(text, name)]:
                return (named if key else list(dict.fromkeys([*named, *others])))[:3]
        return others[:2]

    # ------------------------------------------------------------------ asking

    def _fails(self, keep: Keep) -> bool:
        """Whether it fails alike with these rows; a try, unless it was asked before."""
        asked = tuple(
            (name, None if of is None else tuple(sorted(map(repr, of[1]))))
            for name, of in sorted(keep.items())
        )

        def ask() -> tuple[bool, str]:
            failure = self._failure(keep)
            return failure is not None and failure.is_like(self._wanted), str(failure or "")

        return self._tries.answer(asked, ask)

    def _failure(self, keep: Keep) -> Failure | None:
        return self._attempt(lambda copy: thin(self._engine, copy, self._specs, keep))

    def _count(self, spec: TableSpec) -> int:
        return int(self._session().run(f"SELECT count(*) FROM {spec.source}").scalar())

    def _told(self, table: str = "", rows: int = 0, **found: Any) -> FailingRows:
        return FailingRows(self._wanted, table, rows, tries=self._tries.spent, **found)


def _tables_in(text: str, tables: Sequence[str]) -> list[str]:
    """The tables that a text names, in the order in which it does."""
    found = {}
    for name in tables:
        bare = name.rpartition(".")[2]
        if match := re.search(rf"(?<![\w]){re.escape(bare)}(?![\w])", text, re.IGNORECASE):
            found[name] = match.start()
    return sorted(found, key=lambda name: found[name])


def _short(value: object) -> str:
    if value is None:
        return "NULL"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"

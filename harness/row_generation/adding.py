"""More rows into tables that have rows: what an application writes between two migrations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.table_specs import Formula, Link, TableSpec
from harness.row_generation.draft import Choice, Draft
from harness.row_generation.filling import specs_of
from harness.row_generation.keys import MOST, Key, key_of, keys_there
from harness.row_generation.order import Turn, turns
from harness.row_generation.proposing import propose
from harness.row_generation.trying import Trial

AGAIN = 3
"""How often other values are tried where the first were there already."""

LEFT_OUT = "rows made for it were left out by the server"


@dataclass(frozen=True)
class Added:
    """Rows that were written into one table, by the values of its ``key``.

    ``rows`` are those that are there more than before, a trigger's among them. A table without a
    key has no ``keys``. ``why_not`` is one sentence where fewer were written than asked for.
    """

    table: str
    source: str
    """The table in FROM."""
    key: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    rows: int = 0
    why_not: str = ""


def add(
    engine: Engine, session: Session, rows: int, without: Collection[str] = ()
) -> tuple[Added, ...]:
    """Write ``rows`` rows into every base table where it can, parents first.

    Their keys are beyond those that are there, where the column can count on; what refers to
    another table refers to old and new rows of it. ``without`` are tables left alone. A table that
    refuses says why; a lost connection is the only DatabaseError that leaves this.
    """
    return _Adding(engine, session, rows).run(specs_of(engine, session, without))


def lost(engine: Engine, session: Session, added: Added) -> tuple[Key, ...]:
    """Those of the written rows that are not there (any more), by their keys.

    All of them if the table or its key is gone. A lost connection is the only DatabaseError.
    """
    if not added.keys:
        return ()
    columns = ", ".join(map(engine.snapshot.quoted, added.key))
    condition = engine.snapshot.is_one_of(added.key, added.keys)
    try:
        found = session.run(f"SELECT {columns} FROM {added.source} WHERE {condition}").rows
    except DatabaseError as error:
        if error.lost:
            raise
        return added.keys
    there = {tuple(map(str, row)) for row in found}
    return tuple(key for key in added.keys if tuple(map(str, key)) not in there)


@dataclass(frozen=True)
class Probed:
    """A table that a row was put into and taken out of again; else ``why_not``, one sentence."""

    table: str
    why_not: str = ""


def probe(engine: Engine, session: Session) -> tuple[Probed, ...]:
    """Try to write one row into every base table, parents first; all of it is rolled back.

    A lost connection is the only DatabaseError that leaves this.
    """
    return _Adding(engine, session, 1).probe(specs_of(engine, session, ()))


class _Adding:
    """The state of one call: what was there, and what was added to which table."""

    def __init__(self, engine: Engine, session: Session, rows: int) -> None:
        self._engine, self._session, self._rows = engine, session, rows
        self._trial = Trial(engine, session, plainly=True)
        self._before: dict[str, set[Key]] = {}
        self._counts: dict[str, int] = {}
        self._added: dict[str, Added] = {}

    def run(self, specs: Sequence[TableSpec]) -> tuple[Added, ...]:
        """All tables in their turns; then once more what is there, for a trigger may add late."""
        for spec in specs:
            self._counts[spec.name] = self._count(spec.source)
            if key_of(spec) and self._counts[spec.name] <= MOST:
                self._before[spec.name] = set(keys_there(self._session, spec))
        for turn in turns(specs):
            spec = turn.spec
            try:
                why_not = self._turn(spec)
            except DatabaseError as error:
                if error.lost:
                    raise
                why_not = f"the server refused: {error.message}"
            self._added[spec.name] = self._found(spec, why_not)
        return tuple(self._found(spec, self._added[spec.name].why_not) for spec in specs)

    def probe(self, specs: Sequence[TableSpec]) -> tuple[Probed, ...]:
        """All tables in their turns, in one transaction that is rolled back."""
        found = []
        self._session.run("BEGIN")
        self._trial.in_transaction = True
        try:
            for turn in turns(specs):
                found.append(Probed(turn.spec.name, self._probe(turn.spec)))
        finally:
            with suppress(DatabaseError):
                self._session.run("ROLLBACK")
        return tuple(found)

    def _probe(self, spec: TableSpec) -> str:
        try:
            self._counts[spec.name] = self._count(spec.source)
            return self._write(spec)
        except DatabaseError as error:
            if error.lost:
                raise
            self._session.run("ROLLBACK")
            self._session.run("BEGIN")
            return f"the server refused: {error.message}"

    def _turn(self, spec: TableSpec) -> str:
        there = self._counts[spec.name]
        if there > MOST:
            return f"it has {there} rows, too many to know which ones are new"
        return self._write(spec)

    def _write(self, spec: TableSpec) -> str:
        """Write the rows of one table; the reason if there are not as many as asked for."""
        start = there = self._counts[spec.name]
        why_not = ""
        for _ in range(AGAIN):
            wanted = self._rows - (self._count(spec.source) - there)
            if wanted <= 0:
                return ""
            links, missing = self._links(spec)
            if missing:
                return missing
            draft = propose(self._engine, Turn(spec), links, wanted, start)
            why_not = self._trial.put(self._counting_on(draft))
            start = 2 * start + self._rows
        if self._count(spec.source) - there >= self._rows:
            return ""
        refusal = self._trial.refusal
        return why_not or (f"the server refused: {refusal}" if refusal else LEFT_OUT)

    def _found(self, spec: TableSpec, why_not: str) -> Added:
        """What is there now that was not before."""
        rows = max(0, self._count(spec.source) - self._counts[spec.name])
        added = Added(spec.name, spec.source, key_of(spec), (), rows, why_not)
        if spec.name not in self._before:
            return added
        before = self._before[spec.name]
        keys = [key for key in keys_there(self._session, spec) if key not in before]
        return replace(added, keys=tuple(keys))

    # ------------------------------------------------------------------ values

    def _counting_on(self, draft: Draft) -> Draft:
        """The draft with numbers of keys beyond the largest that is there."""
        spec, changes = draft.spec, {}
        keyed = {name for key in spec.keys for name in key.columns}
        for column in spec.columns:
            of = draft.choices[column.name].formula
            made = column.served or column.generated or of is None
            if column.name not in keyed or made or column.name in draft.fixed:
                continue
            most = self._most(spec, column.quoted)
            if isinstance(most, int | Decimal) and not isinstance(most, bool):
                number = f"({int(most)} + 1 + {{i}} - {draft.start})"
                changes[column.name] = Choice(Formula(number))
        return draft.with_choices(changes)

    def _most(self, spec: TableSpec, column: str) -> Any:
        """The column's largest value; None if it has no order or no value."""
        try:
            return self._trial.ask(f"SELECT max({column}) FROM {spec.source}").scalar()
        except DatabaseError as error:
            if error.lost:
                raise
            return None

    def _links(self, spec: TableSpec) -> tuple[list[tuple[Link, int]], str]:
        """The links with how many parents each can choose from; or why one cannot be had."""
        found = []
        for link in spec.links:
            bound = next(
                (
                    (other, count)
                    for other in self._choices(spec, link)
                    if (count := self._parents(other))
                ),
                None,
            )
            if bound:
                found.append(bound)
            elif not any(spec.column(name).nullable for name in link.columns):
                return [], f"its parent {link.parent} has no rows"
        return sorted(found, key=lambda item: -len(item[0].columns)), ""

    def _choices(self, spec: TableSpec, link: Link) -> list[Link]:
        """The link to all parents; to those without a child first, if none may have two."""
        if not any(set(key.columns) <= set(link.columns) for key in spec.keys):
            return [link]
        same = " AND ".join(
            f"child.{spec.column(own).quoted} = parent.{theirs}"
            for own, theirs in zip(link.columns, link.parent_columns, strict=True)
        )
        free = (
            f"(SELECT * FROM {link.source} AS parent WHERE NOT EXISTS "
            f"(SELECT 1 FROM {spec.source} AS child WHERE {same})) AS parents"
        )
        return [replace(link, source=free), link]

    def _parents(self, link: Link) -> int:
        there = " AND ".join(f"{name} IS NOT NULL" for name in link.parent_columns)
        return self._count(f"{link.source} WHERE {there}")

    def _count(self, source: str) -> int:
        return int(self._session.run(f"SELECT count(*) FROM {source}").scalar())

"""Fills every empty table of a database, parents first, and closes cycles of foreign keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.table_specs import Link, TableSpec
from harness.row_generation.draft import CHILDREN, numbered_rows
from harness.row_generation.order import Turn, turns
from harness.row_generation.proposing import propose
from harness.row_generation.trying import Trial

AT_ONCE = 100
"""So many tables are asked about by one statement."""


@dataclass(frozen=True)
class Filled:
    """A table that was empty: how many rows it got and, if none, one sentence why."""

    table: str
    rows: int
    why_not: str = ""


def fill(
    engine: Engine, session: Session, rows: int, without: Collection[str] = ()
) -> tuple[Filled, ...]:
    """Give every empty base table of the session's database ``rows`` rows, parents first.

    Fewer where its keys allow no more. ``without`` are tables left alone (a tool's bookkeeping),
    as ``name`` or ``schema.name``. A table that no row was found for stays empty and says why;
    so does a child that needs it. A lost connection is the only DatabaseError that leaves this.
    """
    return _Filling(engine, session, rows).run(specs_of(engine, session, without))


def specs_of(engine: Engine, session: Session, without: Collection[str]) -> list[TableSpec]:
    """The base tables of the session's database, but for those that are named."""
    specs: list[TableSpec] = engine.table_specs.specs(session)
    return [spec for spec in specs if not _is_one_of(spec, without)]


def _is_one_of(spec: TableSpec, names: Collection[str]) -> bool:
    return spec.name in names or any(
        "." not in spec.name and name.rpartition(".")[2] == spec.name for name in names
    )


class _Filling:
    """The state of one call: what was filled, and how many rows each parent has."""

    def __init__(self, engine: Engine, session: Session, rows: int) -> None:
        self.engine, self.session, self.rows = engine, session, rows
        self._trial = Trial(engine, session)
        self._counts: dict[tuple[str, tuple[str, ...]], int] = {}

    def run(self, specs: Sequence[TableSpec]) -> tuple[Filled, ...]:
        """Tables in their turns; what was left for later when the parents are there."""
        found: dict[str, Filled] = {}
        open_links: list[Turn] = []
        order = turns(self._empty(specs))
        names = [turn.spec.name for turn in order]
        for place, turn in enumerate(order):
            if turn.deferred and not self._trial.in_transaction:
                self.engine.table_specs.defer(self.session)
                self._trial.in_transaction, first = True, place
            found[turn.spec.name] = filled = self._turn(turn)
            if turn.later and filled.rows:
                open_links.append(turn)
            if self._trial.in_transaction and not self._awaited(open_links, names[place + 1 :]):
                found |= self._commit(
                    open_links, [found[name] for name in names[first : place + 1]]
                )
                open_links = [turn for turn in open_links if not turn.deferred]
        for turn in open_links:
            self._link_later(turn)
        return self._recounted(order, found)

    def _recounted(self, order: Sequence[Turn], found: dict[str, Filled]) -> tuple[Filled, ...]:
        """As it is now: a trigger may have added to a table after its turn."""
        counts = " UNION ALL ".join(
            f"SELECT {place} AS place, count(*) FROM {turn.spec.source}"
            for place, turn in enumerate(order)
        )
        rows = sorted(self.session.run(counts).rows) if order else []
        return tuple(
            replace(filled, rows=int(count), why_not="" if count else filled.why_not)
            for filled, (_, count) in zip(found.values(), rows, strict=True)
        )

    def _empty(self, specs: Sequence[TableSpec]) -> list[TableSpec]:
        found: list[TableSpec] = []
        for first in range(0, len(specs), AT_ONCE):
            some = specs[first : first + AT_ONCE]
            asked = " UNION ALL ".join(
                f"SELECT {place} AS place, EXISTS (SELECT 1 FROM {spec.source}) AS filled"
                for place, spec in enumerate(some)
            )
            found += [some[place] for place, filled in self.session.run(asked).rows if not filled]
        return found

    def _is_empty(self, spec: TableSpec) -> bool:
        return not self.session.run(f"SELECT 1 FROM {spec.source} LIMIT 1").rows

    def _turn(self, turn: Turn) -> Filled:
        spec = turn.spec
        if not self._is_empty(spec):
            return Filled(spec.name, self._count(spec.source), "")
        links, missing = self._links(turn)
        if missing:
            return Filled(spec.name, 0, missing)
        draft = propose(self.engine, turn, links, self.rows)
        why_not = self._trial.put(draft, unchecked=turn.forced)
        count = 0 if why_not else self._count(spec.source)
        self._counts.clear()
        if count == 0 and not why_not:
            why_not = "every row made for it was left out by the server"
        return Filled(spec.name, count, "" if count else why_not)

    def _links(self, turn: Turn) -> tuple[list[tuple[Link, int]], str]:
        """The links to bind now, the longest first; or why a parent cannot be had."""
        spec, found = turn.spec, []
        for link in spec.links:
            if link in turn.later or link.parent == spec.name:
                continue
            count = self._parents(link)
            if count:
                found.append((link, count))
            elif not any(spec.column(name).nullable for name in link.columns):
                return [], f"its parent {link.parent} has no rows"
        return sorted(found, key=lambda item: -len(item[0].columns)), ""

    def _count(self, source: str) -> int:
        return int(self.session.run(f"SELECT count(*) FROM {source}").scalar())

    def _parents(self, link: Link) -> int:
        known = (link.source, link.parent_columns)
        if known not in self._counts:
            there = " AND ".join(f"{name} IS NOT NULL" for name in link.parent_columns)
            self._counts[known] = self._count(f"{link.source} WHERE {there}")
        return self._counts[known]

    # ------------------------------------------------------------------ later

    def _awaited(self, open_links: Sequence[Turn], to_come: Sequence[str]) -> bool:
        return any(
            link.parent in to_come for turn in open_links if turn.deferred for link in turn.later
        )

    def _commit(self, open_links: Sequence[Turn], since: Sequence[Filled]) -> dict[str, Filled]:
        """End the transaction of deferred links; all of it is lost if one was not satisfied."""
        for turn in open_links:
            if turn.deferred:
                self._link_later(turn)
        self._trial.in_transaction = False
        self._counts.clear()
        loose = [turn.spec.name for turn in open_links if turn.forced and self._orphans(turn)]
        try:
            self.session.run("ROLLBACK" if loose else "COMMIT")
        except DatabaseError as error:
            if error.lost:
                raise
            why_not = f"the server refused: {error.message}"
        else:
            if not loose:
                return {}
            why_not = f"the cycle of foreign keys through {loose[0]} could not be closed"
        return {filled.table: replace(filled, rows=0, why_not=why_not) for filled in since}

    def _orphans(self, turn: Turn) -> bool:
        """Whether a row still points nowhere: what was not looked at when it came in."""
        spec = turn.spec
        for link in turn.later:
            pairs = zip(link.columns, link.parent_columns, strict=True)
            own = [f"child.{spec.column(name).quoted}" for name in link.columns]
            same = " AND ".join(
                f"parent.{theirs} = child.{spec.column(name).quoted}" for name, theirs in pairs
            )
            there = " AND ".join(f"{name} IS NOT NULL" for name in own)
            if self._count(
                f"{spec.source} AS child WHERE {there} AND NOT EXISTS "
                f"(SELECT 1 FROM {link.source} AS parent WHERE {same})"
            ):
                return True
        return False

    def _link_later(self, turn: Turn) -> None:
        """Point at the parents; a link that the server refuses stays empty."""
        spec = turn.spec
        for link in turn.later:
            count = self._parents(link)
            if count:
                self._trial.attempt(self._update(spec, link, count, not turn.deferred))

    def _update(self, spec: TableSpec, link: Link, count: int, some: bool) -> str:
        own = link.parent == spec.name
        unique = any(set(key.columns) & set(link.columns) for key in spec.keys)
        half = self.engine.table_specs.quotient("c.rn", 2)
        if own and not unique:
            condition = f"p.rn = {half}" if some else f"p.rn = {half} + 1"
        elif unique:
            condition = "p.rn = c.rn"
        else:
            turn = self.engine.table_specs.quotient("c.rn - 1", CHILDREN)
            condition = f"p.rn = {turn} % {count} + 1" + (" AND c.rn % 7 <> 3" if some else "")
        sets = [(spec.column(name).quoted, f"p.k{n}") for n, name in enumerate(link.columns)]
        return self.engine.table_specs.updates(spec, sets, numbered_rows(link, "p"), condition)

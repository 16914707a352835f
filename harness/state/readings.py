"""The snapshots of one server's databases, each read anew only where something was written since.

What a database held is known from its last snapshot, or from that of the database it is a copy of.
A server that counts what is written to each table, and to its own catalogues, tells what of that
still holds; where it does not, or somebody else is connected, all is read. That the counts miss
nothing is not taken on trust: a share of the snapshots is read in full as well.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from harness.errors import DrillError
from harness.ports import Engine, Session
from harness.ports.contents import Table, Writes
from harness.state import rows
from harness.state.difference import difference
from harness.state.snapshot import Snapshot, take

SHARE = 0.05
"""Of the snapshots that rest on counts, so many are read in full as well."""

Volatile = Mapping[str, Collection[str]]


class CountsMissed(DrillError):
    """The server's counts of writes did not tell of a change."""


@dataclass(frozen=True)
class Reading:
    """What a database held when its server had counted so many writes."""

    snapshot: Snapshot
    writes: Writes
    tables: Mapping[str, Table]
    volatile: Volatile


class Readings:
    """Takes snapshots of the databases of one server, for several threads that each have their own
    databases.
    """

    def __init__(self, engine: Engine, draw: str = "") -> None:
        self._engine = engine
        self._drawn = random.Random(draw)
        self._last: dict[str, Reading] = {}

    def take(
        self,
        database: str,
        session: Session,
        volatile: Volatile | None = None,
        unread: Collection[str] = (),
    ) -> Snapshot:
        """As :func:`harness.state.snapshot.take`. CountsMissed if the counts missed a change."""
        volatile, module = volatile or {}, self._engine.snapshot
        known, writes = self._last.pop(database, None), module.writes(session)
        if writes is None:
            return take(self._engine, session, volatile, unread)
        again = known and known.volatile == volatile and known.writes.is_comparable(writes)
        if known and again:
            alike = module.defined_alike(session, known.writes, writes)
            tables = known.tables if alike else module.tables(session)
            found = self._again(known, writes, session, tables, unread, alike)
            if self._drawn.random() < SHARE:
                _check(database, found, take(self._engine, session, volatile, unread))
        else:
            tables = module.tables(session)
            found = take(self._engine, session, volatile, unread, tables)
        if not unread:
            self._last[database] = Reading(found, writes, tables, volatile)
        return found

    def tables(self, database: str, session: Session) -> Mapping[str, Table]:
        """The tables that it was last seen to have, or has."""
        known = self._last.get(database)
        found: Mapping[str, Table] = (
            known.tables if known else self._engine.snapshot.tables(session)
        )
        return found

    def copied(self, template: str, name: str, holds: Snapshot, outside: Session) -> None:
        """``name`` is a copy of ``template`` now, which ``holds`` what it was last seen to hold.

        ``outside`` is a session in another database.
        """
        self.forget(name)
        known = self._last.get(template)
        if known and known.snapshot == holds:
            writes = self._engine.snapshot.in_a_copy(outside, known.writes)
            self._last[name] = replace(known, writes=writes)

    def forget(self, database: str) -> None:
        """It was dropped, or made anew in a way that the server does not count."""
        self._last.pop(database, None)

    # ------------------------------------------------------------------ what still holds

    def _again(
        self,
        known: Reading,
        writes: Writes,
        session: Session,
        tables: Mapping[str, Table],
        unread: Collection[str],
        alike: bool,
    ) -> Snapshot:
        had, module = known.snapshot, self._engine.snapshot
        objects = had.objects
        if not alike:
            objects = Snapshot(module.objects(session), {}).steadied(known.volatile).objects
        changed = _changed(had.objects, objects)
        stale = known.writes.written(writes) | module.tables_of(changed)
        kept = {
            name: had.contents[name]
            for name, table in tables.items()
            if name not in stale and name in had.contents and known.tables.get(name) == table
        }
        if not module.reads_alike(changed):
            kept = {}
        anew = [table for name, table in tables.items() if name not in kept and name not in unread]
        contents = kept | rows.checksums(self._engine, session, known.volatile, anew)
        counters = module.counters(session) if had.counters or not alike else {}
        return Snapshot(objects, {k: contents[k] for k in contents if k not in unread}, counters)


def _changed(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """The objects that only one has, or that are defined otherwise."""
    return {key for key, _ in one.items() ^ other.items()}


def _check(database: str, found: Snapshot, read: Snapshot) -> None:
    """CountsMissed if what rests on counts is not what is there."""
    if found != read:
        told = difference(found, read).lines(found, read) or ["a counter, or the order of columns"]
        raise CountsMissed(
            f"the server's counts of writes missed a change of {database}: {'; '.join(told[:5])}\n"
            "this is a fault of the harness, and nothing was concluded from it; please report it"
        )

"""What a database holds: every object's definition, every table's rows, every next value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from harness.ports import Engine, Session
from harness.ports.contents import Counter, Table
from harness.state import rows
from harness.state import volatile as volatiles
from harness.state.belonging import hidden_with
from harness.state.volatile import Parts


@dataclass(frozen=True)
class Snapshot:
    """Every object by its kind and name, with its definition; of every table how many rows and a
    checksum; of every sequence what it gives next.
    """

    objects: Mapping[str, str]
    contents: Mapping[str, tuple[int, str]]
    counters: Mapping[str, Counter] = field(default_factory=dict)

    def key(self, counted: Collection[str] = ()) -> str:
        """A short hash of objects and contents. Of tables that are ``counted`` only that they are
        there, and with how many rows: a tool writes times and process numbers into its own, and
        may give them names that nobody can foresee.
        """
        rest = self.without(counted)
        own = [
            (told, self.contents.get(table, (0, ""))[0])
            for told in counted
            for table in self._of_tool([told])
        ]
        text = json.dumps([dict(rest.objects), dict(rest.contents), sorted(own)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def without(self, tables: Collection[str]) -> Snapshot:
        """The same, but for a tool's bookkeeping tables and what belongs to them."""
        own = self._of_tool(tables)
        if not own:
            return self
        hidden = hidden_with(own, self.objects, self.counters, self.tables())
        return Snapshot(
            {k: v for k, v in self.objects.items() if k not in hidden},
            {k: v for k, v in self.contents.items() if k not in own},
            {
                k: v
                for k, v in self.counters.items()
                if k not in own and f"sequence {k}" not in hidden
            },
        )

    def steadied(self, volatile: Parts) -> Snapshot:
        """The same without what differs from run to run in the definitions of those objects."""
        objects = {
            key: volatiles.steady(told, volatile[key]) if key in volatile else told
            for key, told in self.objects.items()
        }
        return replace(self, objects=objects)

    def tables(self) -> frozenset[str]:
        """The names of all tables."""
        return frozenset(
            name
            for kind, _, name in (key.partition(" ") for key in self.objects)
            if kind == "table"
        )

    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(count for count, _ in self.contents.values())

    def _of_tool(self, tables: Collection[str]) -> frozenset[str]:
        """Those of the tables here that the tool names, with or without their schema."""
        return frozenset(t for t in self.tables() for told in tables if _is_called(t, told))


def _is_called(table: str, told: str) -> bool:
    """Whether ``public.users`` is meant by ``users``, ``public.users`` or ``use*``."""
    return fnmatchcase(table if "." in told else table.rpartition(".")[2], told)


def schema_of(engine: Engine, session: Session) -> Snapshot:
    """Of the session's database without its rows."""
    module = engine.snapshot
    return Snapshot(module.objects(session), {}, module.counters(session))


def take(
    engine: Engine,
    session: Session,
    volatile: Mapping[str, Collection[str]] | None = None,
    unread: Collection[str] = (),
    tables: Mapping[str, Table] | None = None,
) -> Snapshot:
    """Of the session's database; ``volatile`` columns, by table, and the rows of tables that are
    ``unread`` are left out, and what is ``volatile`` in the definitions of objects. ``tables`` are
    those there, where they are known. A table that is dropped meanwhile: DatabaseError.
    """
    volatile = volatile or {}
    objects = engine.snapshot.objects(session)
    found = engine.snapshot.tables(session) if tables is None else tables
    read = [table for name, table in found.items() if name not in unread]
    contents = rows.checksums(engine, session, volatile, read)
    return Snapshot(objects, contents, engine.snapshot.counters(session)).steadied(volatile)

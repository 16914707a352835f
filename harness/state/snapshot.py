"""What a database holds, and how two such counts differ."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.ports import Engine, Session

KINDS = re.compile(r"((?:[a-z]+ )*)(.*)", re.DOTALL)
"""``comment on table column public.users.id``: what it is, and its name."""
NAMED_AFTER = frozenset({"index", "sequence"})
"""Kinds whose names do not tell the table, but by custom begin with its name."""


@dataclass(frozen=True)
class Snapshot:
    """Every object's definition, every table's row count and checksum."""

    schema: Mapping[str, str]
    contents: Mapping[str, tuple[int, str]]
    sequences: Mapping[str, int] = field(default_factory=dict)
    """Next values; they decide whether a database can be used again, never what state it is in."""

    def key(self, counted: Collection[str] = ()) -> str:
        """A short hash of schema and contents. Of tables that are ``counted`` only that they are
        there, and with how many rows: a tool writes times and process numbers into its own, and
        may give them names that nobody can foresee.
        """
        rest = self.without(counted)
        own = [
            (told, self.contents.get(table, (0, ""))[0])
            for told in counted
            for table in self._of_tool([told])
        ]
        text = json.dumps([dict(rest.schema), rest.contents, sorted(own)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def without(self, tables: Collection[str]) -> Snapshot:
        """The same, but for a tool's bookkeeping tables and what belongs to them."""
        own = self._of_tool(tables)
        if not own:
            return self
        return Snapshot(
            {k: v for k, v in self.schema.items() if not _belongs(k, own)},
            {k: v for k, v in self.contents.items() if k not in own},
            self.sequences,
        )

    def rows(self) -> int:
        return sum(count for count, _ in self.contents.values())

    def _of_tool(self, tables: Collection[str]) -> frozenset[str]:
        """Those of the tables here that the tool names, with or without their schema."""
        here = [
            name for kind, _, name in (key.partition(" ") for key in self.schema) if kind == "table"
        ]
        return frozenset(table for table in here for told in tables if _is_called(table, told))


def _is_called(table: str, told: str) -> bool:
    """Whether ``public.users`` is meant by ``users``, ``public.users`` or ``use*``."""
    return fnmatchcase(table if "." in told else table.rpartition(".")[2], told)


def _belongs(key: str, tables: Collection[str]) -> bool:
    """Whether an object is one of the tables, or a part of one, or named after one as an index is.

    >>> _belongs("column public.changes.id", {"public.changes"})
    True
    >>> _belongs("column changes.tags", {"tags"})
    False
    """
    kinds, name = KINDS.match(key).groups()
    endings = (".", "_") if kinds.strip() in NAMED_AFTER else (".",)
    return any(
        name == table
        or name.startswith(tuple(table + ending for ending in endings))
        or name.endswith(f" on {table}")
        for table in tables
    )


def take(
    engine: Engine,
    session: Session,
    volatile: Mapping[str, Collection[str]] | None = None,
    unread: Collection[str] = (),
) -> Snapshot:
    """Count the session's database; ``volatile`` columns and the rows of tables that are ``unread``
    are left out.
    """
    module = engine.snapshot
    return Snapshot(
        module.schema(session),
        module.contents(session, unread, volatile or {}),
        module.sequences(session),
    )


@dataclass(frozen=True)
class Difference:
    """How one snapshot differs from another, object by object."""

    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    """Tables there in both whose rows differ."""

    def __bool__(self) -> bool:
        return bool(self.gone or self.new or self.changed or self.data)

    def size(self) -> int:
        return len(self.gone) + len(self.new) + len(self.changed) + len(self.data)

    def objects(self) -> frozenset[str]:
        return frozenset((*self.gone, *self.new, *self.changed, *self.data))

    def lines(self, before: Snapshot, after: Snapshot) -> list[str]:
        """One line an object, as people read it."""
        told = [f"gone: {name}" for name in self.gone]
        told += [f"new: {name}" for name in self.new]
        told += [
            f"changed: {name}: {after.schema[name]} (was: {before.schema[name]})"
            for name in self.changed
        ]
        for name in self.data:
            had, has = before.contents[name][0], after.contents[name][0]
            many = f"{had} rows, now {has}" if had != has else f"{has} rows, other values"
            told.append(f"data: {name}: {many}")
        return told


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """What has to be told of ``after`` to somebody who knows ``before``."""
    shared = before.schema.keys() & after.schema.keys()
    tables = before.contents.keys() & after.contents.keys()
    return Difference(
        gone=tuple(sorted(before.schema.keys() - after.schema.keys())),
        new=tuple(sorted(after.schema.keys() - before.schema.keys())),
        changed=tuple(sorted(k for k in shared if before.schema[k] != after.schema[k])),
        data=tuple(sorted(t for t in tables if before.contents[t] != after.contents[t])),
    )


def rows_lost(before: Snapshot, after: Snapshot, reference: Snapshot) -> dict[str, int]:
    """Rows by table that were there, that an unbroken migration keeps, and that are gone."""
    lost = {}
    for table, (had, _) in before.contents.items():
        wanted = min(had, reference.contents.get(table, (0, ""))[0])
        has = after.contents.get(table, (0, ""))[0]
        if has < wanted:
            lost[table] = wanted - has
    return lost

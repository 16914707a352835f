"""What a database holds, and how two such counts differ."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from harness.ports import Engine, Session
from harness.tool import names_of


@dataclass(frozen=True)
class Census:
    """Every object's definition, every table's row count and checksum."""

    schema: Mapping[str, str]
    contents: Mapping[str, tuple[int, str]]
    sequences: Mapping[str, int] = field(default_factory=dict)
    """Next values; they decide whether a database can be used again, never what state it is in."""

    def key(self, counted: Collection[str] = ()) -> str:
        """A short hash of schema and contents; of tables that are ``counted`` only the number of
        rows, for a tool writes times and process numbers into its own.
        """
        named = _named(counted)
        contents = {
            table: rows if named and named.search(table) else (rows, total)
            for table, (rows, total) in self.contents.items()
        }
        told = json.dumps([dict(self.schema), contents], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def without(self, tables: Collection[str]) -> Census:
        """The same, but for a tool's bookkeeping tables and what belongs to them."""
        named = _named(tables)
        if named is None:
            return self
        return Census(
            {k: v for k, v in self.schema.items() if not named.search(k)},
            {k: v for k, v in self.contents.items() if not named.search(k)},
            self.sequences,
        )

    def rows(self) -> int:
        return sum(count for count, _ in self.contents.values())


def _named(tables: Collection[str]) -> re.Pattern[str] | None:
    """Finds the names of tables in an object's; None for no tables."""
    if not tables:
        return None
    return re.compile(rf"\b{names_of(tables)}(?![a-zA-Z0-9])")


def take(
    engine: Engine,
    session: Session,
    volatile: Mapping[str, Collection[str]] | None = None,
    unread: Collection[str] = (),
) -> Census:
    """Count the session's database; ``volatile`` columns and the rows of tables that are ``unread``
    are left out.
    """
    module = engine.census
    return Census(
        module.schema(session),
        module.contents(session, unread, volatile or {}),
        module.sequences(session),
    )


@dataclass(frozen=True)
class Difference:
    """How one census differs from another, object by object."""

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

    def lines(self, before: Census, after: Census) -> list[str]:
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


def difference(before: Census, after: Census) -> Difference:
    """What has to be told of ``after`` to somebody who knows ``before``."""
    shared = before.schema.keys() & after.schema.keys()
    tables = before.contents.keys() & after.contents.keys()
    return Difference(
        gone=tuple(sorted(before.schema.keys() - after.schema.keys())),
        new=tuple(sorted(after.schema.keys() - before.schema.keys())),
        changed=tuple(sorted(k for k in shared if before.schema[k] != after.schema[k])),
        data=tuple(sorted(t for t in tables if before.contents[t] != after.contents[t])),
    )


def rows_lost(before: Census, after: Census, reference: Census) -> dict[str, int]:
    """Rows by table that were there, that an unbroken migration keeps, and that are gone."""
    lost = {}
    for table, (had, _) in before.contents.items():
        wanted = min(had, reference.contents.get(table, (0, ""))[0])
        has = after.contents.get(table, (0, ""))[0]
        if has < wanted:
            lost[table] = wanted - has
    return lost

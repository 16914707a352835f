"""What a restored database holds, read from its rows: nothing here is taken on trust."""

from __future__ import annotations

import re
from collections import Counter as Count
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness import row_generation
from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Counter
from harness.ports.table_specs import Link, TableSpec
from harness.state import snapshot

UNVALIDATED = re.compile(r"\bNOT (?:VALID|ENFORCED)\b")
"""How a constraint's definition ends that rows may break."""


@dataclass(frozen=True)
class Orphans:
    """Rows that point nowhere, by one foreign key; ``count`` is None if its table is not there."""

    table: str
    columns: tuple[str, ...]
    parent: str
    count: int | None
    example: str = ""

    def __str__(self) -> str:
        link = f"{self.table} ({', '.join(self.columns)}) to {self.parent}"
        if self.count is None:
            return f"{link}, which is not there"
        one = f", the first has {self.example}" if self.example else ""
        return f"{self.count} of {link}{one}"


@dataclass(frozen=True)
class Content:
    """All that was read. ``tables`` has the number of rows and a checksum of each."""

    tables: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()
    unvalidated: tuple[str, ...] = ()
    orphans: tuple[Orphans, ...] = ()
    without_key: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    """Views that cannot be read, and why."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Tables into which no row of ours could be written, and why."""
    links: int = 0
    """How many foreign keys were looked at."""

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())

    @property
    def empty(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, (count, _) in self.tables.items() if not count))

    def kinds(self) -> dict[str, int]:
        """How many objects there are of each kind."""
        counted = Count(key.partition(" ")[0] for key in self.objects)
        return {kind: count for kind, count in sorted(counted.items()) if kind != "column"}

    def was_used(self, table: str) -> str:
        """The counter of an empty table that tells that it had rows; "" if none does."""
        bare = table.rpartition(".")[2]
        for name, counter in self.counters.items():
            own = counter.column.rpartition(".")[0] or name
            if own in (table, bare) and counter.next > 1 and counter.step == 1:
                return f"{name} gives {counter.next} next"
        return ""


def look(engine: Engine, session: Session) -> Content:
    """Read every table of the session's database, and try to write a row into each.

    What is written is rolled back; what it took from sequences is not.
    """
    holds = snapshot.take(engine, session)
    specs = engine.table_specs.specs(session)
    pairs = [(spec, link) for spec in specs for link in spec.links]
    found = [_orphans(session, spec, link) for spec, link in pairs]
    probed = row_generation.probe(engine, session)
    return Content(
        holds.contents,
        holds.objects,
        holds.counters,
        tuple(engine.snapshot.invalid(holds.objects)),
        tuple(
            key.partition(" ")[2]
            for key, told in holds.objects.items()
            if key.startswith("constraint ") and UNVALIDATED.search(told)
        ),
        tuple(orphans for orphans in found if orphans),
        tuple(spec.name for spec in specs if not any(key.primary for key in spec.keys)),
        dict(_views(engine, session, holds.objects)),
        {one.table: one.why_not for one in probed if one.why_not},
        len(pairs),
    )


def _views(engine: Engine, session: Session, objects: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Planned and not run, for a view may reach for another server or take a day; a server keeps
    one whose table is gone, or in whose name nobody may read.
    """
    for key in objects:
        kind, _, name = key.partition(" ")
        if kind == "view":
            source = ".".join(map(engine.snapshot.quoted, name.split(".", 1)))
            try:
                session.run(f"EXPLAIN SELECT * FROM {source}")
            except DatabaseError as error:
                if error.lost:
                    raise
                yield name, error.message


def _orphans(session: Session, spec: TableSpec, link: Link) -> Orphans | None:
    """Asked by a query: a server that restores with its checks off believes anything."""
    own = [f"child.{spec.column(name).quoted}" for name in link.columns]
    there = " AND ".join(f"{name} IS NOT NULL" for name in own)
    same = " AND ".join(
        f"parent.{theirs} = {name}" for theirs, name in zip(link.parent_columns, own, strict=True)
    )
    orphans = (
        f"FROM {spec.source} AS child WHERE {there} AND NOT EXISTS "
        f"(SELECT 1 FROM {link.source} AS parent WHERE {same})"
    )
    try:
        count = int(session.run(f"SELECT count(*) {orphans}").scalar())
    except DatabaseError as error:
        if error.lost:
            raise
        return Orphans(spec.name, link.columns, link.parent, None)
    if not count:
        return None
    first = session.run(f"SELECT {', '.join(own)} {orphans} LIMIT 1").rows
    example = ", ".join(
        f"{name} {value}" for name, value in zip(link.columns, first[0], strict=True)
    )
    return Orphans(spec.name, link.columns, link.parent, count, example)

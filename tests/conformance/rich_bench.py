"""The rich template on a bench's server, made once, and what a snapshot of a database holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich_worlds import CHANGES, WORLDS

from harness.state.difference import difference
from harness.state.snapshot import Snapshot, take

TEMPLATE = "conformance_rich"


def held(bench: Any, database: str) -> Snapshot:
    """All that the database holds, read in a session of its own."""
    session = bench.connect(database=database)
    found = take(bench.engine, session)
    session.close()
    return found


def furnish(bench: Any, name: str = TEMPLATE) -> str:
    """Create the rich world anew under this name."""
    databases, admin = bench.engine.databases, bench.admin()
    databases.drop(admin, name)
    databases.create(admin, name)
    session = bench.connect(database=name)
    series = databases.series(200)
    for sql in WORLDS[bench.engine.name]:
        session.run(sql.replace("{series}", series))
    session.close()
    return name


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """The names whose values differ, or that only one has."""
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def template(bench: Any) -> str:
    """The rich world, made once on each server; it goes with the server."""
    if not hasattr(bench, "rich_world"):
        bench.rich_world = furnish(bench)
    return bench.rich_world


@dataclass(frozen=True)
class Stop:
    """What one change altered, and what is left of that after a reset."""

    objects: set[str]
    rows: set[str]
    left: set[str]


def tour(bench: Any) -> dict[str, Stop]:
    """Each change alone, made in one database and reset again; once on each server."""
    if not hasattr(bench, "rich_tour"):
        bench.rich_tour = _tour(bench)
    return bench.rich_tour


def _tour(bench: Any) -> dict[str, Stop]:
    databases, admin, database = bench.engine.databases, bench.admin(), bench.new_name()
    original = held(bench, template(bench))
    databases.clone(admin, template(bench), database)
    stops = {}
    for name, (statements, _, _) in CHANGES[bench.engine.name].items():
        session = bench.connect(database=database)
        for sql in statements:
            session.run(sql)
        session.close()
        changed = held(bench, database)
        databases.reset(admin, template(bench), database, touched(bench, original, changed))
        gap = difference(original, changed)
        stops[name] = Stop(
            {*gap.gone, *gap.new, *gap.changed},
            differing(original.contents, changed.contents),
            remaining(original, held(bench, database)),
        )
    return stops


def remaining(one: Snapshot, other: Snapshot) -> set[str]:
    """Everything in which two snapshots differ, the order of columns and next values included."""
    return (
        differing(one.objects, other.objects)
        | differing(one.contents, other.contents)
        | differing(one.counters, other.counters)
    )


def touched(bench: Any, one: Snapshot, other: Snapshot) -> set[str]:
    """The tables that a reset has to make anew, as far as two snapshots tell them."""
    rows = differing(one.contents, other.contents)
    return bench.engine.snapshot.tables_of({*differing(one.objects, other.objects), *rows})

"""The rich template on a bench's server, made once, and what a census of a database holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich_worlds import WORLDS

TEMPLATE = "conformance_rich"


@dataclass(frozen=True)
class Held:
    """Everything a census tells of one database."""

    schema: dict[str, str]
    contents: dict[str, tuple[int, str]]
    sequences: dict[str, int]


def held(bench: Any, database: str) -> Held:
    """Count the database in a session of its own."""
    census, session = bench.engine.census, bench.connect(database=database)
    return Held(census.schema(session), census.contents(session), census.sequences(session))


def furnish(bench: Any, name: str = TEMPLATE) -> str:
    """Create the rich world anew under this name."""
    databases = bench.engine.databases
    databases.drop(bench.admin(), name)
    databases.create(bench.admin(), name)
    session = bench.connect(database=name)
    series = databases.series(200)
    for sql in WORLDS[bench.engine.name]:
        session.run(sql.replace("{series}", series))
    session.close()
    return name


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The names whose values differ, or that only one has."""
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def template(bench: Any) -> str:
    """The rich world, made once on each server; it goes with the server."""
    if not hasattr(bench, "rich_world"):
        bench.rich_world = furnish(bench)
    return bench.rich_world


def touched(bench: Any, one: Held, other: Held) -> set[str]:
    """The tables that a reset has to make anew, as far as two censuses tell them."""
    rows = differing(one.contents, other.contents)
    return bench.engine.census.tables_of({*differing(one.schema, other.schema), *rows})

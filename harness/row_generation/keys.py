"""A table's rows by what tells them apart: its primary key, or another one without NULL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from harness.ports import Engine, Session
from harness.ports.table_specs import TableSpec

Key = tuple[Any, ...]
"""The values of a row's key columns, as the driver gives them."""

MOST = 300_000
"""Rows of which the keys are read; of a larger table it is told that it is too large."""


def key_of(spec: TableSpec) -> tuple[str, ...]:
    """The primary key, else the shortest unique one whose columns are never NULL; () if none."""
    usable = [
        key
        for key in spec.keys
        if not key.partial
        and not any(spec.column(n).nullable or spec.column(n).generated for n in key.columns)
    ]
    best = min(
        usable, key=lambda key: (not key.primary, len(key.columns), key.columns), default=None
    )
    return best.columns if best else ()


def quoted(spec: TableSpec, columns: Sequence[str]) -> str:
    """The columns as SQL, separated by commas."""
    return ", ".join(spec.column(name).quoted for name in columns)


def keys_there(session: Session, spec: TableSpec, limit: int = MOST) -> list[Key]:
    """The keys of the table's rows in their order; the table must have a key."""
    listed = quoted(spec, key_of(spec))
    found = session.run(f"SELECT {listed} FROM {spec.source} ORDER BY {listed} LIMIT {limit}")
    return [tuple(map(hashable, row)) for row in found.rows]


def rows_of(engine: Engine, spec: TableSpec, keys: Collection[Key]) -> str:
    """The condition that a row has one of these keys."""
    condition: str = engine.snapshot.is_one_of(key_of(spec), list(keys))
    return condition


def hashable(value: Any) -> Any:
    """The value itself if it can be looked up, else its text."""
    try:
        hash(value)
    except TypeError:
        return bytes(value) if isinstance(value, bytearray | memoryview) else str(value)
    return value


def shown(columns: Sequence[str], key: Key) -> str:
    """A key as people read it: ``id 3``."""
    return ", ".join(f"{c} {v}" for c, v in zip(columns, key, strict=True))


def named(specs: Sequence[TableSpec], name: str) -> TableSpec | None:
    """The table that is meant by ``users`` or ``public.users``."""
    bare = name.removeprefix("public.")
    return next((spec for spec in specs if spec.name in (name, bare)), None)

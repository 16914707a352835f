"""The migration tools that a scenario may name, as what they send.

``plain`` keeps no version table, like ``psql -f`` in a script. ``versioned`` is golang-migrate, by
the same adapter that a sweep uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from harness.model import Mode
from harness.tools.adapter import Adapter, Emulation, for_dialect

VERSIONED_BY = "golang-migrate"
"""The adapter of ``versioned``."""

PLAIN: Mapping[str, Emulation] = {
    "autocommit": Emulation("per-statement"),
    "one-transaction": Emulation(
        "per-statement", before=("BEGIN",), after=("COMMIT",), failed=("ROLLBACK",)
    ),
    "autocommit-off": Emulation(
        "per-statement", before=("SET autocommit = 0",), after=("COMMIT",), failed=("ROLLBACK",)
    ),
}
"""``one-transaction``: between BEGIN and COMMIT. ``autocommit``: each statement alone.
``autocommit-off``: as drivers of MySQL do, a new transaction begins by itself after each DDL."""

WIRES: Mapping[str, Literal["whole-file", "per-statement"]] = {
    "whole-file": "whole-file",
    "per-statement": "per-statement",
}
"""The whole file travels as one message; ``per-statement`` is golang-migrate's option
x-multi-statement."""

MODES: Mapping[str, frozenset[str]] = {"plain": frozenset(PLAIN), "versioned": frozenset(WIRES)}
"""The ways of sending a migration that each tool knows."""


def emulation(
    tool: str, mode: Mode | str, versioned: Adapter, engine: str, dialect: str
) -> Emulation:
    """What the tool sends in that mode; ``versioned`` is the adapter that stands for it."""
    if tool == "plain":
        return PLAIN[mode]
    sends: Emulation = for_dialect(versioned.emulation, engine, dialect)
    return replace(sends, wire=WIRES[mode])

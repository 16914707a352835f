"""What an interrupted sweep has found out, so that nothing is done or counted twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.record.timeline import Event
from harness.sweep.events import (
    AllPendingRun,
    CellStruck,
    RuleAudited,
    StateHealed,
    SweptToEnd,
    WayBackTried,
)


@dataclass
class Known:
    """Cells and states by version and their own names; versions that are done with."""

    cells: dict[tuple[str, str], CellStruck] = field(default_factory=dict)
    healed: set[tuple[str, str]] = field(default_factory=set)
    rolled_back: set[str] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    ran_all: bool = False
    """All pending migrations were run at once, and that was compared."""
    revoked: set[str] = field(default_factory=set)
    """Rules that an audit has shown to be wrong."""


def known(events: Iterable[Event[Any]]) -> Known:
    """From the record of the sweep.

    A cell whose state was still being healed when the sweep was cut off is struck again: the
    answer that it waited for was never written.
    """
    found = Known()
    waiting: dict[tuple[str, str], dict[tuple[str, str], CellStruck]] = {}
    for event in events:
        what = event.what
        if isinstance(what, CellStruck):
            state, cell = (what.migration, what.state), (what.migration, what.point)
            if what.missed or state in found.healed:
                found.cells[cell] = what
            else:
                waiting.setdefault(state, {})[cell] = what
        elif isinstance(what, StateHealed):
            state = (what.migration, what.state)
            found.healed.add(state)
            found.cells |= waiting.pop(state, {})
        elif isinstance(what, RuleAudited):
            found.revoked |= set() if what.held else {what.rule}
        elif isinstance(what, WayBackTried):
            found.rolled_back.add(what.migration)
        elif isinstance(what, AllPendingRun):
            found.ran_all = True
        elif isinstance(what, SweptToEnd):
            found.finished.add(what.migration)
    return found

"""plan.md: the "Oh Shit" plan of each migration, in which every line was executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import Format
from harness.reporting.sweep import overview, view
from harness.reporting.sweep.view import StateTold
from harness.reporting.templating import environment
from harness.sweep.points import Row
from harness.sweep.results import CellResult, MigrationResult, SweepResult
from harness.sweep.verdicts import Attempt

FILE_NAME = "plan.md"
STOPS = ("session-kill", "query-cancel", "client-sigkill")
"""How people stop a migration that hangs."""


@dataclass(frozen=True)
class StatePlan:
    """What to do in one state, what not to do, and how it comes about."""

    told: StateTold
    wrong: Sequence[Attempt]
    comes_by: Sequence[str]


@dataclass(frozen=True)
class Stop:
    """What it leaves to stop a statement while it is at work."""

    label: str
    cell: CellResult


@dataclass(frozen=True)
class Plan:
    """The sections of one migration's plan."""

    migration: MigrationResult
    steps: Sequence[Row]
    together: str
    states: Sequence[StatePlan]
    down_states: Sequence[StatePlan]
    stops: Sequence[Stop]


def render(result: SweepResult) -> str:
    """One plan a migration, in the order of the run."""
    return (
        environment()
        .get_template("plan.md.j2")
        .render(
            result=result,
            view=view,
            headline=overview.headline(result),
            caveats=overview.caveats(result),
            plans=[_plan(m) for m in result.migrations if m.cells],
            broken=result.broken,
            struck=sum(not cell.missed for cell in result.every_cell),
            verified=f"{result.engine} {result.server_version}, {result.started[:10]}",
        )
    )


def _plan(migration: MigrationResult) -> Plan:
    steps = [row for row in migration.reference.rows if row.kind == "statement"]
    up, *down = view.directions(migration)
    return Plan(
        migration,
        steps,
        _together(migration, steps),
        [_state(told) for told in up.states],
        [_state(told) for direction in down for told in direction.states],
        _stops(migration),
    )


def _together(migration: MigrationResult, steps: Sequence[Row]) -> str:
    if view.stops(migration) == "unknown":
        return "not known: no crash was struck"
    if migration.atomic:
        return "all or nothing: no crash left anything between before and after"
    if len(steps) == 1:
        return "one message, and yet a crash can leave a part of it"
    return "one by one: a crash can leave the first of them done and the rest not"


def _state(told: StateTold) -> StatePlan:
    wrong = [attempt for attempt in told.healing.attempts if not attempt.healed]
    return StatePlan(told, wrong, _ways_there(told.cells))


def _ways_there(cells: Sequence[CellResult]) -> list[str]:
    """How the state comes about: each way of dying with the messages where it led here."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        found.setdefault(cell.way, []).append(
            f"{view.where_of(cell.where, cell.wait)} message {cell.n}"
        )
    return [f"{way}: {', '.join(places)}" for way, places in found.items()]


def _stops(migration: MigrationResult) -> list[Stop]:
    labels = {row.n: row.label for row in migration.reference.rows}
    inside = [c for c in migration.cells if c.where == "inside" and c.way in STOPS]
    return [Stop(labels[cell.n], cell) for cell in inside]


KIND = Format(FILE_NAME, render)

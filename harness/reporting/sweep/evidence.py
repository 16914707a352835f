"""plan-evidence.md: what stands behind plan.md: each state, its queries, what heals it or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import Format
from harness.reporting.sweep import grades, overview, view
from harness.reporting.sweep.view import StateTold
from harness.reporting.templating import environment
from harness.sweep.points import Row
from harness.sweep.results import CellResult, MigrationResult, SweepResult
from harness.sweep.verdicts import Attempt

FILE_NAME = "plan-evidence.md"


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
class MigrationEvidence:
    """What is told of one migration."""

    migration: MigrationResult
    steps: Sequence[Row]
    together: str
    states: Sequence[StatePlan]
    down_states: Sequence[StatePlan]
    stops: Sequence[Stop]


def render(result: SweepResult) -> str:
    """One section a migration, in the order of the run."""
    return (
        environment()
        .get_template("plan-evidence.md.j2")
        .render(
            result=result,
            view=view,
            grades=grades,
            headline=overview.headline(result),
            caveats=overview.caveats(result),
            plans=[_of(m) for m in result.migrations if m.cells],
            broken=result.broken,
            made_from=overview.made_from(result),
            verified=f"{result.engine} {result.server_version}, {result.started[:10]}",
        )
    )


def _of(migration: MigrationResult) -> MigrationEvidence:
    steps = [row for row in migration.reference.rows if row.kind == "statement"]
    up, *down = view.directions(migration)
    return MigrationEvidence(
        migration,
        steps,
        view.together(migration),
        [_state(told) for told in up.states],
        [_state(told) for direction in down for told in direction.states],
        _stops(migration),
    )


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
    return [Stop(labels[cell.n], cell) for cell in view.stopped(migration)]


KIND = Format(FILE_NAME, render)

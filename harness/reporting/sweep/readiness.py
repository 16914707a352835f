"""readiness.md: the rollback readiness checklist, each box ticked or not by evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.reporting import Format
from harness.reporting.sweep import overview, view
from harness.reporting.sweep.grades import HARMFUL
from harness.reporting.sweep.view import StateTold
from harness.reporting.templating import environment
from harness.reporting.words import one_line, plural
from harness.sweep.results import CellResult, MigrationResult, SweepResult
from harness.sweep.rollback import IN_WORDS, Leads, Rollback

FILE_NAME = "readiness.md"
ELSEWHERE = "not looked at by a sweep"
LEADS_BACK = (Leads.BACK, Leads.BACK_IN_OTHER_ORDER)
NAMED = 5
"""Migrations that are named in a box."""
DETAIL = 160
"""Characters that are told of one of them."""


@dataclass(frozen=True)
class Box:
    """One line of the checklist; ``ticked`` None where a sweep cannot know."""

    question: str
    ticked: bool | None
    evidence: str
    command: str = ""
    """What looks at it, or trains for it."""
    of_each: bool = True
    """It is asked of each migration of the folder."""


def render(result: SweepResult) -> str:
    """The checklist of the folder."""
    return (
        environment()
        .get_template("readiness.md.j2")
        .render(
            result=result,
            boxes=boxes(result),
            headline=overview.headline(result),
            caveats=overview.caveats(result),
        )
    )


def boxes(result: SweepResult) -> list[Box]:
    """The boxes of the checklist, in its order.

    What is asked of every migration has no tick where one of them was not swept to its end.
    """
    found = _boxes(result)
    if not result.unfinished and not result.broken:
        return found
    return [replace(box, ticked=False) if box.of_each and box.ticked else box for box in found]


def _boxes(result: SweepResult) -> list[Box]:
    swept = [m for m in result.migrations if m.cells]
    states = [state for m in swept for state in view.states(m)]
    down = [state for m in swept for way in view.directions(m)[1:] for state in way.states]
    cells = [c for m in swept for c in m.cells if not c.missed]
    struck = sum(not c.missed for m in swept for c in m.every_cell)
    return [
        Box("Do I have a recent backup?", None, ELSEWHERE, "mdrill run data-corruption"),
        *_rollback(swept),
        _plan([*states, *down]),
        _forward(states),
        Box(
            "Do I have feature flags to disable new behavior?",
            None,
            ELSEWHERE,
            "mdrill run app-break",
        ),
        Box(
            "Have I practiced this failure scenario?",
            bool(struck),
            f"{plural(struck, 'crash point')} struck; people train with",
            "mdrill practice",
            of_each=False,
        ),
        Box("Is someone on-call who can help if things break?", None, ELSEWHERE),
        _known([*states, *down]),
        _killed_safely(cells),
        _on_rows(result),
    ]


def _rollback(swept: Sequence[MigrationResult]) -> tuple[Box, Box]:
    """What the way down of each migration left, compared with the state before it."""
    executed = [m for m in swept if m.rollback.lies or m.rollback.leads in LEADS_BACK]
    back = [m for m in swept if m.rollback.leads in LEADS_BACK]
    counts = Counter(m.rollback.leads for m in swept)
    told = [
        f"{IN_WORDS[leads]}: "
        + _names([m for m in swept if m.rollback.leads is leads], lambda r: r.differences)
        for leads in Leads
        if counts[leads] and leads not in LEADS_BACK
    ]
    if counts[Leads.BACK_IN_OTHER_ORDER]:
        told.insert(0, f"{counts[Leads.BACK_IN_OTHER_ORDER]} but for the order of columns")
    many = f"{len(back)} of {plural(len(swept), 'migration')} restored as before"
    lossy = [m for m in swept if m.rollback.meanwhile]
    if lossy:
        names = _names(lossy, lambda rollback: rollback.meanwhile)
        told.append(f"what is written between up and down is lost: {names}")
    return (
        Box(
            "Have I tested rollback locally?",
            bool(swept) and len(executed) == len(swept),
            f"the way down was executed for {len(executed)} of {plural(len(swept), 'migration')}, "
            "and what it left compared with the state before",
        ),
        Box(
            "Is rollback actually possible? Or is this irreversible?",
            bool(swept) and len(back) == len(swept),
            "; ".join([many, *told]),
        ),
    )


def _names(
    migrations: Sequence[MigrationResult],
    about: Callable[[Rollback], Sequence[str]] = lambda _: (),
) -> str:
    """The migrations by name, each with something about its way down, if there is anything."""
    names = []
    for migration in migrations[:NAMED]:
        details = one_line("; ".join(about(migration.rollback)), DETAIL)
        names.append(f"{migration.name} ({details})" if details else migration.name)
    return ", ".join(names) + (" …" if len(migrations) > NAMED else "")


def _plan(states: Sequence[StateTold]) -> Box:
    unhealed = [state for state in states if state.heals is None]
    return Box(
        'What\'s my "oh shit" plan?',
        bool(states) and not unhealed,
        f"plan.md: {len(states)} states, {len(unhealed)} of them healed by nothing tried",
    )


def _forward(states: Sequence[StateTold]) -> Box:
    forward = [
        state
        for state in states
        if any(a.healed and a.kind != "down-up" for a in state.healing.attempts)
    ]
    return Box(
        "Can I fix forward if rollback isn't possible?",
        bool(states) and len(forward) == len(states),
        f"{len(forward)} of {len(states)} states were brought forward",
    )


def _known(states: Sequence[StateTold]) -> Box:
    told = [state for state in states if state.healing.probes]
    return Box(
        "Do I know how to check if the migration partially applied?",
        bool(states) and len(told) == len(states),
        f"{len(told)} of {len(states)} states have queries that were executed",
    )


def _killed_safely(cells: Sequence[CellResult]) -> Box:
    stops = [c for c in cells if c.where == "inside" and c.way in ("session-kill", "query-cancel")]
    unsafe = [c for c in stops if not c.heals or c.grade in HARMFUL]
    return Box(
        "Can I kill the migration safely if it hangs?",
        bool(stops) and not unsafe,
        f"{plural(len(stops), 'stop')} inside a statement, {len(unsafe)} unhealed or losing rows",
    )


def _on_rows(result: SweepResult) -> Box:
    """No question of the source's list; and yet the first that a deployment answers."""
    swept = [m for m in result.migrations if m.cells]
    failing = [m for m in swept if m.reference.fails_on_rows]
    blind = [m for m in swept if not m.reference.is_looked_at]
    through = [m for m in swept if m not in failing and m not in blind]
    told = [f"{len(through)} of {plural(len(swept), 'migration')} go through on rows"]
    told += [f"failing on rows: {_names(failing)}"] if failing else []
    told += [f"not tried on rows that they work on: {_names(blind)}"] if blind else []
    return Box(
        "Does it go through on tables with rows?",
        bool(swept) and not failing and not blind,
        "; ".join(told),
    )


KIND = Format(FILE_NAME, render)

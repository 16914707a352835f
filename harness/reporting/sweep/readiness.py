"""readiness.md: the rollback readiness checklist, each box ticked or not by evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.reporting import Format
from harness.reporting.sweep import _view
from harness.reporting.templating import environment
from harness.reporting.words import plural

FILE_NAME = "readiness.md"
ELSEWHERE = "not looked at by a sweep"


@dataclass(frozen=True)
class Box:
    """One line of the checklist; ``ticked`` None where a sweep cannot know."""

    question: str
    ticked: bool | None
    evidence: str
    command: str = ""
    """What looks at it, or trains for it."""


def render(result: Mapping[str, Any], *_: Any) -> str:
    """The checklist of the folder."""
    return (
        environment()
        .get_template("readiness.md.j2")
        .render(result=result, boxes=boxes(result), gap=_view.gap(result))
    )


def boxes(result: Mapping[str, Any]) -> list[Box]:
    """The boxes of the checklist, in its order."""
    swept = [m for m in result["migrations"] if m["cells"]]
    states = [state for m in swept for state in _view.states(m)]
    cells = [c for m in swept for c in m["cells"] if not c["missed"]]
    return [
        Box("Do I have a recent backup?", None, ELSEWHERE, "mdrill run data-corruption"),
        *_rollback(swept, states),
        _plan(states),
        _forward(states),
        Box(
            "Do I have feature flags to disable new behavior?",
            None,
            ELSEWHERE,
            "mdrill run app-break",
        ),
        Box(
            "Have I practiced this failure scenario?",
            bool(cells),
            f"{plural(len(cells), 'crash point')} struck; people train with",
            "mdrill practice",
        ),
        Box("Is someone on-call who can help if things break?", None, ELSEWHERE),
        _known(states),
        _killed_safely(cells),
    ]


def _rollback(swept: Sequence[Any], states: Sequence[Any]) -> tuple[Box, Box]:
    """Down, then up, from the whole migration: what it kept, and who has no way down."""
    migrated = [h for h in states if h["left"]["name"] == "after"]
    back = [a for h in migrated for a in h["attempts"] if a["kind"] == "down-up"]
    bad = sum(bool(a["lost"]) or not a["healed"] for a in back)
    without = [m["name"] for m in swept if not _view.has_way_down(m)]
    possible = (
        f"no way down: {', '.join(without[:5])}{' …' if len(without) > 5 else ''}"
        if without
        else f"every migration has a way down; {bad} executions changed data or failed"
    )
    return (
        Box(
            "Have I tested rollback locally?",
            bool(back),
            f"down, then up, was executed {len(back)} times, {bad} of them did not end well",
        ),
        Box(
            "Is rollback actually possible? Or is this irreversible?",
            bool(swept) and not without and not bad,
            possible,
        ),
    )


def _plan(states: Sequence[Any]) -> Box:
    unhealed = [state for state in states if state["heals"] is None]
    return Box(
        'What\'s my "oh shit" plan?',
        bool(states) and not unhealed,
        f"plan.md: {len(states)} states, {len(unhealed)} of them healed by nothing tried",
    )


def _forward(states: Sequence[Any]) -> Box:
    forward = [
        h for h in states if any(a["healed"] and a["kind"] != "down-up" for a in h["attempts"])
    ]
    return Box(
        "Can I fix forward if rollback isn't possible?",
        bool(states) and len(forward) == len(states),
        f"{len(forward)} of {len(states)} states were brought forward",
    )


def _known(states: Sequence[Any]) -> Box:
    told = [state for state in states if state["probes"]]
    return Box(
        "Do I know how to check if the migration partially applied?",
        bool(states) and len(told) == len(states),
        f"{len(told)} of {len(states)} states have queries that were executed",
    )


def _killed_safely(cells: Sequence[Any]) -> Box:
    stops = [
        c for c in cells if c["where"] == "inside" and c["way"] in ("session-kill", "query-cancel")
    ]
    unsafe = [c for c in stops if not c["heals"] or c["grade"] in _view.HARMFUL]
    return Box(
        "Can I kill the migration safely if it hangs?",
        bool(stops) and not unsafe,
        f"{plural(len(stops), 'stop')} inside a statement, {len(unsafe)} unhealed or losing rows",
    )


KIND = Format(FILE_NAME, render)

"""plan.md: the "Oh Shit" plan of each migration, in which every line was executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.reporting import Format
from harness.reporting.sweep import _view
from harness.reporting.templating import environment

FILE_NAME = "plan.md"
STOPS = ("session-kill", "query-cancel", "client-sigkill")
"""How people stop a migration that hangs."""


def render(result: Mapping[str, Any], *_: Any) -> str:
    """One plan a migration, in the order of the run."""
    return (
        environment()
        .get_template("plan.md.j2")
        .render(
            result=result,
            view=_view,
            gap=_view.gap(result),
            plans=[_plan(m) for m in result["migrations"] if m["cells"]],
            broken=[m for m in result["migrations"] if m["broken"]],
            struck=sum(not cell["missed"] for m in result["migrations"] for cell in m["cells"]),
            verified=f"{result['engine']} {result['server_version']}, {result['started'][:10]}",
        )
    )


def _plan(migration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "migration": migration,
        "steps": [row for row in migration["rows"] if row["kind"] == "statement"],
        "together": _together(migration),
        "states": [_state(state) for state in _view.states(migration)],
        "stops": _stops(migration),
        "back": _back(migration),
    }


def _together(migration: Mapping[str, Any]) -> str:
    steps = [row for row in migration["rows"] if row["kind"] == "statement"]
    if _view.stops(migration) == "unknown":
        return "not known: no crash was struck"
    if migration["atomic"]:
        return "all or nothing: no crash left anything between before and after"
    if len(steps) == 1:
        return "one message, and yet a crash can leave a part of it"
    return "one by one: a crash can leave the first of them done and the rest not"


def _state(state: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [attempt for attempt in state["attempts"] if not attempt["healed"]]
    return {**state, "after": _ways_there(state["cells"]), "wrong": wrong}


def _ways_there(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the state comes about: each way of dying with the messages where it led here."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        point = f"{_view.WHERE[cell['where']]} message {cell['n']}"
        found.setdefault(cell["way"], []).append(point)
    return [f"{way}: {', '.join(places)}" for way, places in found.items()]


def _stops(migration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What it leaves to stop each statement while it is at work."""
    labels = {row["n"]: row["label"] for row in migration["rows"]}
    inside = [c for c in migration["cells"] if c["where"] == "inside" and c["way"] in STOPS]
    return [{**cell, "label": labels[cell["n"]]} for cell in inside]


def _back(migration: Mapping[str, Any]) -> dict[str, Any] | None:
    """The way back from the migrated state, if it was executed; best where the tool knows of it."""
    migrated = [h for h in migration["healings"] if h["left"]["name"] == "after"]
    for healing in sorted(migrated, key=lambda h: not h["settled"]):
        for attempt in healing["attempts"]:
            if attempt["kind"] == "down-up":
                return attempt
    return None


KIND = Format(FILE_NAME, render)

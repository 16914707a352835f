"""What several formats tell alike: grades in words, cells by row and way, the line to run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from harness.reporting.words import plural
from harness.sweep.points import Way
from harness.sweep.verdicts import LOUDNESS

WORDS = {
    "done": ("through", "The migration is through and the tool knows it."),
    "self-heals": ("self-heals", "Run the tool again: it ends where an unbroken run ends."),
    "needs-tool-repair": (
        "tool repair",
        "A documented command of the tool, then the tool again.",
    ),
    "needs-hand-work": ("hand work", "Statements that a person has to run."),
    "stuck-on-own-lock": (
        "stuck",
        "The tool waits for a lock that it left itself, and none of its commands frees it.",
    ),
    "loses-data": (
        "loses data",
        "Rows go that an unbroken run keeps: by the crash for good, or by the plain re-run.",
    ),
    "unhealed": ("unhealed", "Nothing that was tried heals it."),
    "inconclusive": (
        "unknown",
        "The fault did not strike, or nothing was tried on what it left: nothing was learned.",
    ),
}
"""Each grade: how a cell names it, and what it means; from harmless to harmful."""
NOTHING_TRIED: Mapping[str, Any] = {
    "attempts": [],
    "gone": {},
    "probes": [],
    "settled": False,
    "grade": "inconclusive",
}
"""A state that a sweep left standing because it was cut off."""
HARMFUL = ("stuck-on-own-lock", "loses-data", "unhealed")

TONES = {
    "done": "good",
    "self-heals": "good",
    "needs-tool-repair": "mild",
    "needs-hand-work": "work",
    "stuck-on-own-lock": "bad",
    "loses-data": "bad",
    "unhealed": "bad",
    "inconclusive": "unsure",
}
SIGNS = {
    "done": "✓",
    "self-heals": "↻",
    "needs-tool-repair": "⚙",
    "needs-hand-work": "✎",
    "stuck-on-own-lock": "⊘",
    "loses-data": "✗",
    "unhealed": "✗",
    "inconclusive": "?",
}
ORDER = {"before": 0, "inside": 1, "answered": 2}
WHERE = {"before": "before", "inside": "inside", "answered": "answer lost"}


@dataclass(frozen=True)
class Line:
    """One row of a matrix: a point in the run, and the cell of each way of dying."""

    n: int
    where: str
    label: str
    place: str
    kind: str
    cells: Sequence[Mapping[str, Any] | None]


def ways(migration: Mapping[str, Any]) -> list[str]:
    """The ways of dying that were tried, in the same order for every migration."""
    tried = {cell["way"] for cell in migration["cells"]}
    return [way.value for way in Way if way in tried]


def lines(migration: Mapping[str, Any]) -> list[Line]:
    """The matrix of one migration, in the order of its run."""
    columns = ways(migration)
    found: dict[tuple[int, int], dict[str, Mapping[str, Any]]] = {}
    for cell in migration["cells"]:
        found.setdefault((cell["n"], ORDER[cell["where"]]), {})[cell["way"]] = cell
    rows = {row["n"]: row for row in migration["rows"]}
    made = []
    for (n, at), cells in sorted(found.items()):
        row = rows.get(n, {})
        where = next(word for word, order in ORDER.items() if order == at)
        told = [cells.get(way) for way in columns]
        place = row.get("place", "").rpartition("/")[2]
        made.append(Line(n, where, row.get("label", ""), place, row.get("kind", ""), told))
    return made


def again(result: Mapping[str, Any], migration: Mapping[str, Any], way: str = "") -> str:
    """The command that sweeps this migration again, for one way of dying."""
    wishes = result.get("sweep", {})
    words = ["mdrill", "sweep", str(wishes.get("path", result.get("folder", "")))]
    words += ["--engine", str(wishes.get("engine", ""))]
    for wish in ("tool", "layout", "program", "seed_sql", "seed_dump"):
        if wishes.get(wish):
            words += [f"--{wish.replace('_', '-')}", str(wishes[wish])]
    for image in wishes.get("image", ()):
        words += ["--image", image]
    if wishes.get("backend", "auto") != "auto":
        words += ["--backend", wishes["backend"]]
    if "rows" in wishes:
        words += ["--rows", str(wishes["rows"])]
    words += ["--only", migration["version"]]
    return shlex.join([*words, *(("--ways", way) if way else ())])


def loudness(migration: Mapping[str, Any]) -> int:
    """How early a reader must see the migration; the most harmful has the highest."""
    return LOUDNESS.index(migration["worst"])


def overall(result: Mapping[str, Any]) -> tuple[str, str, str]:
    """The tone, the sign and the word of the whole sweep."""
    if result["broken"]:
        return "bad", "✗", "fails by itself"
    grade = result["worst"]
    return TONES[grade], SIGNS[grade], WORDS[grade][0]


def stops(migration: Mapping[str, Any]) -> str:
    """Whether a crash can leave a part of the migration; ``unknown`` where none was struck."""
    if migration["broken"]:
        return "fails by itself"
    if all(cell["missed"] for cell in migration["cells"]):
        return "unknown"
    return "atomic" if migration["atomic"] else "can stop half way"


def state_names(migration: Mapping[str, Any]) -> list[str]:
    """The states that were left, those that something was tried on before the others."""
    tried = [healing["state"] for healing in migration["healings"]]
    left = [cell["state"] for cell in migration["cells"] if not cell["missed"]]
    return list(dict.fromkeys([*tried, *left]))


def states(migration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each state that was left: what was tried on it, which cells left it, and what heals it."""
    tried = {healing["state"]: healing for healing in migration["healings"]}
    own: dict[str, list[Mapping[str, Any]]] = {name: [] for name in state_names(migration)}
    for cell in migration["cells"]:
        if not cell["missed"]:
            own[cell["state"]].append(cell)
    told = []
    for name, cells in own.items():
        state = {**NOTHING_TRIED, **(tried.get(name) or _known_of(cells[0]))}
        says = belief(cells[0], migration["version"], state) if cells else ""
        told.append({**state, "cells": cells, "tool_says": says, "heals": heals(state)})
    return told


def _known_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a state on which nothing was tried."""
    return {"state": cell["state"], "left": cell["left"]}


def heals(healing: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first recovery that healed the state."""
    return next((attempt for attempt in healing.get("attempts", ()) if attempt["healed"]), None)


def headline(result: Mapping[str, Any]) -> str:
    """The whole sweep in one sentence."""
    told = plural(result["cells"], "crash point")
    told += f" of {plural(len(result['migrations']), 'migration')}"
    bad = sum(result["grades"].get(grade, 0) for grade in HARMFUL)
    work = result["grades"].get("needs-hand-work", 0)
    unknown = result["grades"].get("inconclusive", 0)
    broken = len(result["broken"])
    parts = [f"{plural(broken, 'migration')} failing with nothing in the way"] if broken else []
    if bad:
        parts.append(f"{bad} that no tried recovery heals or that lose data")
    elif work:
        parts.append(f"{work} need a person's own statements")
    elif unknown == result["cells"]:
        parts.append("nothing was struck and healed, so nothing was learned")
    else:
        who = "every other one" if unknown else "every one"
        parts.append(f"{who} is healed by the tool itself or its documented commands")
    if 0 < unknown < result["cells"]:
        parts.append(f"{unknown} unknown")
    if result["unexplained"]:
        parts.append(f"{result['unexplained']} left what the migration does not explain")
    return f"{told}: {'; '.join(parts)}"


def unfinished(result: Mapping[str, Any]) -> list[str]:
    """The planned versions that were not swept to their end, and do not fail by themselves.

    What a dump had applied before is not swept, and comes before all that is.
    """
    told = {m["version"]: m["finished"] or bool(m["broken"]) for m in result["migrations"]}
    planned = list(result.get("planned", ()))
    if result.get("sweep", {}).get("seed_dump"):
        planned = list(dropwhile(lambda version: version not in told, planned))
    return [v for v in dict.fromkeys([*planned, *told]) if not told.get(v, False)]


def gap(result: Mapping[str, Any]) -> str:
    """What a sweep that was cut off leaves open, in one sentence; empty if it came to its end."""
    missing = unfinished(result)
    if not missing:
        return ""
    names = f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
    return f"Not swept to the end: {plural(len(missing), 'planned migration')} ({names})."


def caveats(result: Mapping[str, Any]) -> list[str]:
    """What is less than was asked for: what was not swept, rows of the user's that were refused."""
    refused = result.get("seed_refused", {})
    rows = [f"{place}: no state took this statement: {says}" for place, says in refused.items()]
    return [*filter(None, [gap(result)]), *rows]


def told(cell: Mapping[str, Any]) -> str:
    """What became of one cell."""
    if cell["missed"]:
        return f"not struck: {cell['missed']}"
    return f"left it {cell['left']['name']}; {healed_by(cell)}"


def healed_by(cell: Mapping[str, Any]) -> str:
    """What heals a cell that was struck, or that nothing does, or that nothing was tried."""
    if cell["grade"] == "inconclusive":
        return "nothing was tried on it"
    return f"heals: {cell['heals']}" if cell["heals"] else "nothing that was tried heals it"


def has_way_down(migration: Mapping[str, Any]) -> bool:
    """A file for it, or a way down that the tool knows and that was executed."""
    attempts = [attempt for healing in migration["healings"] for attempt in healing["attempts"]]
    return migration["down"] or any(a["kind"] == "down-up" and a["healed"] for a in attempts)


def belief(cell: Mapping[str, Any], version: str, state: Mapping[str, Any]) -> str:
    """What the tool's own table says after the crash."""
    applied = version in cell["applied"]
    if state["settled"] and not applied:
        return "nothing, for it keeps no record"
    told = "applied" if applied else "not applied"
    return f"{told}, dirty or locked" if cell["stuck"] else told

"""What several formats tell alike: grades in words, cells by row and way, the line to run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    "inconclusive": ("not struck", "The fault did not strike, so nothing was learned."),
}
"""Each grade: how a cell names it, and what it means; from harmless to harmful."""

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
    """The ways of dying that were tried, in the order of their first use."""
    return list(dict.fromkeys(cell["way"] for cell in migration["cells"]))


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
    if wishes.get("tool"):
        words += ["--tool", str(wishes["tool"])]
    words += ["--only", migration["version"]]
    return shlex.join([*words, *(("--ways", way) if way else ())])


def healing_of(migration: Mapping[str, Any], cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was tried on the state that the cell left; empty if it was not struck."""
    return next((h for h in migration["healings"] if h["state"] == cell["state"]), {})


def heals(healing: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first recovery that healed the state."""
    return next((attempt for attempt in healing.get("attempts", ()) if attempt["healed"]), None)


def headline(result: Mapping[str, Any]) -> str:
    """The whole sweep in one sentence."""
    count, migrations = result["cells"], len(result["migrations"])
    told = f"{count} crash points of {migrations} migration{'s' if migrations != 1 else ''}"
    bad = sum(result["grades"].get(g, 0) for g in ("stuck-on-own-lock", "loses-data", "unhealed"))
    work = result["grades"].get("needs-hand-work", 0)
    if bad:
        return f"{told}: {bad} that no tried recovery heals or that lose data"
    if work:
        return f"{told}: {work} need a person's own statements"
    return f"{told}: every one is healed by the tool itself or its documented commands"


def belief(cell: Mapping[str, Any], version: str) -> str:
    """What the tool's own table says after the crash."""
    told = "applied" if version in cell["applied"] else "not applied"
    return f"{told}, dirty or locked" if cell["stuck"] else told

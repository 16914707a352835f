"""A sweep as text for a terminal: the worst first, and what heals it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.crashmatrix import _view
from harness.reporting.words import one_line

MIGRATIONS = 12
EXITS = {
    0: "good enough",
    1: "not good enough",
    3: "no fault struck, so nothing was learned",
    5: "nothing was swept",
}


def text(result: Mapping[str, Any]) -> str:
    """Counts by grade, then the migrations with the most harmful cells."""
    order = list(_view.WORDS)
    lines = [
        f"{_view.headline(result)}",
        f"{result['tool']} on {result['engine']} {result['server_version']}",
        "",
    ]
    for grade, count in result["grades"].items():
        name, meaning = _view.WORDS[grade]
        lines.append(f"{count:>7}  {name:<12} {meaning}")
    ranked = sorted(result["migrations"], key=lambda m: -order.index(m["worst"]))
    told = [m for m in ranked if order.index(m["worst"]) > order.index("self-heals")]
    if told:
        lines.append("")
    for migration in told[:MIGRATIONS]:
        lines += _migration(migration)
    if len(told) > MIGRATIONS:
        lines.append(f"  … and {len(told) - MIGRATIONS} more migrations, in the report")
    for migration in result["migrations"]:
        if migration["broken"]:
            lines.append(f"{migration['name']} fails by itself: {one_line(migration['broken'])}")
    against = len(result["against"])
    said = EXITS.get(result["exit_code"], "")
    lines += ["", f"{said}: {against} cells count against it (--fail-on {result['fail_on']})"]
    return "\n".join(lines)


def _migration(migration: Mapping[str, Any]) -> list[str]:
    atomic = "atomic" if migration["atomic"] else "can stop half way"
    lines = [f"{_view.WORDS[migration['worst']][0]:>12}  {migration['name']} ({atomic})"]
    worst = [c for c in migration["cells"] if c["grade"] == migration["worst"]]
    kinds = Counter((c["left"]["name"], c["heals"] or "nothing that was tried") for c in worst)
    for (state, heals), count in kinds.most_common(3):
        lines.append(f"{'':>14}{count} cells leave it {state}; heals: {one_line(heals, 100)}")
    return lines

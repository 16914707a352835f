"""A sweep as text for a terminal: the worst first, and what heals it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.reporting.sweep import _view
from harness.reporting.words import one_line, plural

MIGRATIONS = 12
EXITS = {
    0: "good enough",
    1: "not good enough",
    3: "not everything is known",
    5: "nothing was swept",
}


def text(result: Mapping[str, Any]) -> str:
    """Counts by grade, then the migrations with the most harmful cells."""
    lines = [
        _view.headline(result),
        one_line(f"{result['tool']} on {result['engine']} {result['server_version']}"),
        "",
    ]
    for grade, count in result["grades"].items():
        name, meaning = _view.WORDS[grade]
        lines.append(f"{count:>7}  {name:<12} {meaning}")
    ranked = sorted(result["migrations"], key=_view.loudness, reverse=True)
    quiet = _view.LOUDNESS.index("self-heals")
    told = [m for m in ranked if m["cells"] and _view.loudness(m) > quiet]
    if told:
        lines.append("")
    for migration in told[:MIGRATIONS]:
        lines += _migration(migration)
    if len(told) > MIGRATIONS:
        lines.append(f"  … and {len(told) - MIGRATIONS} more migrations, in the report")
    for migration in result["migrations"]:
        if migration["broken"]:
            name, why = one_line(migration["name"]), one_line(migration["broken"])
            lines.append(f"{name} fails by itself: {why}")
    for caveat in _view.caveats(result):
        lines += ["", one_line(caveat)]
    count = len(result["against"])
    against = f"{plural(count, 'cell')} count{'s' if count == 1 else ''}"
    last = f"{EXITS[result['exit_code']]}: {against} against it (--fail-on {result['fail_on']})"
    if result["unknown"]:
        last += f"; {len(result['unknown'])} unknown"
    lines += ["", last]
    return "\n".join(lines)


def _migration(migration: Mapping[str, Any]) -> list[str]:
    worst = migration["worst"]
    name = one_line(migration["name"])
    lines = [f"{_view.WORDS[worst][0]:>12}  {name} ({_view.stops(migration)})"]
    kinds = Counter(_view.told(cell) for cell in migration["cells"] if cell["grade"] == worst)
    for told, count in kinds.most_common(3):
        lines.append(f"{'':>14}{plural(count, 'cell')} {one_line(told, 120)}")
    return lines

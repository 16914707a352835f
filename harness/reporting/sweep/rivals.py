"""What two runs at once come to, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.reporting.words import one_line
from harness.sweep.points import OF_RIVALS, Way
from harness.sweep.results import CellResult, MigrationResult, SweepResult
from harness.sweep.rivalry import Meets, RivalSeen
from harness.sweep.verdicts import LOUDNESS
from harness.wire import LOCK

SAID = 120
"""Characters of a tool's last words."""
TELLING = re.compile(r"error:|exist|dirty|lock|timed? ?out|duplicate", re.IGNORECASE)
"""The line of a tool's last words that says most."""
NAMED = 3
TOLD = 8
"""Sentences about a whole sweep."""
"""Migrations that are named after a sentence."""


def cells(migration: MigrationResult) -> list[CellResult]:
    """Those of two runs at once that were struck, or follow by rule."""
    return [c for c in migration.cells if c.way in OF_RIVALS and not c.missed]


def told(cell: CellResult, *, brief: bool = False) -> str:
    """What became of two at once, in one sentence without its stop; ``brief``: no words of others,
    so that one sentence fits many migrations.
    """
    seen, way = cell.rival, cell.way
    parts = [_meets(seen, brief)]
    if way == Way.RIVAL_FIRST_KILLED:
        parts.append(f"when the first is killed {_second(seen, brief)}")
    elif way == Way.RIVAL_SECOND_KILLED:
        parts.append(f"killed while it waits, {_first(seen, brief)}")
    else:
        parts.append(_first(seen, brief))
        if not _is_over(seen):
            parts.append(_second(seen, brief))
    both = ", both find it pending" if cell.n == LOCK and seen.second_sent else ""
    return f"two at once{both}: {'; '.join([*parts, _left(cell, brief)])}"


def _is_over(seen: RivalSeen) -> bool:
    """The second had ended while the first was held."""
    return seen.meets in (Meets.ENDS_WELL, Meets.FAILS)


def _meets(seen: RivalSeen, brief: bool) -> str:
    """What the second comes to while the first is held."""
    if seen.meets == Meets.ENDS_WELL:
        return f"the second {'does the work' if seen.second_sent else 'finds nothing to do'}"
    if seen.meets == Meets.FAILS:
        return f"the second {_fails(seen.second_said, brief, ' at once')}"
    if seen.meets == Meets.WAITS:
        lock = seen.waits_for.partition(": ")[0] if brief else seen.waits_for
        return f"the second waits ({one_line(lock, SAID)})"
    if seen.meets == Meets.ASKS_AGAIN:
        asks = "" if brief else f": {one_line(seen.waits_for, SAID)}"
        return f"the second asks again and again{asks}"
    return "the second goes on and on"


def _first(seen: RivalSeen, brief: bool) -> str:
    if seen.hung == "first":
        return "the first waits for ever"
    if seen.first_status:
        return f"the first {_fails(seen.first_said, brief)}"
    if seen.meets == Meets.ENDS_WELL and seen.excluded and seen.second_sent:
        return "the first finds the work done"
    return "the first ends well"


def _second(seen: RivalSeen, brief: bool) -> str:
    if _is_over(seen):
        return "nothing changes"
    if seen.hung == "second":
        return f"the second waits for ever (given up after {seen.waited_s:g} s)"
    if seen.second_status:
        return f"the second {_fails(seen.second_said, brief)}"
    return f"the second {'does the work' if seen.second_sent else 'finds the work done'}"


def _fails(said: str, brief: bool, when: str = "") -> str:
    """An application that migrates as it starts does not start then."""
    lines = [line for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.search(line)] or lines
    words = f' with "{one_line(telling[-1], SAID)}"' if lines and not brief else ""
    return f"fails{when}{words}, and its application does not start"


def _left(cell: CellResult, brief: bool) -> str:
    seen, left = cell.rival, cell.left
    if seen.doubled:
        return f"applied twice{'' if brief else ': ' + '; '.join(seen.doubled)}"
    if left.name == "after":
        return "left as one run leaves it"
    return f"left it {left.name}"


def of_sweep(result: SweepResult) -> list[str]:
    """What two at once come to, each with how many migrations and their names, worst first."""
    found: dict[str, list[str]] = {}
    for migration in result.migrations:
        for sentence in dict.fromkeys(told(cell, brief=True) for cell in cells(migration)):
            found.setdefault(sentence, []).append(migration.name)
    total = sum(bool(cells(migration)) for migration in result.migrations)
    worst = {
        told(cell, brief=True): LOUDNESS.index(cell.grade)
        for m in result.migrations
        for cell in cells(m)
    }
    ordered = sorted(found, key=lambda sentence: -worst[sentence])
    told_ = [f"{sentence} ({_names(found[sentence], total)})" for sentence in ordered]
    more = len(told_) - TOLD
    return [*told_[:TOLD], *([f"two at once: {more} more, in the report"] if more > 0 else [])]


def _names(names: Sequence[str], total: int) -> str:
    if len(names) == total:
        return "every migration"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def lines(migration: MigrationResult) -> Iterator[tuple[str, str]]:
    """Each cell of two at once: its point, and what became of it."""
    for cell in cells(migration):
        rule = f" (by rule {cell.rule})" if cell.rule else ""
        yield cell.point, f"{told(cell)}{rule}"

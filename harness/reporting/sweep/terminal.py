"""A sweep as text for a terminal: the worst first, and what heals it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from harness.reporting.sweep import overview, rivals, view
from harness.reporting.words import one_line, plural
from harness.sweep.results import CellResult, MigrationResult, SweepResult
from harness.sweep.verdicts import Grade

MIGRATIONS = 12


def text(result: SweepResult) -> str:
    """Counts by grade, then the migrations with the most harmful cells, then the verdict."""
    return "\n".join(_lines(result))


def _lines(result: SweepResult) -> Iterator[str]:
    yield one_line(overview.headline(result), 440)
    yield one_line(f"{result.tool} on {result.engine} {result.server_version}")
    if by_rule := overview.by_rule(result):
        yield one_line(by_rule, 300)
    if in_one_run := overview.in_one_run(result):
        yield one_line(in_one_run, 300)
    if result.grades:
        yield ""
    for grade, count in result.grades.items():
        told = view.GRADES[grade]
        yield f"{count:>7}  {told.word:<12} {told.means}"
    ways_down = view.ways_down(result)
    if ways_down:
        yield ""
    for leads, names in ways_down:
        yield f"rollback {leads}: {one_line(names, 300)}"
    two_at_once = rivals.of_sweep(result)
    if two_at_once:
        yield ""
    for sentence in two_at_once:
        yield one_line(sentence, 400)
    usual = [m for m in view.worth_telling(result) if view.asks_only_for_its_tool(result, m)]
    worth_telling = [m for m in view.worth_telling(result) if m not in usual]
    if worth_telling or usual:
        yield ""
    for migration in worth_telling[:MIGRATIONS]:
        yield from _migration(result, migration)
    if len(worth_telling) > MIGRATIONS:
        yield f"  … and {len(worth_telling) - MIGRATIONS} more migrations, in the report"
    if usual:
        yield from _usual(usual)
    for migration in result.broken:
        yield f"{one_line(migration.name)} fails by itself: {one_line(migration.broken)}"
    for caveat in overview.caveats(result):
        yield ""
        yield one_line(caveat)
    yield ""
    yield view.verdict_on(result)


def _usual(migrations: Sequence[MigrationResult]) -> Iterator[str]:
    """What the tool needs after a crash of any of them; the numbers are the migration's own."""
    heals = Counter(
        re.sub(r"-?\d+", "…", cell.heals)
        for migration in migrations
        for cell in migration.every_cell
        if cell.grade is Grade.TOOL_REPAIR
    )
    many = f"{plural(len(migrations), 'migration')}, for the tool's own sake"
    yield f"{view.GRADES[Grade.TOOL_REPAIR].word:>14}  {many}; each line is in plan.md"
    for name, count in heals.most_common(3):
        yield f"{'':>16}{plural(count, 'cell')}: {one_line(name, 120)}"


def _migration(result: SweepResult, migration: MigrationResult) -> Iterator[str]:
    worst = view.loudest(result, migration)
    name = one_line(migration.name)
    yield f"{view.GRADES[worst].word:>14}  {name} ({view.stops(migration)})"
    for _, says in view.findings(result, migration):
        yield f"{'':>16}{one_line(says, 300)}"
    kinds = Counter(_told(cell) for cell in migration.every_cell if cell.grade is worst)
    for told, count in kinds.most_common(3):
        yield f"{'':>16}{plural(count, 'cell')} {one_line(told, 120)}"


def _told(cell: CellResult) -> str:
    return rivals.told(cell) if cell.rival.meets else view.told(cell)

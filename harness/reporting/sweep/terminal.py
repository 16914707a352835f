"""A sweep as text for a terminal: what it asks of a person, the worst first; then the figures."""

from __future__ import annotations

from collections.abc import Iterator

from harness.reporting.sweep import overview, prose, rivals, sentences, view
from harness.reporting.sweep.grades import GRADES
from harness.reporting.words import one_line
from harness.sweep.results import SweepResult

NEEDS = 12
LIMIT = 440
"""Characters of one line."""


def text(result: SweepResult) -> str:
    """What each migration asks for, counts by grade, then the verdict."""
    return "\n".join(_lines(result))


def _lines(result: SweepResult) -> Iterator[str]:
    yield from _needs(result)
    yield one_line(overview.headline(result), LIMIT)
    yield one_line(f"{result.tool} on {result.engine} {result.server_version}")
    if by_rule := overview.by_rule(result):
        yield one_line(by_rule, 300)
    if in_one_run := overview.in_one_run(result):
        yield one_line(in_one_run, 300)
    if result.grades:
        yield ""
    for grade, count in result.grades.items():
        told = GRADES[grade]
        yield f"{count:>7}  {told.word:<12} {told.means}"
    ways_down = overview.ways_down(result)
    if ways_down:
        yield ""
    for leads, names in ways_down:
        yield f"rollback {leads}: {one_line(names, 300)}"
    two_at_once = rivals.of_sweep(result)
    if two_at_once:
        yield ""
    for sentence in two_at_once:
        yield one_line(sentence, 400)
    for caveat in overview.caveats(result):
        yield ""
        yield one_line(caveat)
    yield ""
    yield view.verdict_on(result)


def _needs(result: SweepResult) -> Iterator[str]:
    """A line a need; those that need nothing are counted."""
    needs, quiet = sentences.needs(result), sentences.quiet(result)
    for need in needs[:NEEDS]:
        yield one_line(f"{need.told.sign} {prose.as_text(need.prose)}", LIMIT)
    if len(needs) > NEEDS:
        yield f"  … and {len(needs) - NEEDS} more, in the report"
    for line in quiet:
        yield one_line(f"✓ {prose.as_text(line)}", LIMIT)
    if needs or quiet:
        yield ""

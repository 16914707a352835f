"""A rollback run as a table for a terminal: the worst first, with a sentence where one helps."""

from __future__ import annotations

from collections.abc import Iterator

from harness.reporting.rollback import sentences
from harness.reporting.words import one_line
from harness.rollback.results import RollbackResult

LIMIT = 440
SHOWN = 60
"""Migrations in the table."""


def text(result: RollbackResult) -> str:
    """The table, the counts, where SQL and measurement disagree, and the verdict."""
    return "\n".join(_lines(result))


def _lines(result: RollbackResult) -> Iterator[str]:
    every = sentences.ordered(result)
    shown = every[:SHOWN]
    wide = max((len(one_line(one.name, 50)) for one in shown), default=0)
    for one in shown:
        sign = sentences.sign(result, one)
        yield f"{sign} {one_line(one.name, 50):<{wide}}  {sentences.word(result, one)}"
        if says := sentences.sentence(result, one):
            yield f"    {one_line(says, LIMIT)}"
    if len(every) > len(shown):
        yield f"… and {len(every) - len(shown)} more, in rollback.md"
    if every:
        yield ""
    for one in sentences.disagreements(result):
        yield one_line(f"≠ {one.name}: {one.disagrees}", LIMIT)
    yield one_line(sentences.headline(result), LIMIT)
    yield one_line(f"{result.tool} on {result.engine} {result.server_version}")
    for caveat in sentences.caveats(result):
        yield one_line(caveat, LIMIT)
    yield ""
    yield sentences.last_line(result)

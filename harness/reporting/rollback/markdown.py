"""rollback.md: each migration under "true rollback" or "irreversible", with its evidence."""

from __future__ import annotations

from harness.reporting import Format
from harness.reporting.rollback import sentences
from harness.reporting.templating import environment
from harness.rollback.results import MigrationBack, RollbackResult, Verdict

FILE_NAME = "rollback.md"
SECTIONS: tuple[tuple[str, str, tuple[Verdict, ...]], ...] = (
    (
        "✗ Not a rollback (it is there, and does not lead back)",
        "",
        (Verdict.LIES, Verdict.BROKEN),
    ),
    ("? Not known", "", (Verdict.UNKNOWN,)),
    (
        "✗ Irreversible changes (cannot rollback)",
        "Fix forward: nothing leads back from these.",
        (Verdict.NO_WAY_DOWN, Verdict.DECLARED),
    ),
    (
        "✓ True rollbacks (safe to revert)",
        "**Condition**: what the application has written into what only the way up brought is "
        "lost.",
        (Verdict.TRUE,),
    ),
)
OF_STATIC = (
    ("✗ Can lose data", "", (Verdict.LIES,)),
    ("? Not told by the SQL", "", (Verdict.UNKNOWN,)),
    SECTIONS[2],
    ("Nothing found in the SQL", "Nothing was executed.", (Verdict.NOTHING_FOUND,)),
)
SQUAWKS = 8
"""Findings of squawk that are told of a migration."""


def render(result: RollbackResult) -> str:
    """The sections that have a migration."""
    found = []
    for title, says, verdicts in OF_STATIC if result.static else SECTIONS:
        its = [one for one in sentences.ordered(result) if result.verdict_of(one) in verdicts]
        if its:
            found.append((title, says, its))
    return (
        environment()
        .get_template("rollback.md.j2")
        .render(
            result=result,
            sections=found,
            sentences=sentences,
            headline=sentences.headline(result),
            caveats=list(sentences.caveats(result)),
            squawks=_squawks,
        )
    )


def _squawks(one: MigrationBack) -> list[str]:
    told = list(one.foretold.squawk)
    more = [f"and {len(told) - SQUAWKS} more"] if len(told) > SQUAWKS else []
    return [*told[:SQUAWKS], *more]


KIND = Format(FILE_NAME, render)

"""sweep.md: what fits the step summary of a CI job."""

from __future__ import annotations

from harness.reporting import Format
from harness.reporting.sweep import grades, overview, prose, rivals, sentences, view
from harness.reporting.templating import environment
from harness.sweep.results import SweepResult

FILE_NAME = "sweep.md"
MIGRATIONS = 300
DETAILED = 20
NEEDS = 40


def render(result: SweepResult) -> str:
    """Counts, one line a migration, and the matrix of those that are worst."""
    detailed = view.worth_telling(result)
    needs = sentences.needs(result)
    return (
        environment()
        .get_template("sweep.md.j2")
        .render(
            result=result,
            view=view,
            grades=grades,
            needs=needs[:NEEDS],
            more_needs=max(0, len(needs) - NEEDS),
            quiet=sentences.quiet(result),
            prose=prose,
            rivals=rivals,
            headline=overview.headline(result),
            by_rule=overview.by_rule(result),
            in_one_run=overview.in_one_run(result),
            caveats=overview.caveats(result),
            listed=result.migrations[:MIGRATIONS],
            left_out=max(0, len(result.migrations) - MIGRATIONS),
            detailed=detailed[:DETAILED],
            not_detailed=max(0, len(detailed) - DETAILED),
        )
    )


KIND = Format(FILE_NAME, render)

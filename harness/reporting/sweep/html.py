"""sweep.html: the crash matrix on one page that needs no network and no script."""

from __future__ import annotations

from harness.reporting import Format
from harness.reporting.sweep import grades, overview, prose, rivals, sentences, view
from harness.reporting.templating import asset, environment
from harness.sweep.results import SweepResult

FILE_NAME = "sweep.html"
OPEN_AT_ONCE = 6


def render(result: SweepResult) -> str:
    """The page; migrations with the most harmful cells first."""
    migrations = sorted(result.migrations, key=lambda m: (not m.broken, -view.loudness(result, m)))
    return (
        environment()
        .get_template("sweep.html.j2")
        .render(
            result=result,
            css=asset("style.css"),
            own_css=asset("sweep.css"),
            view=view,
            grades=grades,
            rivals=rivals,
            overall=overview.overall(result),
            needs=sentences.needs(result),
            quiet=sentences.quiet(result),
            prose=prose,
            headline=overview.headline(result),
            by_rule=overview.by_rule(result),
            in_one_run=overview.in_one_run(result),
            caveats=overview.caveats(result),
            atomic=sum(view.stops(m) == "atomic" for m in result.migrations),
            places={m.version: place for place, m in enumerate(result.migrations)},
            migrations=migrations,
            open_at_once=OPEN_AT_ONCE,
        )
    )


KIND = Format(FILE_NAME, render)

"""summary.md: what fits a pull request comment or the step summary of a CI job."""

from __future__ import annotations

from harness.drill.results import RunResult
from harness.reporting import Format
from harness.reporting.run.outcomes import headline, sign, tally, wanted, worst_first
from harness.reporting.run.record_view import Events
from harness.reporting.templating import environment

FILE_NAME = "summary.md"

LIMIT_BYTES = 900 * 1024
"""GitHub drops a whole step summary above 1 MiB."""
TABLE_ROWS = 200
PROBLEMS = 50


def render(run: RunResult, events: Events) -> str:
    """Counts, a table, and each trial that did not come out right with its re-run line."""
    trials = worst_first(run.last_attempts())
    problems = [trial for trial in trials if not trial.as_expected]
    text = (
        environment()
        .get_template("summary.md.j2")
        .render(
            run=run,
            sign=sign,
            wanted=wanted,
            headline=headline(trials),
            counts=tally(trials),
            trials=trials[:TABLE_ROWS],
            rows_left_out=max(0, len(trials) - TABLE_ROWS),
            problems=problems[:PROBLEMS],
            problems_left_out=max(0, len(problems) - PROBLEMS),
        )
    )
    return _capped(text)


def _capped(text: str) -> str:
    raw = text.encode("utf-8")
    if len(raw) <= LIMIT_BYTES:
        return text
    kept = raw[: LIMIT_BYTES - 200].decode("utf-8", "ignore").rsplit("\n", 1)[0]
    return f"{kept}\n\n(cut here: the whole is in report.html)\n"


KIND = Format(FILE_NAME, render)

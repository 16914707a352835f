"""summary.md: what fits a pull request comment or the step summary of a CI job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.record.timeline import Event
from harness.reporting import Format
from harness.reporting.run.record_view import claim_names, settled
from harness.reporting.templating import environment
from harness.reporting.words import SIGNS, headline, is_counter_check, sign, tally

FILE_NAME = "summary.md"

LIMIT_BYTES = 900 * 1024
"""GitHub drops a whole step summary above 1 MiB."""
TABLE_ROWS = 200
PROBLEMS = 50


def render(run: Mapping[str, Any], events: Callable[[str], Sequence[Event]]) -> str:
    """Counts, a table, and each trial that did not come out right with its re-run line."""
    value = settled(run)
    trials = sorted(
        value["trials"] or [], key=lambda t: (bool(t["as_expected"]), _rank(t["verdict"]))
    )
    problems = [trial for trial in trials if not trial["as_expected"]]
    text = (
        environment()
        .get_template("summary.md.j2")
        .render(
            run=value,
            sign=sign,
            headline=headline(trials),
            counts=tally(trials),
            trials=trials[:TABLE_ROWS],
            rows_left_out=max(0, len(trials) - TABLE_ROWS),
            problems=[
                (trial, claim_names(trial["failed_claims"])) for trial in problems[:PROBLEMS]
            ],
            problems_left_out=max(0, len(problems) - PROBLEMS),
            is_counter_check=is_counter_check,
        )
    )
    return _capped(text)


def _rank(verdict: Any) -> int:
    return list(SIGNS).index(verdict) if verdict in SIGNS else len(SIGNS)


def _capped(text: str) -> str:
    raw = text.encode("utf-8")
    if len(raw) <= LIMIT_BYTES:
        return text
    kept = raw[: LIMIT_BYTES - 200].decode("utf-8", "ignore").rsplit("\n", 1)[0]
    return f"{kept}\n\n(cut here: the whole is in report.html)\n"


KIND = Format(FILE_NAME, render)

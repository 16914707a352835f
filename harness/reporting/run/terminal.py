"""The last thing a terminal shows: a table of the finished run.

It is no file, so it has no ``FILE_NAME``.
"""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.drill.results import RunResult, TrialResult
from harness.reporting.run.outcomes import sign, tally
from harness.reporting.words import duration, one_line, plural


def text(run: RunResult, stream: IO[str] | None = None) -> str:
    """A table with colours if ``stream`` (standard output) is a terminal, else plain lines.

    NO_COLOR is respected; the text has no line break at its end.
    """
    console = Console(file=stream or sys.stdout, highlight=False)
    if not console.is_terminal:
        return plain(run).rstrip("\n")
    with console.capture() as captured:
        _show_table(run, console)
    return captured.get().rstrip("\n")


def plain(run: RunResult) -> str:
    """One line per trial, then those that did not come out right, then the verdict."""
    trials = run.last_attempts()
    width = max((len(one_line(trial.id, 160)) for trial in trials), default=0)
    lines = [
        f"{sign(trial.outcome).glyph} {trial.outcome:12} {one_line(trial.id, 160):{width}}  "
        f"{duration(trial.rto.total_ms):>9}  {one_line(trial.sentence, 240)}".rstrip()
        for trial in trials
    ]
    lines += [f"again: {one_line(trial.rerun, 500)}" for trial in _unexpected(run)]
    lines.append(_last_line(run))
    return "\n".join(lines) + "\n"


def _show_table(run: RunResult, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("trial", overflow="fold")
    table.add_column("RTO", justify="right", no_wrap=True)
    table.add_column("what happened", overflow="fold")
    for trial in run.last_attempts():
        told = sign(trial.outcome)
        table.add_row(
            Text(f"{told.glyph} {trial.outcome}", style=told.colour),
            Text(one_line(trial.id, 160)),
            Text(duration(trial.rto.total_ms)),
            Text(one_line(trial.sentence, 240), style="dim"),
        )
    console.print(table)
    for trial in _unexpected(run):
        console.print(Text("again: ", style="dim") + Text(one_line(trial.rerun, 500)))
    console.print(Text(_last_line(run), style=sign(run.verdict).colour))


def _unexpected(run: RunResult) -> list[TrialResult]:
    return [trial for trial in run.last_attempts() if not trial.as_expected]


def _last_line(run: RunResult) -> str:
    trials = run.last_attempts()
    counts = ", ".join(f"{n} {told.outcome}" for told, n in tally(trials))
    never = f"; {len(run.unfinished)} never run" if run.unfinished else ""
    return (
        f"{run.verdict}: {plural(len(trials), 'trial')} in {duration(run.took_ms)}; {counts}{never}"
    )

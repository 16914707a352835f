"""The last thing a terminal shows: a table of the finished run.

It is no file, so it has no ``FILE_NAME``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.reporting.run.record_view import settled
from harness.reporting.words import call_it, duration, one_line, plural, sign, tally, unfinished

COLOURS = {
    "PASS": "green",
    "FAIL": "bold red",
    "ERROR": "bold yellow",
    "INCONCLUSIVE": "magenta",
    "ABORTED": "bright_black",
}


def text(run: Mapping[str, Any], stream: IO[str] | None = None) -> str:
    """A table with colours if ``stream`` (standard output) is a terminal, else plain lines.

    NO_COLOR is respected; the text has no line break at its end.
    """
    console = Console(file=stream or sys.stdout, highlight=False)
    if not console.is_terminal:
        return plain(run).rstrip("\n")
    with console.capture() as captured:
        _show_table(run, console)
    return captured.get().rstrip("\n")


def plain(run: Mapping[str, Any]) -> str:
    """One line per trial, then those that did not come out right, then the verdict."""
    trials = settled(run)["trials"]
    width = max((len(one_line(t.get("id"), 160)) for t in trials), default=0)
    lines = [
        f"{_glyph(t)} {call_it(t):22} {one_line(t.get('id'), 160):{width}}  "
        f"{duration(_rto(t)):>9}  {one_line(t.get('sentence'), 240)}".rstrip()
        for t in trials
    ]
    for trial in _unexpected(run):
        lines.append(f"again: {one_line(trial.get('rerun'), 500)}")
    lines.append(_last_line(run))
    return "\n".join(lines) + "\n"


def _show_table(run: Mapping[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("trial", overflow="fold")
    table.add_column("RTO", justify="right", no_wrap=True)
    table.add_column("what happened", overflow="fold")
    for trial in settled(run)["trials"]:
        told = sign(trial.get("verdict"))
        colour = "cyan" if call_it(trial) != told.verdict else COLOURS.get(told.verdict, "")
        table.add_row(
            Text(f"{_glyph(trial)} {call_it(trial)}", style=colour),
            Text(one_line(trial.get("id"), 160)),
            Text(duration(_rto(trial))),
            Text(one_line(trial.get("sentence"), 240), style="dim"),
        )
    console.print(table)
    for trial in _unexpected(run):
        console.print(Text("again: ", style="dim") + Text(one_line(trial.get("rerun"), 500)))
    style = COLOURS.get(str(run.get("verdict")), "")
    console.print(Text(_last_line(run), style=style))


def _glyph(trial: Mapping[str, Any]) -> str:
    return "✓" if trial.get("as_expected") else sign(trial.get("verdict")).glyph


def _rto(trial: Mapping[str, Any]) -> float | None:
    return (trial.get("rto") or {}).get("total_ms")


def _unexpected(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [t for t in settled(run)["trials"] if not t.get("as_expected")]


def _last_line(run: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{n} {s.verdict}" for s, n in tally(settled(run)["trials"]))
    trials = plural(len(settled(run)["trials"]), "trial")
    never = f"; {len(unfinished(run))} never run" if unfinished(run) else ""
    took = duration(run.get("took_ms"))
    return f"{one_line(run.get('verdict'))}: {trials} in {took}; {counts}{never}"

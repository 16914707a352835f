"""Commands that read an old run: ``report`` renders it again, ``replay`` judges it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli import selection
from harness.cli.rendering import (
    is_rollback,
    is_sweep,
    render_all,
    render_rollback,
    render_sweep,
    swept_before,
)
from harness.drill import results
from harness.errors import UsageError
from harness.record import timeline
from harness.record.run_folder import EVENTS, RunFolder
from harness.record.timeline import Event
from harness.reporting.rollback import terminal as rollback_terminal
from harness.reporting.run import terminal
from harness.reporting.run.outcomes import in_words
from harness.reporting.sweep import terminal as sweep_terminal
from harness.rollback import results as rollback_results

LONG = ("text", "before", "now")
"""Fields that no terminal shows: logs and query plans."""


def _folder(run: str, out: Path | None) -> RunFolder:
    direct = Path(run)
    return RunFolder.open(direct if direct.is_dir() else selection.out_folder(out) / run)


@click.command(short_help="Make the reports of a run again, from its events.")
@click.argument("run", default="latest", metavar="[RUN]")
@click.option("--out", type=click.Path(path_type=Path), help="Where run folders are.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML there, too.")
def report(run: str, out: Path | None, junit: Path | None) -> int:
    """Make every report of a run again from its events, also when the run was killed."""
    folder = _folder(run, out)
    if is_rollback(folder):
        back = rollback_results.of_folder(folder)
        render_rollback(folder, back, junit)
        click.echo(rollback_terminal.text(back))
        return 0
    if is_sweep(folder):
        result = swept_before(folder)
        render_sweep(folder, result, junit)
        click.echo(sweep_terminal.text(result))
        selection.say(f"report: {folder.path / 'sweep.html'}")
        return 0
    run_result = results.of_folder(folder)
    render_all(folder, run_result, junit)
    click.echo(terminal.text(run_result))
    selection.say(f"report: {folder.path / 'report.html'}")
    return 0


@click.command(short_help="Judge a run again, or tell one trial event by event.")
@click.argument("run", default="latest", metavar="[RUN]")
@click.option("--trial", help="Tell one trial event by event.")
@click.option("--out", type=click.Path(path_type=Path), help="Where run folders are.")
def replay(run: str, trial: str | None, out: Path | None) -> int:
    """Judge a run again from its record alone; the exit code is that of the verdict."""
    folder = _folder(run, out)
    if trial is not None and is_rollback(folder):
        raise UsageError(f"{folder.path} has no trials; leave out --trial")
    if is_rollback(folder):
        back = rollback_results.of_folder(folder)
        click.echo(rollback_terminal.text(back))
        return back.exit_code
    if is_sweep(folder):
        if trial is not None:
            raise UsageError(f"{folder.path} is a sweep, which has no trials; leave out --trial")
        swept = swept_before(folder)
        click.echo(sweep_terminal.text(swept))
        return swept.exit_code
    result = results.of_folder(folder)
    if trial is None:
        click.echo(terminal.text(result))
        return result.exit_code
    found = [item for item in result.trials if item.id == trial]
    if not found:
        known = "\n  ".join(item.id for item in result.trials[:10])
        raise UsageError(f"no trial {trial!r} in {folder.path}; there are, for instance\n  {known}")
    for event in timeline.read(folder.trial_folder(trial, found[-1].attempt) / EVENTS):
        click.echo(_line(event))
    click.echo(in_words(found[-1]))
    return 0


def _line(event: Event[Any]) -> str:
    """One event on one line; what is long is left to the file."""
    word = f"{event.what.KIND}.{event.edge}" if event.edge else event.what.KIND
    told = {k: v for k, v in vars(event.what).items() if k not in LONG}
    return f"{event.t_ns / 1e6:>10.1f} ms  {event.what.LANE:<12} {word:<16} {told}"

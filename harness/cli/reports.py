"""Commands that read an old run: ``report`` renders it again, ``replay`` judges it again."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import selection
from harness.cli.rendering import is_sweep, render_all, render_sweep, swept_before
from harness.errors import UsageError
from harness.record.run_folder import RunFolder
from harness.reporting.run import terminal
from harness.reporting.sweep import terminal as crash_terminal


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
    if is_sweep(folder):
        result = swept_before(folder)
        render_sweep(folder, result, junit)
        click.echo(crash_terminal.text(result))
        selection.say(f"report: {folder.path / 'sweep.html'}")
        return 0
    result = folder.rebuild()
    render_all(folder, result, junit)
    click.echo(terminal.text(result))
    selection.say(f"report: {folder.path / 'report.html'}")
    return 0


@click.command(short_help="Judge a run again, or tell one trial event by event.")
@click.argument("run", default="latest", metavar="[RUN]")
@click.option("--trial", help="Tell one trial event by event.")
@click.option("--out", type=click.Path(path_type=Path), help="Where run folders are.")
def replay(run: str, trial: str | None, out: Path | None) -> int:
    """Judge a run again from its record alone; the exit code is that of the verdict."""
    folder = _folder(run, out)
    if is_sweep(folder):
        if trial is not None:
            raise UsageError(f"{folder.path} is a sweep, which has no trials; leave out --trial")
        result = swept_before(folder)
        click.echo(crash_terminal.text(result))
        return result["exit_code"]
    result = folder.rebuild()
    if trial is None:
        click.echo(terminal.text(result))
        return result["exit_code"]
    found = [item for item in result["trials"] if item["id"] == trial]
    if not found:
        known = "\n  ".join(item["id"] for item in result["trials"][:10])
        raise UsageError(f"no trial {trial!r} in {folder.path}; there are, for instance\n  {known}")
    for event in folder.events(trial, found[-1]["attempt"]):
        data = {k: v for k, v in event.data.items() if k not in ("text", "plan", "log")}
        click.echo(f"{event.t_ns / 1e6:>10.1f} ms  {event.lane:<12} {event.kind:<16} {data}")
    click.echo(f"{found[-1]['verdict']}: {found[-1]['sentence']}")
    return 0

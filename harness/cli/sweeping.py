"""``mdrill sweep``."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from harness import loading
from harness.cli import (
    folder_commands,
    rendering,
    resuming,
    selection,
    sweep_selection,
    sweep_start,
)
from harness.cli.folder_commands import of_a_folder
from harness.cli.signals import postponed
from harness.cli.sweep_options import SweepOptions
from harness.cli.sweep_progress import SweepProgress
from harness.cli.sweep_selection import SweepPlan
from harness.errors import UsageError
from harness.record.run_folder import RunFolder, new_run_id
from harness.record.timeline import Timeline
from harness.reporting.sweep import terminal
from harness.sweep import seeding, threshold
from harness.sweep.budget import Budget, Task, task
from harness.sweep.events import FILE_NAME
from harness.sweep.points import Way
from harness.sweep.results import SweepHeader
from harness.sweep.resumption import Known
from harness.sweep.state_before import StateMoved
from harness.sweep.sweep import Sweep, SweepScope
from harness.sweep.sweep_server import SweepServer
from harness.sweep.verdicts import HARM
from harness.tools.by_hand import ByHand


@click.command(short_help="Crash your own migrations at every point.")
@of_a_folder
@click.option(
    "--ways",
    multiple=True,
    type=click.Choice([way.value for way in Way]),
    help="Only these ways of dying (repeatable).",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=min(4, os.cpu_count() or 1),
    help="Runs at once, each on a database of its own.",
)
@click.option(
    "--exhaustive",
    is_flag=True,
    help="Strike every crash point, also those that leave what another one leaves.",
)
@click.option(
    "--budget",
    metavar="DURATION",
    help="How long it may take, e.g. 2m: the most harmful first; what is left out is told.",
)
@click.option(
    "--no-cache",
    is_flag=True,
    help="Run the migrations before the first one that is swept, also if their state is kept.",
)
@click.option(
    "--resume", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a sweep."
)
@click.option(
    "--fail-on",
    default="loses-data",
    type=click.Choice([grade.value for grade in HARM]),
    help="Exit 1 if a cell is that bad or worse (default: loses-data).",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="A sweep.json of before: exit 1 only for cells that got worse.",
)
def sweep(**given: Any) -> int:
    """Run each migration of a folder, kill it at every point, and find out what heals it."""
    options = SweepOptions(**given)
    if options.resume:
        earlier = resuming.take_up(options.resume)
        now = {"resume": options.resume, "as_json": options.as_json, **earlier.chosen}
        options = SweepOptions(**{**earlier.wishes, **now})
        planned = sweep_selection.plan(_path(options), options)
        earlier.check_folder(planned)
        return execute(planned, options, earlier)
    return execute(sweep_selection.plan(_path(options), options), options)


def _path(options: SweepOptions) -> Path:
    if options.path is None:
        raise UsageError("name a folder of migrations, or --resume a sweep; see mdrill sweep -h")
    return options.path


# ---------------------------------------------------------------------- doing it


def execute(
    planned: SweepPlan, options: SweepOptions, earlier: resuming.Earlier | None = None
) -> int:
    """Start a server, sweep, render, tell; returns the exit code."""
    begun = time.monotonic()
    before = threshold.baseline(options.baseline) if options.baseline else None
    run_id = options.resume.resolve().name if options.resume else new_run_id()
    scope = _scope(planned, options, run_id, earlier.known if earlier else Known())
    opened: list[tuple[RunFolder, SweepHeader]] = []
    stopped: BaseException | None = None
    try:
        try:
            _on_a_server(planned, options, scope, earlier, opened)
        except StateMoved as moved:
            selection.say(
                f"the state before {planned.chosen[0]} is made anew and not kept: {moved}"
            )
            options = replace(options, no_cache=True)
            _on_a_server(planned, options, scope, earlier, opened)
    except BaseException as error:
        stopped = error
        if not opened:
            raise
    folder, header = opened[0]
    with postponed():
        took_ms = header.took_ms + (time.monotonic() - begun) * 1000
        ended = folder_commands.ended(stopped)
        folder.write_header(asdict(replace(header, took_ms=took_ms, **ended)))
        return finish(folder, options, before, stopped)


def _on_a_server(
    planned: SweepPlan,
    options: SweepOptions,
    scope: SweepScope,
    earlier: resuming.Earlier | None,
    opened: list[tuple[RunFolder, SweepHeader]],
) -> None:
    """Sweep on a server of its own; ``opened`` gets the run's folder as soon as it is there."""
    with sweep_start.server(planned, options, scope.draw) as (server, why, start):
        if earlier:
            earlier.check_server(server.facts.version)
        if not opened:
            folder = _folder(options, scope.draw)
            header = (
                earlier.header if earlier else _header(planned, options, scope.draw, server, why)
            )
            folder.write_header(asdict(header))
            opened.append((folder, header))
            selection.say(f"record in {folder.path}")
        scope = replace(scope, start=start)
        _sweep(planned, scope, server, opened[0][0], earlier.known if earlier else Known())


def _scope(planned: SweepPlan, options: SweepOptions, run_id: str, known: Known) -> SweepScope:
    return SweepScope(
        options.rows,
        options.jobs,
        frozenset(map(Way, options.ways)) or frozenset(Way),
        planned.chosen,
        seeding.seed(options.seed_sql, planned.engine.dialect),
        planned.dump,
        options.exhaustive,
        run_id,
        _budget(options, _tasks(planned, known)),
    )


def _tasks(planned: SweepPlan, known: Known) -> list[Task]:
    """What is to be swept, in the order of the folder, and how much that is."""
    todo = set(planned.chosen) - known.finished
    return [task(m, planned.engine, planned.tool) for m in planned.migrations if m.version in todo]


def _budget(options: SweepOptions, tasks: Sequence[Task]) -> Budget | None:
    """It begins now. UsageError for what is no duration."""
    if options.budget is None:
        return None
    ms = loading.ms_of(options.budget)
    if not ms:
        raise UsageError(
            f"--budget wants a duration with its unit, such as 30s, 2m or 1h; found "
            f"{options.budget!r}"
        )
    return Budget(ms / 1000, tasks)


def _sweep(
    planned: SweepPlan, scope: SweepScope, server: SweepServer, folder: RunFolder, known: Known
) -> None:
    """Sweep the folder, and tell how it goes."""
    client = folder_commands.client(planned, server)
    cells = {one.version: one.cells for one in _tasks(planned, known)}
    progress = SweepProgress(len(planned.chosen), cells, scope.budget)
    record = Timeline(folder.path / FILE_NAME, progress.news, continued=True)
    record.redact(server.address.password)
    by_hand = ByHand(
        planned.tool, planned.engine, planned.folder, planned.named, planned.migrations
    )
    sweep_ = Sweep(server, planned.tool, client, by_hand, planned.migrations, record, scope, known)
    try:
        with progress:
            sweep_.run()
    finally:
        with postponed():
            record.close()
            client.close()


def finish(
    folder: RunFolder,
    options: SweepOptions,
    before: threshold.Baseline | None,
    stopped: BaseException | None,
) -> int:
    """Write every report of what was done; the exit code."""
    result = rendering.swept(folder, before)
    rendering.render_sweep(folder, result, options.junit)
    with suppress(OSError):
        text = folder.path / "sweep.json"
        click.echo(text.read_text("utf-8") if options.as_json else terminal.text(result))
        selection.say(f"report: {folder.path / 'sweep.html'}")
    if stopped or result.left_out:
        selection.say(f"go on with: mdrill sweep --resume {shlex.quote(str(folder.path))}")
    if stopped:
        raise stopped
    return result.exit_code


def _folder(options: SweepOptions, run_id: str) -> RunFolder:
    if options.resume:
        return RunFolder.open(options.resume)
    return RunFolder.create(selection.out_folder(options.out), run_id)


def _header(
    planned: SweepPlan, options: SweepOptions, run_id: str, server: SweepServer, why: str
) -> SweepHeader:
    return SweepHeader(
        **folder_commands.header(planned, run_id, server, why),
        sweep=folder_commands.wishes(planned, options, server.engine.label),
        prints=resuming.prints(planned),
    )

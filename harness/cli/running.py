"""``mdrill run`` and ``mdrill teeth``."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from harness import __version__
from harness.cli import selection
from harness.cli.rendering import render_all
from harness.cli.run_progress import RunProgress
from harness.cli.signals import postponed
from harness.drill import plan, results
from harness.drill.campaign import Campaign
from harness.drill.results import Host, Missing, RunHeader, TrialResult
from harness.errors import DrillError, Interrupted, NothingSelected
from harness.model import Drill, Scenario
from harness.ports import Backend, Engine
from harness.record.run_folder import RunFolder, new_run_id
from harness.reporting.run import terminal


@dataclass(frozen=True)
class RunOptions:
    """The options that ``run``, ``teeth`` and ``practice`` share."""

    backend: str = "auto"
    image: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    seed: int | None = None
    trial_seed: int | None = None
    rows: int | None = None
    repeat: int | None = None
    attempts: int | None = None
    jobs: int = 0
    shard: str | None = None
    out: Path | None = None
    as_json: bool = False
    junit: Path | None = None


Command = Callable[..., Any]
OPTIONS: dict[str, Callable[[Command], Command]] = {
    "backend": click.option(
        "--backend",
        type=click.Choice(["auto", "docker", "local"]),
        default="auto",
        help="Where servers come from; auto takes Docker if it answers, else local processes.",
    ),
    "image": click.option(
        "--image", multiple=True, metavar="ENGINE=IMAGE", help="E.g. postgres=postgres:16."
    ),
    "engine": click.option(
        "--engine",
        multiple=True,
        metavar="ENGINE[:VERSION]",
        help="Only this engine, e.g. postgres:17 (repeatable, or with commas).",
    ),
    "only": click.option(
        "--only",
        multiple=True,
        metavar="PATTERN",
        help="Only trials whose id begins with it or matches it as a shell pattern (repeatable).",
    ),
    "seed": click.option("--seed", type=int, help="Repeat a run: every choice is drawn from it."),
    "trial_seed": click.option("--trial-seed", type=int, help="Repeat one trial by its own seed."),
    "rows": click.option(
        "--rows",
        type=click.IntRange(min=2000),
        help="Rows in each generated table, where a scenario does not need more.",
    ),
    "repeat": click.option("--repeat", type=click.IntRange(min=1), help="Run all so many times."),
    "attempts": click.option(
        "--attempts", type=click.IntRange(min=1), help="Tries of an INCONCLUSIVE trial."
    ),
    "jobs": click.option("--jobs", type=int, default=0, help="Servers at once; one per engine."),
    "shard": click.option("--shard", metavar="I/N", help="Run the I-th of N parts."),
    "out": click.option("--out", type=click.Path(path_type=Path), help="Where run folders go."),
    "as_json": click.option("--json", "as_json", is_flag=True, help="Print run.json on stdout."),
    "junit": click.option(
        "--junit", type=click.Path(path_type=Path), help="Write JUnit XML there, too."
    ),
}
ONE_TRIAL = ("trial_seed", "repeat", "attempts", "jobs", "shard")
"""RunOptions that make no sense where a single trial is run together with a person."""


def with_options(*without: str) -> Callable[[Command], Command]:
    """Give a command the shared options, but for some, as one ``RunOptions`` value."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def wrapper(**values: Any) -> Any:
            own = {k: values.pop(k) for k in list(values) if k not in OPTIONS}
            return command(options=RunOptions(**values), **own)

        decorated: Command = wrapper
        for name in reversed(OPTIONS):
            if name not in without:
                decorated = OPTIONS[name](decorated)
        return decorated

    return decorate


@click.command(short_help="Run a drill, a scenario, or a file of your own.")
@click.argument("names", nargs=-1, metavar="[DRILL | SCENARIO | FILE.yaml]...")
@click.option("--decoys", is_flag=True, help="Run the decoys, too; each must be caught.")
@with_options()
def run(names: tuple[str, ...], decoys: bool, options: RunOptions) -> int:
    """Run a drill (default: quick), a scenario, or a scenario file of your own."""
    drill, scenarios = selection.what(names)
    if options.only and not names:
        drill, scenarios = Drill("chosen", "Chosen on the command line"), selection.scenarios()
    if decoys:
        drill = replace(drill, decoys="all")
    return execute(drill, scenarios, options)


@click.command(short_help="Prove that the checks can fail.")
@click.argument("names", nargs=-1, metavar="[SCENARIO | FILE.yaml]...")
@with_options()
def teeth(names: tuple[str, ...], options: RunOptions) -> int:
    """Prove that the checks can fail: leave out the recovery, the fault; run every decoy."""
    drill, scenarios = selection.what(names or ("teeth",))
    return execute(replace(drill, teeth=True, recoveries="none"), scenarios, options)


@dataclass(frozen=True)
class Site:
    """Where a run is going to happen."""

    run_id: str
    backend: Backend
    engines: tuple[Engine, ...]
    images: Mapping[str, str]
    because: str
    """Why here."""
    notes: tuple[str, ...]


def choose_site(names: Sequence[str], options: RunOptions) -> Site:
    """Choose backend and engines, and tell the person."""
    run_id, images = new_run_id(), selection.images(options.image)
    names = selection.named(names)
    backend, why = selection.backend(options.backend, run_id, names, images)
    engines, notes = selection.engines(names, backend, images, asked=bool(options.engine))
    for line in (why, *notes):
        selection.say(line)
    return Site(run_id, backend, engines, images, why, tuple(notes))


def execute(drill: Drill, scenarios: tuple[Scenario, ...], options: RunOptions) -> int:
    """Plan, run, render, tell; returns the exit code."""
    begun = time.monotonic()
    site = choose_site(options.engine or drill.engines, options)
    seed = selection.seed(options.seed)
    planned = _plan(_adjusted(drill, options), scenarios, site, seed, options)
    folder, header = open_record(site, drill, seed, planned, options)
    selection.say(f"{len(planned.trials)} trials, seed {seed}, record in {folder.path}")
    live = RunProgress(len(planned.trials))
    campaign = Campaign(
        site.backend,
        {engine.label: engine for engine in site.engines},
        site.images,
        folder,
        attempts=options.attempts or drill.attempts,
        jobs=options.jobs,
        listener=live.news,
    )
    stopped: BaseException | None = None
    try:
        with live:
            campaign.run(planned.trials)
    except BaseException as error:
        stopped = error
    with postponed():
        header = replace(header, took_ms=(time.monotonic() - begun) * 1000)
        return finish(folder, header, campaign.results, stopped, options)


def open_record(
    site: Site, drill: Drill, seed: int, planned: plan.TrialPlan, options: RunOptions
) -> tuple[RunFolder, RunHeader]:
    """The run's folder, with what is known of the run before its first trial."""
    header = RunHeader(
        run=site.run_id,
        drill=drill.id,
        title=drill.title,
        teeth=drill.teeth,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        backend=site.backend.name,
        backend_because=site.because,
        notes=site.notes,
        seed=seed,
        host=Host(os.cpu_count(), platform.platform()),
        command=shlex.join(["mdrill", *sys.argv[1:]]),
        planned=tuple(trial.id for trial in planned.trials),
        not_applicable=tuple(Missing(cell.id, cell.because) for cell in planned.not_applicable),
    )
    folder = RunFolder.create(selection.out_folder(options.out), site.run_id)
    folder.write_header(asdict(header))
    return folder, header


def finish(
    folder: RunFolder,
    header: RunHeader,
    trials: Sequence[TrialResult],
    stopped: BaseException | None,
    options: RunOptions,
) -> int:
    """Write every report of what was done, also when something stopped the run; the exit code."""
    if isinstance(stopped, Interrupted):
        header = replace(header, interrupted=stopped.signum)
    try:
        folder.write_header(asdict(header))
        result = results.of_run(header, trials)
        render_all(folder, result, options.junit)
    except DrillError:
        if stopped is None:
            raise
        raise stopped from None
    with suppress(OSError):
        told = results.to_json(result).rstrip() if options.as_json else terminal.text(result)
        click.echo(told)
        selection.say(f"report: {folder.path / 'report.html'}")
    if stopped:
        raise stopped
    return result.exit_code


def _adjusted(drill: Drill, options: RunOptions) -> Drill:
    """The drill with what the command line overrides."""
    return replace(drill, rows=options.rows or drill.rows, repeat=options.repeat or drill.repeat)


def _plan(
    drill: Drill, scenarios: tuple[Scenario, ...], site: Site, seed: int, options: RunOptions
) -> plan.TrialPlan:
    """The trials asked for; ``--only`` finds decoys and left-out faults, too, by their names."""

    def of(wider: Drill) -> plan.TrialPlan:
        made = plan.make(wider, scenarios, site.engines, seed, site.backend.capabilities)
        return plan.only(made, options.only)

    try:
        planned = of(drill)
    except NothingSelected:
        if not options.only or drill.teeth:
            raise
        planned = of(replace(drill, teeth=True))
    if options.trial_seed is not None:
        trials = tuple(replace(trial, seed=options.trial_seed) for trial in planned.trials)
        planned = replace(planned, trials=trials)
    part = selection.shard(options.shard)
    return plan.shard(planned, *part) if part else planned

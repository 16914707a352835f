"""``mdrill rollback``."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import click
from rich.console import Console

from harness.cli import folder_commands, rendering, selection, sweep_selection
from harness.cli.folder_commands import FolderOptions, of_a_folder
from harness.cli.signals import postponed
from harness.cli.sweep_selection import SweepPlan
from harness.record.run_folder import RunFolder, new_run_id
from harness.record.timeline import Event, Timeline
from harness.reporting.rollback import sentences, terminal
from harness.rollback import foretelling, results
from harness.rollback.events import FILE_NAME
from harness.rollback.results import RollbackHeader
from harness.rollback.rollbacks import Rollbacks, RollbackScope
from harness.sweep import seeding
from harness.sweep.events import Broken, Referred, WayBackTried
from harness.sweep.sweep_server import SweepServer


@dataclass(frozen=True, kw_only=True)
class RollbackOptions(FolderOptions):
    """What the command line says."""

    static: bool = False
    require_down: bool = False


@click.command(short_help="Take back each of your own migrations, and compare.")
@of_a_folder
@click.option(
    "--static", is_flag=True, help="Only what the SQL tells: in a second, without a server."
)
@click.option(
    "--require-down",
    is_flag=True,
    help="A way down that is missing, and not declared irreversible, is a finding.",
)
def rollback(**given: Any) -> int:
    """Run each migration of a folder up, write as the application does, run it down, compare.

    Then up again, and all the way down from the head, each step compared with what was there.
    """
    options = RollbackOptions(**given)
    planned = sweep_selection.plan(folder_commands.named(options, "rollback"), options)
    return execute(planned, options)


def execute(planned: SweepPlan, options: RollbackOptions) -> int:
    """Start a server unless the SQL alone is asked, try, render, tell; returns the exit code."""
    begun = time.monotonic()
    run_id = new_run_id()
    opened: tuple[RunFolder, RollbackHeader] | None = None
    stopped: BaseException | None = None
    try:
        if options.static:
            opened = _begin(planned, options, run_id)
            _foretell(planned, opened[0]).close()
        else:
            chosen = folder_commands.place(planned, options, run_id)
            with folder_commands.server(chosen) as server:
                opened = _begin(planned, options, run_id, server, chosen.why)
                _try(planned, options, server, opened[0])
    except BaseException as error:
        stopped = error
        if opened is None:
            raise
    folder, header = opened
    with postponed():
        took_ms = (time.monotonic() - begun) * 1000
        ended = folder_commands.ended(stopped)
        folder.write_header(asdict(replace(header, took_ms=took_ms, **ended)))
        return _finish(folder, options, stopped)


def _begin(
    planned: SweepPlan,
    options: RollbackOptions,
    run_id: str,
    server: SweepServer | None = None,
    why: str = "",
) -> tuple[RunFolder, RollbackHeader]:
    """The folder of the run, with what is known before the first migration."""
    engine = server.engine.label if server else planned.engine.label
    header = RollbackHeader(
        **folder_commands.header(planned, run_id, server, why),
        rollback=folder_commands.wishes(planned, options, engine),
        static=options.static,
    )
    folder = RunFolder.create(selection.out_folder(options.out), run_id)
    folder.write_header(asdict(header))
    selection.say(f"record in {folder.path}")
    return folder, header


def _foretell(planned: SweepPlan, folder: RunFolder, progress: Progress | None = None) -> Timeline:
    """The record, which begins with what the SQL alone tells."""
    record = Timeline(folder.path / FILE_NAME, progress.news if progress else None)
    told = foretelling.foretold(
        planned.migrations, planned.chosen, planned.tool, planned.engine.dialect
    )
    for one in told:
        record.add(one)
    return record


def _try(
    planned: SweepPlan, options: RollbackOptions, server: SweepServer, folder: RunFolder
) -> None:
    """Take every migration back, and tell how it goes."""
    client = folder_commands.client(planned, server)
    record = _foretell(planned, folder, Progress(len(planned.chosen)))
    record.redact(server.address.password)
    scope = RollbackScope(
        options.rows,
        planned.chosen,
        seeding.seed(options.seed_sql, planned.engine.dialect),
        planned.dump,
    )
    try:
        Rollbacks(server, planned.tool, client, planned.migrations, record, scope).run()
    finally:
        with postponed():
            record.close()
            client.close()


class Progress:
    """A line a migration on stderr; ``news`` is the listener of the record."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._total = total
        self._at = 0
        self._now = ""

    def news(self, event: Event[Any]) -> None:
        """A migration begins, or is looked at, or fails."""
        with suppress(OSError):
            match what := event.what:
                case Referred():
                    self._at += 1
                    self._now = what.name
                case WayBackTried():
                    self._line(f"{self._now}  {sentences.leads(what.rollback)}")
                case Broken():
                    self._line(f"{what.name} fails with nothing in its way: {what.says}")

    def _line(self, text: str) -> None:
        self._console.print(f"{self._at:>4}/{self._total} {text}", markup=False, soft_wrap=True)


def _finish(folder: RunFolder, options: RollbackOptions, stopped: BaseException | None) -> int:
    """Write every report of what was done; the exit code."""
    result = results.of_folder(folder)
    rendering.render_rollback(folder, result, options.junit)
    with suppress(OSError):
        text = folder.path / "rollback.json"
        click.echo(text.read_text("utf-8") if options.as_json else terminal.text(result))
        selection.say(f"report: {folder.path / 'rollback.md'}")
    if stopped:
        raise stopped
    return result.exit_code

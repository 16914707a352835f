"""What commands on a folder of migrations have in common: options, a server, a client."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from harness import __version__
from harness.cli import selection
from harness.cli.signals import postponed
from harness.cli.sweep_selection import SweepPlan
from harness.errors import DrillError, ExitCode, Interrupted, UsageError, exit_code_of
from harness.ports import Backend, Engine
from harness.sweep.sweep_server import SweepServer
from harness.tools.client import Client, EmulatedClient
from harness.tools.program import ProgramClient

KEPT_OF_THE_ENVIRONMENT = ("PATH", "HOME", "LANG", "JAVA_HOME", "NODE_PATH", "VIRTUAL_ENV")
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class FolderOptions:
    """What the command line says of the folder, and of what it is run on."""

    path: Path | None
    tool: str | None
    layout: str | None
    program: str | None
    engine: str | None
    backend: str
    image: tuple[str, ...]
    range_: str | None
    only: tuple[str, ...]
    rows: int
    seed_sql: Path | None
    seed_dump: Path | None
    out: Path | None
    junit: Path | None
    as_json: bool
    since: str | None = None
    placeholder: tuple[str, ...] = ()


OPTIONS = (
    click.argument("path", type=click.Path(path_type=Path), required=False),
    click.option(
        "--tool", help="The migration tool: a name from `mdrill list --tools`, or a YAML file."
    ),
    click.option("--layout", help="How the folder is laid out, where more than one layout fits."),
    click.option("--program", help="The tool's program, where it is not on PATH."),
    click.option("--engine", help="E.g. postgres or mariadb:10.11; told from the SQL where plain."),
    click.option(
        "--backend",
        type=click.Choice(["auto", "docker", "local"]),
        default="auto",
        help="Where servers come from.",
    ),
    click.option(
        "--image", multiple=True, metavar="ENGINE=IMAGE", help="E.g. postgres=postgres:16."
    ),
    click.option(
        "--range", "range_", metavar="A..B", help="Only versions A to B; a begin will do."
    ),
    click.option(
        "--since", metavar="REV", help="Only what a git revision lacks, or has otherwise."
    ),
    click.option("--only", multiple=True, metavar="VERSION", help="Only this one (repeatable)."),
    click.option(
        "--placeholder",
        multiple=True,
        metavar="NAME=VALUE",
        help="What an emulated Flyway or goose fills in for ${NAME} (repeatable).",
    ),
    click.option("--rows", type=click.IntRange(min=0), default=200, help="Generated rows a table."),
    click.option(
        "--seed-sql", type=click.Path(path_type=Path), help="SQL that brings rows of yours."
    ),
    click.option(
        "--seed-dump",
        type=click.Path(path_type=Path),
        help="A dump (pg_dump's of any format, mysqldump's; packed or not) to start from.",
    ),
    click.option("--out", type=click.Path(path_type=Path), help="Where run folders go."),
    click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML there, too."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."),
)


def of_a_folder(command: Command) -> Command:
    """Give a command these options, in their order."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


# ---------------------------------------------------------------------- what it is run on


@dataclass(frozen=True)
class Place:
    """Where the server is started, and why there; ``image`` where one was asked for."""

    backend: Backend
    engine: Engine
    image: str | None
    why: str


def place(planned: SweepPlan, options: FolderOptions, run_id: str) -> Place:
    """Choose it, and tell."""
    images = selection.images(options.image)
    backend, why = selection.backend(options.backend, run_id, [planned.engine.label], images)
    (engine,), notes = selection.engines(
        [planned.engine.label], backend, images, asked=bool(options.engine)
    )
    for line in (why, *notes):
        selection.say(line)
    return Place(backend, engine, images.get(engine.name), why)


@contextmanager
def server(chosen: Place) -> Iterator[SweepServer]:
    """A server; nothing of it is left afterwards."""
    started = SweepServer(chosen.backend, chosen.engine, chosen.image)
    try:
        yield started
    finally:
        with postponed():
            started.close()


def client(planned: SweepPlan, server: SweepServer) -> Client:
    """What runs the tool on that server."""
    if planned.tool.how == "emulated":
        return EmulatedClient(planned.tool, planned.migrations, server.guard)
    return ProgramClient(
        planned.tool,
        planned.folder,
        planned.migrations,
        server.guard,
        planned.program,
        of_environment(),
    )


def of_environment() -> dict[str, str]:
    """What a tool gets of ours."""
    return {k: os.environ[k] for k in KEPT_OF_THE_ENVIRONMENT if k in os.environ}


def header(
    planned: SweepPlan, run_id: str, server: SweepServer | None = None, why: str = ""
) -> dict[str, Any]:
    """What is known before the first migration, by field of a run's header; without a server,
    what the folder tells.
    """
    known: dict[str, Any] = {
        "run": run_id,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "command": shlex.join(["mdrill", *sys.argv[1:]]),
        "folder": planned.folder.resolve().name,
        "layout": planned.layout.title,
        "tool": planned.tool.title,
        "emulated": planned.tool.how == "emulated",
        "plain_for": planned.plain_for,
        "notes": planned.tool.notes,
        "engine": planned.engine.title,
        "backend_because": why,
        "planned": planned.chosen,
    }
    if server is None:
        return known
    return known | {
        "engine": server.engine.title,
        "server_version": server.facts.version,
        "image": server.facts.image,
        "backend": server.facts.backend,
    }


def ended(stopped: BaseException | None) -> dict[str, Any]:
    """What ended a run before its end, by field of its header; all of them, for a second try begins
    anew.
    """
    known = {"interrupted": None, "crashed": "", "crashed_with": ExitCode.BUG}
    if isinstance(stopped, Interrupted):
        return known | {"interrupted": stopped.signum}
    if stopped is None:
        return known
    says = str(stopped) if isinstance(stopped, DrillError) else repr(stopped)
    return known | {"crashed": says, "crashed_with": exit_code_of(stopped)}


def wishes(planned: SweepPlan, options: FolderOptions, engine: str) -> dict[str, Any]:
    """What was asked for, by option, with the folder and the engine that were found."""
    asked = {**vars(options), "path": planned.folder.resolve(), "engine": engine}
    return {k: str(v) if isinstance(v, Path) else v for k, v in asked.items()}


def named(options: FolderOptions, command: str) -> Path:
    """The folder. UsageError if none is named."""
    if options.path is None:
        raise UsageError(f"name a folder of migrations; see mdrill {command} -h")
    return options.path

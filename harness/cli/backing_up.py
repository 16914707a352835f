"""``mdrill backup``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from harness import __version__, loading, registry
from harness.backends.local import LocalBackend
from harness.backup import manifest, results
from harness.backup.checking import Checker, Wishes, in_order, series_of
from harness.backup.comparison import Expected, Reference
from harness.backup.judging import Objectives
from harness.backup.results import BackupResult, BackupsResult
from harness.cli import rendering, selection, versions
from harness.cli.signals import postponed
from harness.dumps.dump import TABLE_OF_CONTENTS, Dump
from harness.errors import UsageError
from harness.ports import Engine
from harness.record.run_folder import RunFolder, new_run_id
from harness.reporting.backup import terminal
from harness.servers.throwaway import ThrowawayServer

ENDINGS = frozenset({".sql", ".dump", ".backup", ".pgdump", ".tar"})
PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})
"""How files are called that are meant to be dumps, whatever is in them."""


@dataclass(frozen=True)
class BackupOptions:
    """What the command line says."""

    path: Path
    engine: str | None
    backend: str
    image: tuple[str, ...]
    write_manifest: bool
    against: Path | None
    shrink: str
    empty: tuple[str, ...]
    gone: tuple[str, ...]
    max_age: str | None
    max_restore: str | None
    out: Path | None
    junit: Path | None
    as_json: bool


@click.command(short_help="Is this backup usable? Restore it, and read it.")
@click.argument("path", metavar="DUMP | FOLDER", type=click.Path(path_type=Path))
@click.option("--engine", help="E.g. postgres or mariadb:10.11; told from the dump otherwise.")
@click.option(
    "--backend",
    type=click.Choice(["auto", "docker", "local"]),
    default="auto",
    help="Where servers come from.",
)
@click.option("--image", multiple=True, metavar="ENGINE=IMAGE", help="E.g. postgres=postgres:16.")
@click.option(
    "--manifest",
    "write_manifest",
    is_flag=True,
    help="Write DUMP.manifest.json beside a dump that was proven.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The manifest of an earlier dump, to compare with.",
)
@click.option(
    "--shrink", default="10%", metavar="SHARE", help="How many rows a table may lose since then."
)
@click.option("--empty", multiple=True, metavar="TABLE", help="Empty by right (repeatable; * ?).")
@click.option(
    "--gone",
    multiple=True,
    metavar="'KIND NAME'",
    help="Dropped on purpose, e.g. 'table public.old_*' (repeatable).",
)
@click.option("--max-age", metavar="DURATION", help="How old it may be, e.g. 26h.")
@click.option("--max-restore", metavar="DURATION", help="How long its restore may take, e.g. 15m.")
@click.option("--out", type=click.Path(path_type=Path), help="Where run folders go.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML there, too.")
@click.option("--json", "as_json", is_flag=True, help="Print backup.json on stdout.")
def backup(**given: Any) -> int:
    """Restore a dump on a throwaway server, read every row of it, and tell whether it is usable.

    A folder of dumps is all of them, the oldest first, each compared with the one before.
    """
    options = BackupOptions(**given)
    paths, skipped = _paths(options.path)
    wishes, run_id = _wishes(options), new_run_id()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    checker = Checker(_Servers(options, run_id), wishes, selection.say)
    try:
        found = _check(checker, paths)
    finally:
        with postponed():
            checker.close()
    command = shlex.join(["mdrill", *sys.argv[1:]])
    result = BackupsResult(run_id, started, __version__, command, tuple(found), skipped)
    folder = RunFolder.create(selection.out_folder(options.out), run_id)
    rendering.render_backup(folder, result, options.junit)
    text = results.to_json(result) if options.as_json else terminal.text(result)
    click.echo(text)
    selection.say(f"report: {folder.path / 'backup.md'}")
    return result.exit_code


def _check(checker: Checker, paths: Sequence[Path]) -> list[BackupResult]:
    found = []
    before: dict[str, Reference] = {}
    for path in paths:
        dump = Dump(path, selection.say)
        series = _series(dump)
        result, reference = checker.check(dump, before.get(series))
        if reference:
            before[series] = reference
        found.append(result)
    return found


def _series(dump: Dump) -> str:
    try:
        return series_of(dump)
    except UsageError:
        return ""


def _paths(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The dumps in the order of their age, and what beside them is none."""
    if not path.exists():
        raise UsageError(f"{path} is not there; name a dump, or a folder of dumps")
    if not path.is_dir() or _is_directory_format(path):
        return [path], ()
    inside = sorted(
        one
        for one in path.iterdir()
        if not one.name.startswith(".") and not one.name.endswith(manifest.ENDING)
    )
    dumps = [one for one in inside if _is_dump(one)]
    return in_order(dumps), tuple(str(one) for one in inside if one not in dumps)


def _is_dump(path: Path) -> bool:
    """Whether it is one, or is meant to be: a file of no bytes is a backup that failed."""
    if path.is_dir():
        return _is_directory_format(path)
    endings = path.suffixes[-2:]
    if endings and endings[-1] in ENDINGS | PACKED and ENDINGS & set(endings):
        return True
    try:
        return Dump(path).engine is not None
    except UsageError:
        return False


def _is_directory_format(path: Path) -> bool:
    """Whether it is one dump, be it without its table of contents."""
    return (path / TABLE_OF_CONTENTS).exists() or any(path.glob("[0-9]*.dat*"))


def _wishes(options: BackupOptions) -> Wishes:
    """UsageError for what cannot be understood."""
    share = options.shrink.removesuffix("%")
    if not share.replace(".", "", 1).isdigit() or not options.shrink.endswith("%"):
        raise UsageError(f"--shrink wants a share such as 10%, found {options.shrink!r}")
    return Wishes(
        Expected(float(share) / 100, options.empty, options.gone),
        Objectives(
            _seconds("--max-age", options.max_age), _seconds("--max-restore", options.max_restore)
        ),
        options.write_manifest,
        manifest.read(options.against) if options.against else None,
        options.against.name if options.against else "",
        registry.engine(options.engine) if options.engine else None,
    )


def _seconds(option: str, given: str | None) -> float | None:
    ms = loading.ms_of(given) if given is not None else None
    if given is not None and ms is None:
        raise UsageError(
            f"{option} wants a duration with its unit, such as 15m or 26h; found {given!r}"
        )
    return None if ms is None else ms / 1000


class _Servers:
    """Where servers come from, as the command line says."""

    def __init__(self, options: BackupOptions, run_id: str) -> None:
        self._options, self._run_id = options, run_id
        self._images = selection.images(options.image)

    def choose(self, engine: Engine, version: str) -> Engine:
        """In the version that a dump is from, if that can be had here without a pull."""
        if self._options.engine or engine.name in self._images or not version:
            return engine
        here = [found.engine for found in versions.of(engine) if self._runs(found)]
        return next((one for one in here if one.recipe.admits(version)), engine)

    def _runs(self, found: versions.Found) -> bool:
        """Whether the backend that was asked for has it."""
        if self._options.backend == "local":
            return LocalBackend(self._run_id).cannot_run(found.engine.recipe) is None
        is_local = found.runs == versions.PROGRAMS
        return bool(found.runs) and not (is_local and self._options.backend == "docker")

    def start(self, engine: Engine) -> ThrowawayServer:
        """EnvironmentProblem with the next move if there is none."""
        asked = bool(self._options.engine)
        backend, why = selection.backend(
            self._options.backend, self._run_id, [engine.label], self._images
        )
        (engine,), notes = selection.engines([engine.label], backend, self._images, asked=asked)
        for line in (why, *notes):
            selection.say(line)
        return ThrowawayServer(backend, engine, self._images.get(engine.name))

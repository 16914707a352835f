"""What makes the state before the first wanted migration what it is, as a key to keep it under."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import harness
from harness.cache import key_of, usual
from harness.cli import selection
from harness.cli.sweep_selection import SweepPlan
from harness.layouts import Migration
from harness.ports import Backend, Engine, StartsOnData
from harness.sweep.state_before import StateBefore, origin
from harness.tools.adapter import filled
from harness.tools.program import project_of

VERSION_S = 60
MOST_FILES, MOST_BYTES = 20_000, 200 << 20
"""A project of more is not read through, so nothing is kept of it."""
OTHERS = frozenset({"node_modules", "venv", "env", "__pycache__", "target", "mdrill-out"})
"""Folders of a project that its tool's own packages, or reports of ours, are in."""


class TooMuch(Exception):
    """Not all that the tool could read can be looked at."""


def state_before(
    planned: SweepPlan,
    engine: Engine,
    backend: Backend,
    run_id: str,
    environment: Mapping[str, str],
) -> StateBefore | None:
    """Where the state before the first wanted migration is kept; None if it cannot be kept, or is
    that of an empty database.

    ``environment`` is what the tool gets of ours.
    """
    kept = usual()
    first = planned.chosen[0] if planned.chosen else ""
    versions = [migration.version for migration in planned.migrations]
    if kept is None or not isinstance(backend, StartsOnData) or first not in versions:
        return None
    at = versions.index(first)
    if at == 0 and planned.dump is None:
        return None
    try:
        key = key_of(
            *(_ours(), engine.label, backend.what_runs(engine.recipe), repr(planned.tool)),
            *(planned.layout.name, planned.dump.whole().sha256 if planned.dump else "", first),
            *(_migration(migration, planned.folder) for migration in planned.migrations[:at]),
            *(_program(planned, at, environment) if planned.tool.how == "run" else ()),
        )
    except (TooMuch, OSError) as error:
        selection.say(f"the state before {first} is not kept: {error}")
        return None
    return StateBefore(kept, key, first, origin(run_id), selection.say)


def _migration(migration: Migration, folder: Path) -> str:
    """Its name, its files, and what is sent of them: placeholders have their values there."""
    files = [(str(_within(file, folder)), _digest(Path(file))) for file in migration.files]
    up = migration.up
    sent = up and (up.text, up.transaction, up.whole, up.only_whole, up.bodies)
    return repr((migration.version, migration.name, files, sent))


def _program(planned: SweepPlan, at: int, environment: Mapping[str, str]) -> Iterator[object]:
    """Of a real program: itself, its version, what it is told, and all that it can read of the
    project but the migrations after that.
    """
    tool, program = planned.tool, Path(planned.program).resolve()
    yield str(program)
    yield _digest(program)
    yield _version(planned, environment)
    yield sorted(environment.items())
    own = {file for migration in planned.migrations[:at] for file in migration.files}
    later = {
        Path(file).resolve()
        for migration in planned.migrations[at:]
        for file in set(migration.files) - own
    }
    project, _ = project_of(tool, planned.folder)
    left = MOST_BYTES
    for number, path in enumerate(_files(project)):
        if path.resolve() in later:
            continue
        left -= path.stat().st_size
        if left < 0 or number >= MOST_FILES:
            raise TooMuch(f"{project} has more files than are read through")
        yield str(path.relative_to(project))
        yield _digest(path)


def _files(project: Path) -> Iterator[Path]:
    """The project's files in order; of others' packages only which there are."""
    for folder, below, files in os.walk(project):
        yield from (Path(folder) / name for name in sorted(files))
        for name in sorted(set(below) & OTHERS):
            yield from sorted((Path(folder) / name).glob(".*.json"))
            yield from sorted((Path(folder) / name).glob("lib/*/site-packages/*.dist-info/RECORD"))
        below[:] = sorted(name for name in below if name not in OTHERS and name[0] != ".")


def _version(planned: SweepPlan, environment: Mapping[str, str]) -> str:
    """What the program says of itself. TooMuch if it says nothing."""
    words = [filled(word, {"program": planned.program}) for word in planned.tool.version]
    project, _ = project_of(planned.tool, planned.folder)
    try:
        said = subprocess.run(
            words or [planned.program, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd=project,
            env=dict(environment),
            timeout=VERSION_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TooMuch(f"{planned.tool.title} does not tell its version ({error})") from error
    return said.stdout.decode("utf-8", "replace")


@cache
def _ours() -> str:
    """Our own code, which makes what an emulated tool sends."""
    package = Path(harness.__file__).parent
    digest = hashlib.sha256(harness.__version__.encode())
    for path in sorted((*package.rglob("*.py"), *package.rglob("*.yaml"))):
        digest.update(f"{path.relative_to(package)} {_digest(path)}\n".encode())
    return digest.hexdigest()


def _within(file: str, folder: Path) -> Path:
    path = Path(file).resolve()
    return path.relative_to(folder.resolve()) if path.is_relative_to(folder.resolve()) else path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

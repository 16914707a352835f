"""The real command on small folders, and what it says of each crash point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness import registry
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.cli import mdrill

MDRILL = [sys.executable, "-c", "from harness.cli import main; main()"]
DEADLINE_S = 540
POLL_S = 0.01
ENGINES = ("postgres", "mysql", "mariadb")


@cache
def backend_of(engine: str) -> str:
    """Where a server of the engine can be had on this machine; a skip if nowhere."""
    recipe = registry.engine(engine).recipe
    docker = DockerBackend("tests")
    if docker.available() is None and docker.image_here(recipe):
        return "docker"
    if LocalBackend("tests").cannot_run(recipe) is None:
        return "local"
    pytest.skip(f"no server of {engine} on this machine")


@dataclass(frozen=True)
class Outcome:
    """How ``mdrill sweep`` ended, and its sweep.json if it wrote one."""

    code: int
    err: str
    result: Mapping[str, Any] = field(default_factory=dict)

    def migration(self, version: str) -> Mapping[str, Any]:
        return next(m for m in self.result["migrations"] if m["version"] == version)

    def cells(self, version: str) -> Iterator[Mapping[str, Any]]:
        yield from self.migration(version)["cells"]

    def healing(self, version: str, left: str) -> Mapping[str, Any]:
        """What was tried on the one state of that name."""
        (found,) = (h for h in self.migration(version)["healings"] if h["left"]["name"] == left)
        return found


def arguments(folder: Path, engine: str, out: Path, *more: str) -> list[str]:
    return [
        *("sweep", str(folder), "--engine", engine, "--backend", backend_of(engine)),
        *("--out", str(out), "--json", *more),
    ]


def run(*arguments_: str, **environment: str) -> Outcome:
    """Run mdrill to its end."""
    done = subprocess.run(
        [*MDRILL, *arguments_],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
        check=False,
    )
    result = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return Outcome(done.returncode, done.stderr, result)


def until(what: str, holds: Callable[[], Any]) -> None:
    """Wait for it; a failed test that names it at the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, f"waited {DEADLINE_S} s in vain for {what}"
        time.sleep(POLL_S)


def run_here(arguments_: Sequence[str]) -> Outcome:
    """Run mdrill in this process, so that what a test puts in place of our code is what runs."""
    done = CliRunner().invoke(mdrill, arguments_)
    out = Path(arguments_[arguments_.index("--out") + 1])
    result = json.loads((out / "latest" / "sweep.json").read_text("utf-8"))
    return Outcome(done.exit_code, done.stderr, result)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder

"""The real command on small folders, and what it says of each crash point."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import places
from click.testing import CliRunner
from places import backend_of

from harness.cli import mdrill, rendering
from harness.record.run_folder import RunFolder
from harness.sweep.events import StateHealed
from harness.sweep.points import OF_RIVALS
from harness.sweep.results import CellResult, MigrationResult, SweepResult, to_json

MDRILL = [sys.executable, "-c", "from harness.cli import main; main()"]
DEADLINE_S = 540
POLL_S = 0.01
ENGINES = ("postgres", "mysql", "mariadb")


@dataclass(frozen=True)
class Outcome:
    """How ``mdrill sweep`` ended, and what its record tells if it wrote one."""

    code: int
    err: str
    result: SweepResult = field(default_factory=SweepResult)
    folder: Path = Path()

    def file(self, name: str) -> str:
        """A report, as it was written."""
        return (self.folder / name).read_text("utf-8")

    def migration(self, version: str) -> MigrationResult:
        return next(m for m in self.result.migrations if m.version == version)

    def cells(self, version: str) -> tuple[CellResult, ...]:
        """Those of the way up, of one run alone."""
        return tuple(c for c in self.migration(version).cells if c.way not in OF_RIVALS)

    def rivals(self, version: str) -> tuple[CellResult, ...]:
        """Those of two runs at once."""
        return tuple(c for c in self.migration(version).cells if c.way in OF_RIVALS)

    def healing(self, version: str, left: str) -> StateHealed:
        """What was tried on the one state of that name."""
        (found,) = (h for h in self.migration(version).healings if h.left.name == left)
        return found


def arguments(folder: Path, engine: str, out: Path, *more: str) -> list[str]:
    return [
        *("sweep", str(folder), "--engine", places.label(engine), "--backend", backend_of(engine)),
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
    record = re.search(r"^record in (.*)$", done.stderr, re.MULTILINE)
    if record is None:
        return Outcome(done.returncode, done.stderr)
    return Outcome(done.returncode, done.stderr, told(Path(record[1])), Path(record[1]))


def told(folder: Path) -> SweepResult:
    """What the record of a sweep tells; its sweep.json says the same."""
    result = rendering.swept_before(RunFolder.open(folder))
    assert json.loads((folder / "sweep.json").read_text("utf-8")) == json.loads(to_json(result))
    return result


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
    return Outcome(done.exit_code, done.stderr, told(out / "latest"))


def write(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder

"""The folder of a run: what is written there, and how it is read back after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import EnvironmentProblem, UsageError

HEADER = "header.json"
EVENTS = "events.jsonl"


def new_run_id() -> str:
    """Sorts by time, never repeats."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def as_json(value: Any) -> str:
    """For a file that people may open."""
    return json.dumps(value, indent=1, default=str) + "\n"


def write_atomically(path: Path, content: str) -> None:
    """All of it or nothing: a reader never sees half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from error


class RunFolder:
    """``out/<run>/``: header, the records, and what is rendered from them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, out: Path, run_id: str) -> RunFolder:
        path = out / run_id
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise EnvironmentProblem(f"cannot make the run folder {path}: {error}") from error
        latest = out / "latest"
        with contextlib.suppress(OSError):
            latest.unlink(missing_ok=True)
            latest.symlink_to(run_id)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run; UsageError if there is none."""
        if not (path / HEADER).exists():
            raise UsageError(
                f"{path} is not a run folder: it has no {HEADER}; name one that `mdrill run` made"
            )
        return cls(path.resolve())

    def write_header(self, header: Mapping[str, Any]) -> None:
        write_atomically(self.path / HEADER, as_json(header))

    def header(self) -> Mapping[str, Any]:
        """What was known when the run began. UsageError if it is not the header of a run."""
        path = self.path / HEADER
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{path} cannot be read as JSON: {error}") from error
        if not isinstance(value, dict):
            raise UsageError(f"{path}: wanted an object, found {type(value).__name__}")
        return value

    def trial_folder(self, trial_id: str, attempt: int = 1) -> Path:
        """Made at the first call; ``~2`` marks the second attempt."""
        name = trial_id.replace("/", ".").replace(":", "-") + (f"~{attempt}" if attempt > 1 else "")
        folder = self.path / name
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise EnvironmentProblem(f"cannot make {folder}: {error.strerror}") from error
        return folder

    def attempts(self) -> list[tuple[Path, int]]:
        """The record of every trial that was begun, with the number of its attempt, by time."""
        paths = sorted(self.path.glob(f"*/{EVENTS}"), key=lambda path: path.stat().st_mtime_ns)
        return [(path, int(path.parent.name.partition("~")[2] or 1)) for path in paths]

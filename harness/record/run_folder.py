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

from harness.drill import results
from harness.errors import EnvironmentProblem, UsageError
from harness.record import timeline

HEADER = "header.json"


def new_run_id() -> str:
    """Sorts by time, never repeats."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


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
    """``out/<run>/``: header, one folder for each trial, and what is rendered from them."""

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
        write_atomically(self.path / HEADER, json.dumps(header, indent=1, default=str))

    def header(self) -> dict[str, Any]:
        return json.loads((self.path / HEADER).read_text(encoding="utf-8"))

    def trial_folder(self, trial_id: str, attempt: int = 1) -> Path:
        """Made at the first call; ``~2`` marks the second attempt."""
        name = trial_id.replace("/", ".") + (f"~{attempt}" if attempt > 1 else "")
        folder = self.path / name
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise EnvironmentProblem(f"cannot make {folder}: {error.strerror}") from error
        return folder

    def events(self, trial_id: str, attempt: int = 1) -> tuple[timeline.Event, ...]:
        path = self.trial_folder(trial_id, attempt) / "events.jsonl"
        return timeline.read(path) if path.exists() else ()

    def rebuild(self) -> dict[str, Any]:
        """The run's result from the events alone, also when the run was killed."""
        trials = []
        for path in sorted(self.path.glob("*/events.jsonl"), key=lambda p: p.stat().st_mtime_ns):
            _, _, attempt = path.parent.name.partition("~")
            events = timeline.read(path)
            if events:
                result = results.of_trial(events, int(attempt or 1))
                if result["id"]:
                    trials.append(result)
        return results.of_run(self.header(), trials)

"""The append-only record of a sweep, by which it is told, rendered, and taken up again."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import EnvironmentProblem

NAME = "sweep.jsonl"


@dataclass
class Known:
    """What an interrupted sweep of the same folder has found out."""

    cells: set[tuple[str, str]] = field(default_factory=set)
    healed: set[tuple[str, str]] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)


class Journal:
    """One JSON object a line, on the disk before the next cell begins."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        _cut_half_line(self.path)
        self._file = self.path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def add(self, kind: str, **facts: Any) -> None:
        """Write one event. EnvironmentProblem if the disk does not take it."""
        line = json.dumps({"kind": kind, **facts}, default=str) + "\n"
        try:
            with self._lock:
                self._file.write(line)
                self._file.flush()
        except OSError as error:
            raise EnvironmentProblem(
                f"the record {self.path} cannot be written: {error}"
            ) from error

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """Every event; a last line that was cut off by a kill is left out."""
    path = folder / NAME
    if not path.exists():
        raise EnvironmentProblem(f"no sweep was recorded in {folder}: there is no {NAME}")
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def known(folder: Path) -> Known:
    """What an earlier sweep has found out, so that nothing is done or counted twice.

    A cell whose state was still being healed when the sweep was cut off is struck again: the
    answer that it waited for was never written.
    """
    found = Known()
    waiting: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for event in read(folder):
        kind, migration = event["kind"], event.get("migration", "")
        if kind == "cell":
            state, cell = (migration, event["state"]), (migration, event["point"])
            if event["missed"] or state in found.healed:
                found.cells.add(cell)
            else:
                waiting.setdefault(state, set()).add(cell)
        elif kind == "healing":
            state = (migration, event["state"])
            found.healed.add(state)
            found.cells |= waiting.pop(state, set())
        elif kind == "finished":
            found.finished.add(migration)
    return found


def _cut_half_line(path: Path) -> None:
    """A kill may have cut the last line; what is added then must not be glued to it."""
    if path.exists():
        raw = path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            path.write_bytes(whole)

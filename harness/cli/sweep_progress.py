"""What a person sees while a sweep crosses a folder: a line for each migration, a live count."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from typing import Any

from rich.console import Console
from rich.status import Status


class SweepProgress:
    """A context manager; ``news`` is the sweep's listener."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._total = total
        self._at = done
        self._states: Counter[str] = Counter()
        self._cells = 0
        self._name = ""
        self._begun = 0.0
        self._live: Status | None = None
        if self._console.is_terminal and not os.environ.get("NO_COLOR"):
            self._live = self._console.status("starting")

    def __enter__(self) -> SweepProgress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tell()
        if self._live:
            self._live.stop()

    def news(self, what: str, **facts: Any) -> None:
        """A migration begins, a cell is done, or a migration is broken."""
        with contextlib.suppress(OSError):
            getattr(self, f"_{what}")(**facts)

    def _begins(self, migration: Any, cells: int) -> None:
        self._tell()
        self._at += 1
        self._name, self._cells, self._begun = migration.name, cells, time.monotonic()
        self._states.clear()
        self._show()

    def _cell(self, migration: Any, left: Any, missed: str) -> None:
        self._states["missed" if missed else left.name] += 1
        self._show()

    def _broken(self, migration: Any, says: str) -> None:
        self._console.print(f"{migration.name} fails with nothing in its way: {says}", markup=False)

    def _show(self) -> None:
        if self._live:
            done = sum(self._states.values())
            self._live.update(f"{self._at}/{self._total} {self._name} · {done}/{self._cells} cells")

    def _tell(self) -> None:
        if not self._name:
            return
        told = " · ".join(f"{name}: {count}" for name, count in self._states.most_common())
        took = time.monotonic() - self._begun
        self._console.print(
            f"{self._at:>4}/{self._total} {self._name}  {told}  {took:.1f} s",
            markup=False,
            soft_wrap=True,
        )
        self._name = ""

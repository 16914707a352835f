"""What a person sees while a sweep goes through a folder: a line a migration, a live count."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from typing import Any

from rich.console import Console
from rich.status import Status

from harness.record.timeline import Event
from harness.sweep.events import Begun, Broken, CellStruck


class SweepProgress:
    """A context manager; ``news`` is the listener of the sweep's record."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._total = total
        self._at = done
        self._states: Counter[str] = Counter()
        self._now = Begun()
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

    def news(self, event: Event[Any]) -> None:
        """A migration begins, a cell is done, or a migration is broken."""
        what = event.what
        with contextlib.suppress(OSError):
            if isinstance(what, Begun):
                self._begins(what)
            elif isinstance(what, CellStruck):
                self._states["missed" if what.missed else what.left.name] += 1
                self._show()
            elif isinstance(what, Broken):
                says = f"{what.name} fails with nothing in its way: {what.says}"
                self._console.print(says, markup=False)

    def _begins(self, what: Begun) -> None:
        self._tell()
        self._at += not what.down
        self._now, self._begun = what, time.monotonic()
        self._states.clear()
        self._show()

    def _show(self) -> None:
        if self._live:
            done, way = sum(self._states.values()), " down" if self._now.down else ""
            self._live.update(
                f"{self._at}/{self._total} {self._now.name}{way} · {done}/{self._now.cells} cells"
            )

    def _tell(self) -> None:
        if not self._now.name:
            return
        told = " · ".join(f"{name}: {count}" for name, count in self._states.most_common())
        took = time.monotonic() - self._begun
        way = " down" if self._now.down else ""
        self._console.print(
            f"{self._at:>4}/{self._total} {self._now.name}{way}  {told}  {took:.1f} s",
            markup=False,
            soft_wrap=True,
        )
        self._now = Begun()

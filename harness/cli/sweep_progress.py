"""What a person sees while a sweep goes through a folder: a line a migration, and what is left."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.status import Status

from harness.record.timeline import Event
from harness.reporting.sweep.grades import GRADES
from harness.reporting.words import duration, plural
from harness.sweep.budget import Budget
from harness.sweep.events import Begun, Broken, CellStruck, LeftOut, StateHealed, SweptToEnd
from harness.sweep.verdicts import Grade


class TimeLeft:
    """How long the rest will take, by what the migrations so far took for each of their cells."""

    def __init__(
        self,
        cells: Mapping[str, int],
        budget: Budget | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``cells`` by version, about, of all that is to be swept."""
        self._cells = dict(cells)
        self._budget = budget
        self._clock = clock
        self._begun = clock()
        self._done = 0

    def finished(self, version: str) -> None:
        """It took what has passed since the one before it."""
        self._done += self._cells.pop(version, 0)

    def left_out(self, version: str) -> None:
        """It takes no time."""
        self._cells.pop(version, None)

    def in_words(self) -> str:
        """``about 3 min left``; empty as long as nothing is known."""
        if not self._done:
            return ""
        left = (self._clock() - self._begun) / self._done * sum(self._cells.values())
        if self._budget:
            left = min(left, max(self._budget.left_s(), 0))
        return rough(left)


def rough(seconds: float) -> str:
    """As exact as anybody can know it."""
    minutes = seconds / 60
    if minutes < 0.75:
        return "less than a minute left"
    if minutes < 10:
        return f"about {max(1, round(minutes))} min left"
    if minutes < 55:
        return f"about {round(minutes / 5) * 5} min left"
    return f"about {max(1, round(minutes / 60))} h left"


class SweepProgress:
    """A context manager; ``news`` is the listener of the sweep's record."""

    def __init__(self, total: int, cells: Mapping[str, int], budget: Budget | None = None) -> None:
        """``cells`` by version, about, of those that are still to be swept."""
        self._console = Console(stderr=True, highlight=False)
        self._total = total
        self._at = total - len(cells)
        self._left = TimeLeft(cells, budget)
        self._now = Begun()
        self._begun = 0.0
        self._cells: list[CellStruck] = []
        self._grades: dict[str, Grade] = {}
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
        """A migration begins, a cell is done, a state is healed, or a migration is done with."""
        with contextlib.suppress(OSError):
            match what := event.what:
                case Begun():
                    self._begins(what)
                case CellStruck():
                    self._cells.append(what)
                    self._show()
                case StateHealed():
                    self._grades[what.state] = what.grade
                case SweptToEnd():
                    self._left.finished(what.migration)
                    self._tell()
                case LeftOut():
                    self._leaves_out(what)
                case Broken():
                    says = f"{what.name} fails with nothing in its way: {what.says}"
                    self._console.print(says, markup=False, soft_wrap=True)

    def _begins(self, what: Begun) -> None:
        if not what.down:
            self._tell()
            self._at += 1
            self._begun = time.monotonic()
        self._now = what
        self._show()

    def _show(self) -> None:
        if self._live:
            now, left = self._now, self._left.in_words()
            done = sum(cell.down is now.down for cell in self._cells)
            parts = [
                f"{self._at}/{self._total} {now.name}{' down' if now.down else ''}",
                f"{done}/{now.cells} cells",
                *([left] if left else []),
            ]
            self._live.update(" · ".join(parts))

    def _leaves_out(self, what: LeftOut) -> None:
        self._left.left_out(what.migration)
        if self._now.migration == what.migration:
            self._tell(", and no time for the rest of it")
            return
        self._tell()
        self._at += 1
        self._line(f"{what.name}  left out, for there is no time")

    def _tell(self, more: str = "") -> None:
        """The line of the migration that was begun, if it was not told yet."""
        if not self._now.name:
            return
        counts = Counter(self._grade(cell) for cell in self._cells)
        told = [f"{counts[grade]} {GRADES[grade].word}" for grade in Grade if counts[grade]]
        cells = f"{plural(len(self._cells), 'cell')}{': ' if told else ''}{' · '.join(told)}"
        took = duration((time.monotonic() - self._begun) * 1000)
        self._line(f"{self._now.name}  {cells}  {took}{more}")
        self._now = Begun()
        self._cells.clear()
        self._grades.clear()

    def _grade(self, cell: CellStruck) -> Grade:
        return (
            Grade.INCONCLUSIVE if cell.missed else self._grades.get(cell.state, Grade.INCONCLUSIVE)
        )

    def _line(self, text: str) -> None:
        self._console.print(f"{self._at:>4}/{self._total} {text}", markup=False, soft_wrap=True)

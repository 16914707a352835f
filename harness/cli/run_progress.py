"""What a person sees while trials run: a live line on a terminal, else a line for each trial."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.drill.results import TrialResult
from harness.record.events import Phase
from harness.record.timeline import Event
from harness.reporting.run.outcomes import sign


class RunProgress:
    """A context manager; ``news`` is the campaign's listener, called from its threads."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._total = total
        self._judged_ids: set[str] = set()
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        if self._console.is_terminal and not os.environ.get("NO_COLOR"):
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> RunProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def news(self, trial: str, what: Event[Any] | TrialResult) -> None:
        """Something happened in a trial: it is in a new phase, it is judged.

        A terminal that is gone is no reason to end a trial.
        """
        with contextlib.suppress(OSError):
            if isinstance(what, TrialResult):
                self._judged(what)
            elif self._bar and isinstance(what.what, Phase) and what.edge == "begin":
                self._bar.update(self._task, description=f"{trial} · {what.what.phase}")

    def _judged(self, result: TrialResult) -> None:
        with self._lock:
            self._judged_ids.add(result.id)
            done = len(self._judged_ids)
        self._console.print(
            f"{done:>4}/{self._total} [{sign(result.outcome).colour}]{result.outcome:<12}[/] "
            f"{result.id}  [dim]{result.took_ms / 1000:.1f} s[/]",
            soft_wrap=True,
        )
        if not result.as_expected:
            self._console.print(f"      {result.sentence}", style="dim", markup=False)
            self._console.print(f"      again: {result.rerun}", markup=False, soft_wrap=True)
        if self._bar:
            self._bar.update(self._task, completed=done)

"""What a person sees while trials run: a live line on a terminal, else a line for each trial."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.record.timeline import Event

STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "ERROR": "bold magenta",
    "INCONCLUSIVE": "yellow",
    "ABORTED": "dim",
}


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

    def news(self, trial: str, what: Mapping[str, Any] | Event) -> None:
        """Something happened in a trial: it began, it is in a new phase, it is judged.

        A terminal that is gone is no reason to end a trial.
        """
        with contextlib.suppress(OSError):
            self._show(trial, what)

    def _show(self, trial: str, what: Mapping[str, Any] | Event) -> None:
        if isinstance(what, Event):
            if self._bar and what.kind == "phase.begin":
                self._bar.update(self._task, description=f"{trial} · {what.data['phase']}")
        elif "verdict" in what:
            self._judged(trial, what)

    def _judged(self, trial: str, result: Mapping[str, Any]) -> None:
        with self._lock:
            self._judged_ids.add(trial)
            done = len(self._judged_ids)
        verdict = result["verdict"]
        caught = result["expected"] != "PASS" and result["as_expected"]
        mark = "caught" if caught else verdict
        style = STYLES["PASS" if caught else verdict]
        self._console.print(
            f"{done:>4}/{self._total} [{style}]{mark:<12}[/] {trial}  "
            f"[dim]{result['took_ms'] / 1000:.1f} s[/]",
            soft_wrap=True,
        )
        if result["counts_as"] != "PASS":
            self._console.print(f"      {result['sentence']}", style="dim", markup=False)
            self._console.print(f"      again: {result['rerun']}", markup=False, soft_wrap=True)
        if self._bar:
            self._bar.update(self._task, completed=done)

"""One renderer per report format; each module holds a ``KIND`` of :class:`Format`.

A renderer of a run is handed its :class:`harness.drill.results.RunResult` and a function that
gives the timeline of a trial; one of a sweep its :class:`harness.sweep.results.SweepResult`. It
shows what was judged and computes neither a verdict nor an exit code. Modules without ``KIND`` are
what the renderers share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A report: the name of its file, and the text it makes of a run."""

    FILE_NAME: str
    render: Callable[..., str]

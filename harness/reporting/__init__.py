"""One renderer per report format; each module holds a ``KIND`` of :class:`Format`.

A renderer is handed the value of ``run.json`` (see ``docs/record.md``) and a function that
gives the timeline of a trial. It shows what was judged and computes neither a verdict nor
an exit code. Modules of this room without ``KIND`` are what the renderers share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.record.timeline import Event


@dataclass(frozen=True)
class Format:
    """A report: the name of its file, and the text it makes of a run."""

    FILE_NAME: str
    render: Callable[[Mapping[str, Any], Callable[[str], Sequence[Event]]], str]

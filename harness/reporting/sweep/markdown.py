"""sweep.md: what fits the step summary of a CI job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reporting import Format
from harness.reporting.sweep import _view
from harness.reporting.templating import environment

FILE_NAME = "sweep.md"
MIGRATIONS = 300
DETAILED = 20


def render(result: Mapping[str, Any], *_: Any) -> str:
    """Counts, one line a migration, and the matrix of those that are worst."""
    ranked = sorted(result["migrations"], key=_view.loudness, reverse=True)
    quiet = _view.LOUDNESS.index("self-heals")
    detailed = [m for m in ranked if m["cells"] and _view.loudness(m) > quiet]
    return (
        environment()
        .get_template("sweep.md.j2")
        .render(
            result=result,
            view=_view,
            headline=_view.headline(result),
            listed=result["migrations"][:MIGRATIONS],
            left_out=max(0, len(result["migrations"]) - MIGRATIONS),
            detailed=detailed[:DETAILED],
            not_detailed=max(0, len(detailed) - DETAILED),
        )
    )


KIND = Format(FILE_NAME, render)

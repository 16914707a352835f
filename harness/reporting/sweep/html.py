"""sweep.html: the crash matrix on one page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reporting import Format
from harness.reporting.sweep import _view
from harness.reporting.templating import asset, environment

FILE_NAME = "sweep.html"
OPEN_AT_ONCE = 6


def render(result: Mapping[str, Any], *_: Any) -> str:
    """The page; migrations with the most harmful cells first."""
    migrations = sorted(result["migrations"], key=lambda m: (not m["broken"], -_view.loudness(m)))
    return (
        environment()
        .get_template("sweep.html.j2")
        .render(
            result=result,
            css=asset("style.css"),
            own_css=asset("sweep.css"),
            view=_view,
            headline=_view.headline(result),
            atomic=sum(_view.stops(m) == "atomic" for m in result["migrations"]),
            migrations=migrations,
            in_order=result["migrations"],
            open_at_once=OPEN_AT_ONCE,
        )
    )


KIND = Format(FILE_NAME, render)

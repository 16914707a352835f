"""Writes every report format into a run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import catalog, results
from harness.store import RunFolder, write_atomically


def render_all(folder: RunFolder, result: Mapping[str, Any], junit: Path | None = None) -> None:
    """run.json first, then what is made from it; the events are read back from the folder."""
    write_atomically(folder.path / "run.json", results.as_json(result))
    attempts = {trial["id"]: trial["attempt"] for trial in result["trials"]}

    def events(trial_id: str):
        return folder.events(trial_id, attempts.get(trial_id, 1))

    for renderer in catalog.kinds("reporting").values():
        write_atomically(folder.path / renderer.FILE_NAME, renderer.render(result, events))
        if junit and renderer.FILE_NAME == "junit.xml":
            junit.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(junit, renderer.render(result, events))

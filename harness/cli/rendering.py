"""Writes every report format into a run's folder, from the record that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness import registry
from harness.drill import results
from harness.record.run_folder import RunFolder, write_atomically
from harness.sweep import journal, threshold
from harness.sweep import results as sweep_results
from harness.sweep.verdicts import Grade


def render_all(folder: RunFolder, result: Mapping[str, Any], junit: Path | None = None) -> None:
    """run.json first, then what is made from it; the events are read back from the folder."""
    attempts = {trial["id"]: trial["attempt"] for trial in result["trials"]}

    def events(trial_id: str):
        return folder.events(trial_id, attempts.get(trial_id, 1))

    write_atomically(folder.path / "run.json", results.as_json(result))
    _write("run-reports", folder, lambda renderer: renderer.render(result, events), junit)


def is_sweep(folder: RunFolder) -> bool:
    """Whether ``mdrill sweep`` made the folder."""
    return folder.header().get("sweep") is not None


def swept(folder: RunFolder, before: threshold.Baseline | None) -> dict[str, Any]:
    """What a sweep has found out, judged as its command line asked."""
    header = folder.header()
    found = sweep_results.of([{"kind": "header", **header}, *journal.read(folder.path)])
    return threshold.judged(found, Grade(header["sweep"]["fail_on"]), before)


def swept_before(folder: RunFolder) -> dict[str, Any]:
    """The same of an old sweep, against the baseline that it was given."""
    baseline = folder.header()["sweep"]["baseline"]
    return swept(folder, threshold.baseline(Path(baseline)) if baseline else None)


def render_sweep(folder: RunFolder, result: Mapping[str, Any], junit: Path | None = None) -> None:
    """sweep.json first, then every format made from it."""
    write_atomically(folder.path / "sweep.json", sweep_results.as_json(result))
    _write("sweep-reports", folder, lambda renderer: renderer.render(result), junit)


def _write(room: str, folder: RunFolder, render: Callable[[Any], str], junit: Path | None) -> None:
    for renderer in registry.kinds(room).values():
        text = render(renderer)
        write_atomically(folder.path / renderer.FILE_NAME, text)
        if junit and renderer.FILE_NAME == "junit.xml":
            junit.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(junit, text)

"""Writes every report format into a run's folder, from the record that is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness import registry
from harness.backup import results as backup_results
from harness.backup.results import BackupsResult
from harness.drill import results
from harness.drill.results import RunResult
from harness.record import timeline
from harness.record.run_folder import EVENTS, RunFolder, write_atomically
from harness.record.timeline import Event
from harness.reporting import Format
from harness.rollback import results as rollback_results
from harness.rollback.results import RollbackResult
from harness.sweep import results as sweep_results
from harness.sweep import threshold
from harness.sweep.results import SweepResult
from harness.sweep.verdicts import Grade


def render_all(folder: RunFolder, result: RunResult, junit: Path | None = None) -> None:
    """run.json first, then what is made from it; the events are read back from the folder."""
    attempts = {trial.id: trial.attempt for trial in result.last_attempts()}

    def events(trial_id: str) -> Sequence[Event[Any]]:
        path = folder.trial_folder(trial_id, attempts[trial_id]) / EVENTS
        return timeline.read(path) if path.exists() else ()

    write_atomically(folder.path / "run.json", results.to_json(result))
    _write("run-reports", folder, lambda kind: kind.render(result, events), junit)


def is_sweep(folder: RunFolder) -> bool:
    """Whether ``mdrill sweep`` made the folder."""
    return folder.header().get("sweep") is not None


def swept(folder: RunFolder, before: threshold.Baseline | None) -> SweepResult:
    """What a sweep has found out, judged as its command line asked."""
    found = sweep_results.of_folder(folder)
    return threshold.judged(found, Grade(found.sweep["fail_on"]), before)


def swept_before(folder: RunFolder) -> SweepResult:
    """The same of an old sweep, against the baseline that it was given."""
    baseline = folder.header()["sweep"]["baseline"]
    return swept(folder, threshold.baseline(Path(baseline)) if baseline else None)


def render_sweep(folder: RunFolder, result: SweepResult, junit: Path | None = None) -> None:
    """sweep.json first, then every format made from it."""
    write_atomically(folder.path / "sweep.json", sweep_results.to_json(result))
    _write("sweep-reports", folder, lambda kind: kind.render(result), junit)


def is_rollback(folder: RunFolder) -> bool:
    """Whether ``mdrill rollback`` made the folder."""
    return folder.header().get(rollback_results.OPTIONS) is not None


def render_rollback(folder: RunFolder, result: RollbackResult, junit: Path | None = None) -> None:
    """rollback.json first, then every format made from it."""
    write_atomically(folder.path / "rollback.json", rollback_results.to_json(result))
    _write("rollback-reports", folder, lambda kind: kind.render(result), junit)


def render_backup(folder: RunFolder, result: BackupsResult, junit: Path | None = None) -> None:
    """backup.json first, then every format made from it."""
    write_atomically(folder.path / "backup.json", backup_results.to_json(result))
    _write("backup-reports", folder, lambda kind: kind.render(result), junit)


def _write(
    room: str, folder: RunFolder, render: Callable[[Format], str], junit: Path | None
) -> None:
    for kind in registry.kinds(room).values():
        text = render(kind)
        write_atomically(folder.path / kind.FILE_NAME, text)
        if junit and kind.FILE_NAME == "junit.xml":
            junit.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(junit, text)

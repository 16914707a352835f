"""A run's folder can be read at any moment, and tells what had happened when it was cut off."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from test_verdict import record, without

from harness.drill.results import of_folder
from harness.errors import EnvironmentProblem, UsageError
from harness.record.run_folder import RunFolder, new_run_id, write_atomically
from harness.record.timeline import Event


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "run-1")


def write(run: RunFolder, identity: str, events: list[Event], attempt: int = 1) -> Path:
    path = run.trial_folder(identity, attempt) / "events.jsonl"
    path.write_text("".join(event.to_json() + "\n" for event in events), "utf-8")
    return path


def test_a_reader_sees_the_old_or_the_new_file_and_nothing_between(tmp_path: Path) -> None:
    """Written beside it and moved into its place."""
    path, done = tmp_path / "run.json", threading.Event()
    texts = ["a" * 100_000, "b" * 200_000]
    write_atomically(path, texts[0])
    seen: set[str] = set()

    def look() -> None:
        while not done.is_set():
            seen.add(path.read_text("utf-8"))

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(40):
        write_atomically(path, texts[n % 2])
    done.set()
    reader.join()
    assert seen <= set(texts)
    assert os.listdir(tmp_path) == ["run.json"]


def test_a_file_that_cannot_be_written_is_told_and_leaves_no_part(tmp_path: Path) -> None:
    """A directory is in its place: the old content stays, and no temporary file is left."""
    (tmp_path / "run.json").mkdir()
    (tmp_path / "run.json" / "kept").touch()
    with pytest.raises(EnvironmentProblem, match=r"cannot write .*run\.json"):
        write_atomically(tmp_path / "run.json", "x")
    assert os.listdir(tmp_path) == ["run.json"]


def test_the_latest_run_has_a_name(tmp_path: Path) -> None:
    """latest points to the newest folder, also when there was one before."""
    RunFolder.create(tmp_path, "run-1")
    RunFolder.create(tmp_path, "run-2")
    assert (tmp_path / "latest").resolve().name == "run-2"
    assert RunFolder.create(tmp_path, new_run_id()).path.is_dir()


def test_a_folder_that_no_run_made_is_refused(tmp_path: Path) -> None:
    """The message says what makes a folder a run's."""
    with pytest.raises(UsageError, match=r"header\.json"):
        RunFolder.open(tmp_path)


def test_run_ids_sort_by_time_and_do_not_repeat() -> None:
    """Two runs in one second get folders of their own."""
    made = [new_run_id() for _ in range(50)]
    assert len(set(made)) == 50


def test_the_result_comes_from_the_events_alone(run: RunFolder) -> None:
    """trial.json was never written, or says something else: only the record counts."""
    run.write_header({"planned": ["a/b/c", "d/e/f"]})
    write(run, "a/b/c", record(id="a/b/c"))
    write(run, "d/e/f", without("control")(record(id="d/e/f")))
    write(run, "d/e/f", record(id="d/e/f"), attempt=2)
    (run.trial_folder("a/b/c") / "trial.json").write_text('{"verdict": "FAIL"}', "utf-8")
    rebuilt = of_folder(RunFolder.open(run.path))
    assert (rebuilt.verdict, rebuilt.exit_code) == ("PASS", 0)
    assert [(t.id, t.attempt, t.verdict) for t in rebuilt.trials] == [
        ("a/b/c", 1, "PASS"),
        ("d/e/f", 1, "INCONCLUSIVE"),
        ("d/e/f", 2, "PASS"),
    ]


@pytest.mark.parametrize("cut", [2, 20, 60])
def test_a_last_line_cut_short_is_an_aborted_trial(run: RunFolder, cut: int) -> None:
    """The harness was killed while it wrote: what stands before that line is told."""
    run.write_header({"planned": ["a/b/c", "d/e/f"]})
    path = write(run, "a/b/c", record(id="a/b/c"))
    path.write_bytes(path.read_bytes()[:-cut])
    rebuilt = of_folder(run)
    assert [trial.verdict for trial in rebuilt.trials] == ["ABORTED"]
    assert (rebuilt.unfinished, rebuilt.verdict) == (("d/e/f",), "ABORTED")


def test_a_run_killed_before_its_first_event_can_be_rebuilt(run: RunFolder) -> None:
    """Empty files and folders are no trials."""
    run.write_header({"planned": ["a/b/c"]})
    run.trial_folder("a/b/c").joinpath("events.jsonl").touch()
    rebuilt = of_folder(run)
    assert (rebuilt.trials, rebuilt.unfinished) == ((), ("a/b/c",))
    assert rebuilt.verdict == "ABORTED"


def test_the_header_is_kept_as_it_was(run: RunFolder) -> None:
    """It is what a rebuilt report says about the run."""
    run.write_header({"seed": 5, "planned": []})
    assert run.header() == {"seed": 5, "planned": []}
    assert json.loads((run.path / "header.json").read_text("utf-8"))["seed"] == 5

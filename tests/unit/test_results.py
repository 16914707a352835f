"""A result repeats what was judged, and its last line runs that very trial again."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from test_verdict import NOT_HELD, event, record, turned, without

from harness import registry
from harness.cli import mdrill, running, selection
from harness.drill import plan, results
from harness.drill.results import RunHeader
from harness.errors import (
    DrillError,
    EnvironmentProblem,
    NothingSelected,
    UsageError,
    exit_code_of,
)
from harness.model import Drill
from harness.ports import Capability
from harness.record.events import Cell, ServerUsed

SERVER = ServerUsed(backend="docker", engine="postgres", image="postgres:18", digest="sha256:1")

OURS = selection.scenarios()


class Planned(Exception):
    """Carries what the command line would have run."""


@pytest.fixture
def would_run(monkeypatch: pytest.MonkeyPatch):
    """Feeds a line to ``mdrill`` and stops it where it would open the record of its run."""

    def stop(_stage, _drill, _seed, planned, *_):
        raise Planned(planned.trials)

    named = type("Named", (), {"name": "fake", "capabilities": frozenset(Capability)})
    monkeypatch.setattr(running, "open_record", stop)
    monkeypatch.setattr(selection, "backend", lambda *_: (named, ""))
    monkeypatch.setattr(selection, "scenarios", lambda: OURS)
    monkeypatch.setattr(
        selection, "engines", lambda names, *_, **__: ([registry.engine(n) for n in names], [])
    )

    def feed(line: str):
        program, *words = shlex.split(line)
        assert program == "mdrill"
        with pytest.raises(Planned) as caught:
            mdrill.main(words, standalone_mode=False)
        return caught.value.args[0]

    return feed


def every_trial():
    names = ("postgres", "mysql", "mariadb")
    everything = Drill("x", "x", teeth=True)
    engines = [registry.engine(name) for name in names]
    trials = plan.make(everything, OURS, engines, 5).trials
    seen: dict[tuple, object] = {}
    for trial in trials:
        seen.setdefault((trial.scenario.id, trial.engine, trial.purpose), trial)
    longer = {t.id for t in trials for o in trials if o.id.startswith(t.id) and o.id != t.id}
    return [*seen.values(), *(t for t in trials if t.id in longer)]


def cell_of(trial) -> Cell:
    return Cell(id=trial.id, engine=trial.engine, seed=trial.seed, rows=trial.rows)


@pytest.mark.parametrize("trial", every_trial(), ids=lambda trial: trial.id)
def test_the_rerun_line_selects_exactly_that_trial(would_run, trial) -> None:
    """The same cell with the same seed and number of rows, and no other."""
    for wanted in (trial, replace(trial, rows=5000), replace(trial, round=3)):
        line = results.rerun_line(cell_of(wanted), replace(SERVER, engine=wanted.engine))
        again = [(t.id, t.purpose, t.seed, t.rows) for t in would_run(line)]
        assert again == [(trial.id, trial.purpose, trial.seed, wanted.rows)]


def test_the_rerun_line_is_safe_to_paste() -> None:
    """An image or an id with odd characters stays one word of the shell."""
    line = results.rerun_line(Cell(id="a/b; rm -rf x"), replace(SERVER, image="x y"))
    assert "a/b; rm -rf x" in shlex.split(line)
    assert "postgres=x y" in shlex.split(line)


def test_the_rerun_line_names_the_image_that_ran() -> None:
    """In Docker another image would be another trial; a local server has none to name."""
    assert "--image postgres=postgres:18" in results.rerun_line(Cell(id="a"), SERVER)
    on_local = ServerUsed(backend="local", engine="postgres")
    local = results.rerun_line(Cell(id="a"), on_local)
    assert (("--image" in local), ("--backend local" in local)) == (False, True)


def test_a_trial_is_told_with_all_it_was_folded_from() -> None:
    """The keys that docs/record.md promises."""
    events = [event("clock", wall="2026-01-01T00:00:00"), *record(seed=3)]
    told = results.of_trial(events, attempt=2)
    assert (told.id, told.verdict, told.as_expected) == ("a/b/c/d/e", "PASS", True)
    assert (told.attempt, told.started) == (2, "2026-01-01T00:00:00")
    assert len(told.criteria) == 7
    assert "--trial-seed 3" in told.rerun


def test_a_trial_that_a_person_repaired_is_practised_again() -> None:
    """There is no procedure by that name to be run."""
    cell = Cell(id="story/postgres/m/f/by-hand", scenario="story", procedure="by-hand", seed=3)
    assert results.rerun_line(cell, ServerUsed(backend="local")) == (
        "mdrill practice story --only story/postgres/m/f --backend local"
    )


def test_a_record_of_nothing_is_told_too() -> None:
    """A trial that was killed before its first event."""
    told = results.of_trial([])
    assert (told.verdict, told.id, told.took_ms) == ("ABORTED", "", 0.0)


def finished(identity: str, change=lambda events: events, attempt: int = 1) -> results.TrialResult:
    return results.of_trial(change(record(id=identity)), attempt)


FAILED = turned("claim", NOT_HELD, name="mended")


@pytest.mark.parametrize(
    "trials, more, verdict, code",
    [
        ([finished("a"), finished("b")], {}, "PASS", 0),
        ([finished("a"), finished("b", FAILED)], {}, "FAIL", 1),
        ([finished("a"), finished("b", without("control"))], {}, "INCONCLUSIVE", 3),
        (
            [finished("a"), finished("b", without("control")), finished("b", attempt=2)],
            {},
            "PASS",
            0,
        ),
        ([finished("a")], {}, "ABORTED", 4),
        ([finished("a", FAILED)], {}, "FAIL", 1),
        ([finished("a")], {"interrupted": 2}, "ABORTED", 130),
        ([finished("a")], {"interrupted": 15}, "ABORTED", 143),
        ([finished("a"), finished("b", without("finished"))], {}, "ABORTED", 4),
    ],
)
def test_a_run_has_one_verdict_and_one_exit_code(trials, more, verdict, code) -> None:
    """The last attempt counts; a planned trial that never ran is not forgotten."""
    run = results.of_run(RunHeader(planned=("a", "b"), **more), trials)
    assert (run.verdict, run.exit_code) == (verdict, code)
    assert len(run.trials) == len(trials)


def test_a_decoy_that_was_caught_does_not_fail_its_run() -> None:
    """It is counted as caught, and the run is green: that is what was wanted."""
    events = FAILED(record(id="a", purpose="decoy", caught_by=["mended"]))
    run = results.of_run(RunHeader(planned=("a",)), [results.of_trial(events)])
    assert (run.counts, run.verdict, run.exit_code) == ({"CAUGHT": 1}, "PASS", 0)


def test_a_decoy_that_passes_is_never_among_the_passes() -> None:
    """It is NOT CAUGHT wherever outcomes are counted, and the run is red."""
    events = record(id="a", purpose="decoy", caught_by=["mended"])
    run = results.of_run(RunHeader(planned=("a",)), [results.of_trial(events)])
    assert (run.counts, run.verdict, run.exit_code) == ({"NOT CAUGHT": 1}, "FAIL", 1)


@pytest.mark.parametrize(
    "error, code",
    [
        (UsageError("x"), 2),
        (EnvironmentProblem("x"), 4),
        (NothingSelected("x"), 5),
        (DrillError("x"), 70),
        (ValueError("x"), 70),
    ],
)
def test_the_exit_code_travels_with_the_error(error: Exception, code: int) -> None:
    """What nobody planned is a bug of ours."""
    assert exit_code_of(error) == code


def test_the_rerun_line_names_the_version_that_was_asked_for() -> None:
    """And the image that it was, whose server has to be of that version again."""
    server = replace(SERVER, image="migration-drill/postgres:17")
    line = results.rerun_line(Cell(id="a/postgres:17/b", engine="postgres:17"), server)
    assert "--only a/postgres:17 --engine postgres:17" in line.replace("/b ", " ")
    assert "--image postgres=migration-drill/postgres:17" in line

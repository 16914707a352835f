"""The stories, run for real: what should repair repairs, what should not is caught.

For each scenario on each engine: in every mode the first fault that has a recovery, with that
recovery; every decoy once; once nothing done; once the fault left out. One in three of these is
drawn; ``mdrill run full``, ``mdrill run way-back`` and ``mdrill teeth`` run every cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import places
import pytest

from harness import bundled, loading, registry
from harness.drill import plan, results
from harness.drill.results import TrialResult
from harness.drill.trial import TrialRun
from harness.errors import ScenarioError
from harness.model import Drill, Trial
from harness.testing import run_scenario

PLACES = (
    ("postgres", "local"),
    ("mariadb", "local"),
    ("postgres", "docker"),
    ("mysql", "docker"),
)
SEEDS = (1, 2, 3)
REPEATED = ("data-corruption", "dirty-state", "partial-failure", "slow-index")
FOLDER = bundled.folder("scenarios")


def chosen(trials: tuple[Trial, ...]) -> Iterator[Trial]:
    """The first trial of each thing that has to be shown once."""
    shown = set()
    for trial in trials:
        what = {
            "recovery": ("recovery", trial.mode),
            "decoy": ("decoy", trial.procedure.id if trial.procedure else ""),
        }.get(trial.purpose, (trial.purpose, ""))
        if what not in shown:
            shown.add(what)
            yield trial


def every_trial() -> list:
    params = []
    for engine, backend in PLACES:
        marks = places.marks(engine, backend)
        for path in sorted(FOLDER.glob("*.yaml")):
            try:
                story = loading.load_scenario(path)
            except ScenarioError:
                continue  # test_files tells what is wrong with it
            everything = Drill("x", "x", teeth=True)
            planned = plan.make(everything, (story,), (registry.engine(engine),), 1)
            params += [
                pytest.param(trial, backend, id=f"{trial.id}-{backend}", marks=marks)
                for trial in chosen(planned.trials)
            ]
    return params


TRIALS = every_trial()


def a_handful() -> Iterator:
    """The first recovery and the first decoy of a few stories."""
    shown = set()
    for param in TRIALS:
        trial, backend = param.values
        what = (trial.scenario.id, trial.purpose)
        if backend == "local" and what not in shown and trial.scenario.id in REPEATED:
            shown.add(what)
            if trial.purpose in ("recovery", "decoy"):
                yield param


def judged(trial: Trial, backend: str, lane_of) -> TrialResult:
    """Run it; a server that turned out broken is not given to the next trial."""
    lane = lane_of(trial.engine, backend)
    result = results.of_trial(TrialRun(trial, lane).run().events())
    if result.verdict == "ERROR":
        lane_of.forget(trial.engine, backend)
    return result


def told(result: TrialResult) -> str:
    return f"{result.outcome}: {result.sentence} Failed: {result.failed_claims}"


@pytest.mark.matrix(of=3)
@pytest.mark.parametrize("trial, backend", TRIALS)
def test_it_ends_as_it_must(trial: Trial, backend: str, lane_of) -> None:
    """Recoveries PASS, decoys FAIL by their claim, nothing done FAILs, no fault proves nothing."""
    result = judged(trial, backend, lane_of)
    assert (result.verdict, result.as_expected) == (result.expected, True), told(result)


@pytest.mark.parametrize("trial, backend", list(a_handful()))
def test_other_choices_lead_to_the_same_verdict(trial: Trial, backend: str, lane_of) -> None:
    """What the application happens to write changes nothing about what is proved."""
    found = [judged(replace(trial, seed=seed), backend, lane_of) for seed in SEEDS]
    assert [told(result) for result in found if not result.as_expected] == []


def test_a_trial_leaves_nothing_on_its_server(lane_of) -> None:
    """Its database, its sessions and its processes are gone when it has been judged."""
    trial = TRIALS[0].values[0]
    judged(trial, "local", lane_of)
    lane = lane_of("postgres", "local")

    def databases() -> set[str]:
        return {row[0] for row in lane.observer().run("SELECT datname FROM pg_database").rows}

    before = databases()
    judged(trial, "local", lane_of)
    assert databases() == before
    sessions = lane.engine.sessions.listing(lane.observer())
    assert {info.database for info in sessions} <= {lane.engine.databases.maintenance}


def test_your_own_test_can_run_a_scenario() -> None:
    """One call from any pytest, on a server of its own; a surprise has the line to run again."""
    path = next(FOLDER.glob("*slow-index.yaml"))
    outcome = run_scenario(path, "postgres", "local", only=["*/drop-the-index", "*/analyze-only"])
    assert [trial.verdict for trial in outcome.trials] == ["PASS", "FAIL"]
    assert outcome.surprises == []

"""A decoy that destroys what was acknowledged, and waits until the application wrote over it."""

from __future__ import annotations

from pathlib import Path

import places
import pytest

from harness import loading, registry
from harness.drill import plan, results
from harness.drill.trial import TrialRun
from harness.model import Drill, Trial
from harness.record.events import LedgerChecked
from harness.record.timeline import told

STORY = Path(__file__).parents[1] / "fixtures" / "scenarios" / "bookings-overwritten.yaml"
DESTROYERS = {"be on the safe side", "put the name back, clean", "delete what looks odd"}
PLACES = (
    ("postgres", "local"),
    ("mariadb", "local"),
    ("mysql", "docker"),
)


def every_trial() -> list:
    story = loading.load_scenario(STORY)
    params = []
    for engine, backend in PLACES:
        everything = Drill("x", "x", decoys="all")
        params += [
            pytest.param(
                trial,
                backend,
                id=f"{trial.id}-{backend}",
                marks=places.marks(engine, backend),
            )
            for trial in plan.make(everything, (story,), (registry.engine(engine),), 1).trials
        ]
    return params


@pytest.mark.parametrize("trial, backend", every_trial())
def test_nothing_but_the_ledger_knows_and_the_ledger_is_not_fooled(
    trial: Trial, backend: str, lane_of
) -> None:
    """Every claim about the table holds; what the desk had been promised was lost all the same."""
    events = TrialRun(trial, lane_of(trial.engine, backend)).run().events()
    result = results.of_trial(events)
    checks = [event.what for event in told(events, LedgerChecked)]
    assert result.verdict == result.expected, result.sentence
    assert checks[-1].final is True
    if trial.purpose == "recovery":
        assert (result.failed_claims, result.rpo.lost_writes) == ((), 0)
        return
    assert result.failed_claims == ("ledger",), result.sentence
    assert result.rpo.lost_writes >= checks[-1].for_good > 0
    (step,) = (s.name for s in trial.procedure.steps if s.name in DESTROYERS)
    assert f"destroyed after step {step!r}" in " ".join(checks[-1].examples)

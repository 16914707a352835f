"""Every scenario that is shipped can be read, explained, and can fail."""

from __future__ import annotations

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from harness import bundled, loading, registry
from harness.cli import mdrill
from harness.drill import plan
from harness.model import Drill, words_of

FILES = sorted(bundled.folder("scenarios").glob("*.yaml"))
DRILLS = sorted(bundled.folder("drills").glob("*.yaml"))
ENGINES = ("postgres", "mysql", "mariadb")
STAND_INS = ("mariadb",)

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_engine = pytest.mark.parametrize("engine", ENGINES)


def planned(path, engine: str) -> plan.Plan:
    everything = Drill("x", "x", teeth=True)
    return plan.make(everything, (loading.load_scenario(path),), (registry.engine(engine),), 1)


def test_there_are_scenarios() -> None:
    """An empty folder would make every test here pass."""
    assert len(FILES) >= 6


@each_file
def test_it_is_what_the_schema_describes(path) -> None:
    """An editor that knows the schema marks nothing in it."""
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), loading.schema())


@each_file
def test_it_can_be_validated_and_explained(path) -> None:
    """Both commands tell it to a person, by file; the explanation has the story in it."""
    for words in (["validate", str(path)], ["explain", str(path)]):
        outcome = CliRunner().invoke(mdrill, words, standalone_mode=False)
        assert outcome.exception is None, outcome.output
        assert outcome.return_value in (0, None)
    for procedure in loading.load_scenario(path).recoveries:
        assert procedure.id in outcome.output


@each_file
@each_engine
def test_it_has_a_recovery_and_a_decoy_for_the_engine(path, engine: str) -> None:
    """A story without a way out, or without a trap, is only half told.

    A stand-in of the family may lack every trap of a story, if it is told of each one why.
    """
    found = planned(path, engine)
    purposes = {trial.purpose for trial in found.trials}
    if engine in STAND_INS and "decoy" not in purposes:
        explained = {cell.id.rpartition("/")[2] for cell in found.not_applicable}
        assert {decoy.id for decoy in loading.load_scenario(path).decoys} <= explained
        purposes.add("decoy")
    assert purposes == {"recovery", "decoy", "nothing-done", "no-injection"}


@each_file
@each_engine
def test_every_cell_says_what_is_broken_in_it(path, engine: str) -> None:
    """A claim that is for this cell, not only a section that is."""
    for trial in planned(path, engine).trials:
        words = words_of(engine, registry.engine(engine).traits, trial.mode)
        claims = [
            claim.name
            for damage in trial.scenario.damage
            if damage.scope.covers(words, trial.fault.id)
            for claim in damage.claims
            if claim.scope.covers(words, trial.fault.id)
        ]
        assert claims, f"nothing is seen broken in {trial.id}"


@each_file
def test_every_decoy_names_what_catches_it(path) -> None:
    """By a claim of the end state, one that is always asked, or one of its own steps."""
    scenario = loading.load_scenario(path)
    known = {claim.name for claim in scenario.verify}
    known |= {f"{item} is as before" for item in scenario.untouched}
    known |= {"ledger", "nobody waits for a lock", "no index is invalid", "rto"}
    for decoy in scenario.decoys:
        assert decoy.caught_by, decoy.id
        own = known | {step.name for step in decoy.steps}
        assert set(decoy.caught_by) <= own, decoy.id


@each_file
def test_every_cell_that_cannot_be_had_says_why(path) -> None:
    """On every engine."""
    for engine in ENGINES:
        assert all(cell.because for cell in planned(path, engine).not_applicable)


@pytest.mark.parametrize("path", DRILLS, ids=lambda path: path.stem)
def test_every_drill_selects_something(path) -> None:
    """Its scenarios, modes and faults exist."""
    drill = loading.load_drill(path)
    known = {s.id: s for s in map(loading.load_scenario, FILES)}
    chosen = known.values() if "all" in drill.scenarios else [known[n] for n in drill.scenarios]
    engines = [registry.engine(name) for name in drill.engines]
    assert plan.make(drill, tuple(chosen), engines, 1).trials

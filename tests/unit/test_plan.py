"""A drill becomes trials: every cell is run or shown with its reason, and a seed repeats it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_of import Word, engine, fault, procedure, scenario, where

from harness.drill import plan
from harness.errors import NothingSelected, ScenarioError
from harness.model import Claim, Damage, Drill, Given, Migration, Moment, Objectives
from harness.ports import Capability

DRILL = Drill("d", "A drill")
ENGINES = (engine("one", "transactional-ddl"), engine("two"))
STORIES = (scenario("first"), scenario("second"))


def ids(planned: plan.TrialPlan) -> list[str]:
    return [trial.id for trial in planned.trials]


def make(drill: Drill = DRILL, stories=STORIES, engines=ENGINES, seed: int = 7) -> plan.TrialPlan:
    return plan.make(drill, stories, engines, seed)


def test_the_axes_are_multiplied_out() -> None:
    """scenario × engine × mode × fault × recovery, each cell once."""
    found = ids(make())
    assert len(found) == len(set(found)) == 2 * 2 * 2 * 2 * 2
    assert "second/two/one-transaction/late/undo" in found


@pytest.mark.parametrize(
    "changes, selected",
    [
        ({"recoveries": "first", "modes": ("auto*",), "faults": ("early",)}, ["recovery"]),
        ({"recoveries": "all", "modes": ("autocommit",), "faults": ("e*",)}, ["recovery"] * 2),
        (
            {"recoveries": "none", "decoys": "all", "modes": ("autocommit",), "faults": ("late",)},
            ["decoy"],
        ),
        (
            {"recoveries": "none", "teeth": True, "modes": ("autocommit",), "faults": ("late",)},
            ["decoy", "nothing-done", "no-injection"],
        ),
    ],
)
def test_a_drill_selects(changes: dict, selected: list[str]) -> None:
    """Modes and faults by pattern; recoveries, decoys and teeth by choice."""
    planned = make(replace(DRILL, **changes), STORIES[:1], ENGINES[:1])
    assert [trial.purpose for trial in planned.trials] == selected


@pytest.mark.parametrize("lacking", Capability)
def test_a_fault_that_no_server_here_can_suffer_is_shown_with_its_reason(lacking) -> None:
    """Asked when trials are planned; it would end in an error of ours if it were tried."""
    needy = replace(fault("early"), kind=Word(needs=frozenset({lacking})))
    story = scenario(faults=(needy, fault("late", Moment(after=2))))
    can = frozenset(Capability) - {lacking}
    planned = plan.make(DRILL, (story,), ENGINES[:1], 7, can)
    assert {trial.fault.id for trial in planned.trials} == {"late"}
    assert {cell.because for cell in planned.not_applicable} == {plan.CANNOT[lacking]}


def test_a_backup_needs_the_engines_own_programs() -> None:
    """A scenario that takes a dump before the migration."""
    story = scenario(given=Given(("CREATE TABLE t (id int)",), backup=("t",)))
    planned = plan.make(DRILL, (story, STORIES[0]), ENGINES[:1], 7, frozenset({Capability.KILL}))
    assert {trial.scenario.id for trial in planned.trials} == {"first"}


def test_what_an_engine_cannot_do_is_shown_with_its_reason() -> None:
    """Procedures and faults outside their scope are not dropped."""
    story = scenario(
        faults=(fault("early", scope=where(("transactional-ddl",)), because="it has no ROLLBACK"),),
        recoveries=(procedure("redo"), procedure("undo", scope=where(("not-transactional-ddl",)))),
        migration=Migration(("ONE", "TWO"), modes=("autocommit",)),
    )
    planned = make(stories=(story,))
    assert ids(planned) == ["outage/one/autocommit/early/redo"]
    assert {cell.id: cell.because for cell in planned.not_applicable} == {
        "outage/one/autocommit/early/undo": "undo is for not-transactional-ddl",
        "outage/two/autocommit/early": "it has no ROLLBACK",
    }


def test_every_cell_is_run_or_explained() -> None:
    """Nothing is lost between the two lists."""
    story = scenario(
        faults=(fault("early"), fault("late", Moment(after=2), scope=where(("two",)))),
        migration=Migration(("ONE", "TWO", "THREE"), modes=("autocommit", "whole-file")),
    )
    planned = make(stories=(story,))
    cells = {identity.rpartition("/")[0] for identity in ids(planned)}
    explained = {cell.id for cell in planned.not_applicable}
    assert cells | explained == {
        f"outage/{e}/{mode}/{name}"
        for e in ("one", "two")
        for mode in ("autocommit", "whole-file")
        for name in ("early", "late")
    }
    assert not cells & explained
    assert all(cell.because for cell in planned.not_applicable)


@pytest.mark.parametrize(
    "moment, can_be_had",
    [
        (Moment(before=1), True),
        (Moment(before=2), False),
        (Moment(after=1), False),
        (Moment(after=3), True),
        (Moment(inside=2), True),
    ],
    ids=str,
)
def test_a_whole_file_has_no_place_between_its_statements(moment: Moment, can_be_had: bool) -> None:
    """It travels as one message: before it, inside it and after it are all there is."""
    story = scenario(
        faults=(fault("f", moment), fault("other", Moment(before=1))),
        migration=Migration(("ONE", "TWO", "THREE"), modes=("whole-file",)),
    )
    planned = make(stories=(story,), engines=ENGINES[:1])
    assert ("f" in {trial.fault.id for trial in planned.trials}) is can_be_had


def test_a_cell_without_damage_is_a_mistake_of_the_scenario() -> None:
    """A recovery from nothing would prove nothing; the message names the cell."""
    story = scenario(damage=(Damage((Claim("broken", None),), where((), ("early",))),))
    with pytest.raises(ScenarioError, match=r"no damage is declared for .*late"):
        make(stories=(story,))


def test_objectives_of_the_drill_go_before_those_of_the_scenario() -> None:
    """A staging drill is stricter than the story; without one the story's hold."""
    story = scenario(objectives=Objectives(rto_s=5))
    strict = make(replace(DRILL, objectives=Objectives(rto_s=1)), (story,))
    assert {trial.objectives.rto_s for trial in strict.trials} == {1}
    assert {trial.objectives.rto_s for trial in make(stories=(story,)).trials} == {5}


def test_a_pick_is_repeated_by_its_seed_and_keeps_the_order() -> None:
    """Chaos that cannot be repeated teaches nothing."""
    drill = replace(DRILL, pick=5)
    everything = ids(make())
    picks = {seed: ids(make(drill, seed=seed)) for seed in range(8)}
    assert all(ids(make(drill, seed=seed)) == pick for seed, pick in picks.items())
    assert len({tuple(pick) for pick in picks.values()}) > 1
    for pick in picks.values():
        assert len(pick) == 5
        assert pick == [identity for identity in everything if identity in pick]


def test_a_trial_has_the_same_seed_in_every_selection() -> None:
    """Its choices depend on the run's seed and on its own name, not on its neighbours."""
    alone = plan.only(make(), ["second/two/autocommit/late/undo"]).trials[0]
    crowd = {trial.id: trial.seed for trial in make(replace(DRILL, teeth=True)).trials}
    assert alone.seed == crowd[alone.id]
    assert len(set(crowd.values())) == len(crowd)
    assert alone.seed != plan.only(make(seed=8), [alone.id]).trials[0].seed


def test_repeats_are_rounds_of_the_same_cells() -> None:
    """The second round has the same seeds, and its ids say which round it is."""
    planned = make(replace(DRILL, repeat=2), STORIES[:1], ENGINES[:1])
    half = len(planned.trials) // 2
    assert [trial.seed for trial in planned.trials[:half]] == [
        trial.seed for trial in planned.trials[half:]
    ]
    assert ids(planned)[half:] == [f"{identity}@2" for identity in ids(planned)[:half]]


@given(st.integers(min_value=1, max_value=32))
def test_shards_are_a_partition(of: int) -> None:
    """Together they run every trial exactly once."""
    whole = make()
    parts = [ids(plan.shard(whole, index, of)) for index in range(1, of + 1)]
    assert sorted(identity for part in parts for identity in part) == sorted(ids(whole))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_an_empty_selection_is_never_green() -> None:
    """No trial of the drill, no match, an empty shard: each is an error of its own."""
    with pytest.raises(NothingSelected):
        make(replace(DRILL, faults=("no-such",)))
    with pytest.raises(NothingSelected, match="first/one/autocommit/early/redo"):
        plan.only(make(), ["no-such"])
    with pytest.raises(NothingSelected, match="33/33"):
        plan.shard(make(), 33, 33)


def test_only_takes_patterns_beginnings_and_whole_ids() -> None:
    """A whole id means that trial alone, even where another's id begins with it."""
    story = scenario(recoveries=(procedure("redo"), procedure("redo-twice")))
    planned = make(stories=(story,))
    cell = "outage/one/autocommit/early/"
    assert ids(plan.only(planned, [cell + "redo"])) == [cell + "redo"]
    assert ids(plan.only(planned, [cell])) == [cell + "redo", cell + "redo-twice"]
    assert ids(plan.only(planned, [cell + "red"])) == [cell + "redo", cell + "redo-twice"]
    assert len(plan.only(planned, ["*/two/*"]).trials) == len(planned.trials) // 2
    both = plan.only(planned, [cell + "redo", "outage/two"])
    assert len(both.trials) == 1 + len(planned.trials) // 2


def test_only_keeps_the_cells_that_cannot_be_had() -> None:
    """Asking for one engine shows what that engine cannot do, and no other."""
    story = scenario(decoys=(procedure("hope", caught_by=("m",), scope=where(("two",))),))
    planned = plan.only(make(replace(DRILL, decoys="all"), (story,)), ["outage/one/*"])
    assert planned.not_applicable
    assert {cell.id.split("/")[1] for cell in planned.not_applicable} == {"one"}

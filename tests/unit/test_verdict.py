"""What a record proves: PASS needs all seven criteria, and nothing vacuous is ever green."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.drill.judgement import RecoveryTime, Verdict, merge
from harness.drill.verdict import judge
from harness.record.timeline import Event

CRITERIA = ("baseline", "control", "fault", "damage", "recovery", "verification", "collateral")
WORST_FIRST = ("FAIL", "ERROR", "ABORTED", "INCONCLUSIVE", "PASS")
Change = Callable[[list[Event]], list[Event]]


def event(kind: str, **data: Any) -> Event:
    """As a line of a record tells it."""
    return Event.read({"t_ns": 0, "lane": "", "kind": kind, **data})


def told(of: Event) -> dict[str, Any]:
    """What the line of an event says."""
    return json.loads(of.to_json())


def changed(of: Event, **data: Any) -> Event:
    return Event.read({**told(of), **data})


def claim(section: str, name: str, answer: str = "held", **more: Any) -> Event:
    data = {"found": "this", "wanted": "that", "population": 10, "lost": 0, **more}
    return event("claim", section=section, name=name, answer=answer, **data)


def phase(name: str) -> Event:
    return event("phase.end", phase=name)


def witness(source: str) -> Event:
    return event("witness", source=source, says=f"told by {source}")


def record(**cell: Any) -> list[Event]:
    """Everything a trial needs for a PASS, a millisecond apart."""
    events = [
        event("cell", **{"id": "a/b/c/d/e", "purpose": "recovery", "objectives": {}, **cell}),
        event("control", ok=True, says="it goes through"),
        claim("steady_state", "calm"),
        witness("injector"),
        witness("victim"),
        event("fired", fault="f", moment="after statement 1"),
        claim("damage", "broken"),
        phase("damage"),
        phase("diagnose"),
        event("step.end", name="mend it", ok=True),
        phase("recover"),
        claim("verify", "mended"),
        claim("verify", "ledger"),
        phase("verify"),
        claim("untouched", "users is as before"),
        event("finished"),
    ]
    return [changed(e, t_ns=n * 1_000_000) for n, e in enumerate(events)]


def without(kind: str, **data: Any) -> Change:
    return lambda events: [e for e in events if not is_meant(e, kind, data)]


def is_meant(of: Event, kind: str, data: dict[str, Any]) -> bool:
    has = told(of)
    return has["kind"] == kind and all(has.get(key) == value for key, value in data.items())


def turned(kind: str, change: dict, **data: Any) -> Change:
    def turn(events: list[Event]) -> list[Event]:
        found = [e for e in events if is_meant(e, kind, data)]
        assert found, f"there is no {kind} with {data}"
        return [changed(e, **change) if e in found else e for e in events]

    return turn


def plus(*more: Event) -> Change:
    """Added before the trial is finished."""
    return lambda events: [*events[:-1], *more, events[-1]]


def unstruck(events: list[Event]) -> list[Event]:
    gone = plus(event("missed", reason="over too soon"))(without("fired")(events))
    return without("claim", section="damage")(gone)


NOT_HELD = {"answer": "not held"}
UNANSWERABLE = {"answer": "unanswerable"}
VACUOUS = {"population": 0}
TABLE = [
    # criterion, what is different, verdict, reason
    ("baseline", without("claim", section="steady_state"), "INCONCLUSIVE", "baseline_red"),
    ("baseline", turned("claim", NOT_HELD, name="calm"), "INCONCLUSIVE", "baseline_red"),
    ("baseline", turned("claim", UNANSWERABLE, name="calm"), "INCONCLUSIVE", "baseline_red"),
    ("baseline", turned("claim", VACUOUS, name="calm"), "INCONCLUSIVE", "baseline_red"),
    ("control", without("control"), "INCONCLUSIVE", "control_failed"),
    ("control", turned("control", {"ok": False}), "INCONCLUSIVE", "control_failed"),
    ("fault", without("fired"), "INCONCLUSIVE", "fault_missed"),
    ("fault", unstruck, "INCONCLUSIVE", "fault_missed"),
    ("fault", without("witness", source="victim"), "INCONCLUSIVE", "fault_missed"),
    ("fault", turned("witness", {"source": "injector"}), "INCONCLUSIVE", "fault_missed"),
    ("damage", without("claim", section="damage"), "INCONCLUSIVE", "no_damage"),
    ("damage", turned("claim", NOT_HELD, name="broken"), "INCONCLUSIVE", "no_damage"),
    ("damage", turned("claim", VACUOUS, name="broken"), "INCONCLUSIVE", "no_damage"),
    ("recovery", without("step.end"), "INCONCLUSIVE", "no_recovery"),
    ("recovery", turned("step.end", {"ok": False}), "FAIL", "recovery_failed"),
    (
        "recovery",
        plus(event("look", name="who blocks", ok=False, named=["other"])),
        "FAIL",
        "recovery_failed",
    ),
    ("recovery", turned("cell", {"objectives": {"rto_s": 0.001}}), "FAIL", "recovery_failed"),
    ("verification", without("claim", section="verify"), "INCONCLUSIVE", "vacuous_check"),
    ("verification", turned("claim", NOT_HELD, name="mended"), "FAIL", "end_state_wrong"),
    ("verification", turned("claim", UNANSWERABLE, name="mended"), "INCONCLUSIVE", "vacuous_check"),
    ("verification", turned("claim", VACUOUS, name="mended"), "INCONCLUSIVE", "vacuous_check"),
    ("verification", turned("claim", NOT_HELD, name="ledger"), "FAIL", "end_state_wrong"),
    ("collateral", without("claim", section="untouched"), "INCONCLUSIVE", "vacuous_check"),
    ("collateral", turned("claim", NOT_HELD, section="untouched"), "FAIL", "collateral_damage"),
    (
        "collateral",
        turned("claim", UNANSWERABLE, section="untouched"),
        "INCONCLUSIVE",
        "vacuous_check",
    ),
]


def test_all_seven_criteria_met_is_a_pass() -> None:
    """The one record that is green, with the measures that were folded from it."""
    judgement = judge(record())
    assert (judgement.verdict, judgement.reason) == (Verdict.PASS, "proved")
    assert [(criterion.name, criterion.met) for criterion in judgement.criteria] == [
        (name, True) for name in CRITERIA
    ]
    assert judgement.rto == RecoveryTime(8.0, 2.0, 1.0, 2.0, 3.0)
    assert (judgement.as_expected, judgement.counts_as) == (True, Verdict.PASS)


@pytest.mark.parametrize("criterion, change, verdict, reason", TABLE)
def test_a_criterion_that_is_not_met(
    criterion: str, change: Change, verdict: str, reason: str
) -> None:
    """Missing, false or vacuous: the criterion says so, and the verdict has its reason."""
    judgement = judge(change(record()))
    assert (judgement.verdict, judgement.reason) == (verdict, reason)
    assert next(g for g in judgement.criteria if g.name == criterion).met is not True
    assert judgement.counts_as == verdict


def test_every_criterion_is_in_the_table() -> None:
    """A criterion that nobody can miss proves nothing."""
    assert {criterion for criterion, *_ in TABLE} == set(CRITERIA)


PROBLEM = event("problem", verdict="ERROR", reason="ServerLost", message="it is gone")


@pytest.mark.parametrize(
    "changes, verdict",
    [
        ([plus(PROBLEM), turned("claim", NOT_HELD, name="mended"), without("control")], "FAIL"),
        ([plus(PROBLEM), turned("step.end", {"ok": False})], "FAIL"),
        ([plus(PROBLEM), without("control")], "ERROR"),
        ([plus(PROBLEM)], "ERROR"),
        ([without("finished"), without("control")], "ABORTED"),
        ([without("control")], "INCONCLUSIVE"),
        ([], "PASS"),
    ],
)
def test_the_gravest_finding_wins(changes: Sequence[Change], verdict: str) -> None:
    """FAIL > ERROR > ABORTED > INCONCLUSIVE > PASS: evidence against it beats every doubt."""
    events = record()
    for change in changes:
        events = change(events)
    assert judge(events).verdict == verdict


@given(st.integers(min_value=0, max_value=len(record()) - 1))
def test_a_record_cut_short_is_never_green(length: int) -> None:
    """The harness was killed: whatever it had proved until then, it had not ended."""
    judgement = judge(record()[:length])
    assert (judgement.verdict, judgement.reason) == (Verdict.ABORTED, "cut_off")


@pytest.mark.parametrize(
    "caught_by, as_expected, counts_as",
    [
        (["mended"], True, "PASS"),
        (["something else", "mended"], True, "PASS"),
        (["something else"], False, "FAIL"),
        (["mend it"], False, "FAIL"),
    ],
)
def test_a_decoy_must_be_caught_by_the_claim_it_names(caught_by, as_expected, counts_as) -> None:
    """Failing for another reason proves nothing about the trap."""
    cell = record(purpose="decoy", caught_by=caught_by)
    judgement = judge(turned("claim", NOT_HELD, name="mended")(cell))
    assert judgement.verdict == "FAIL"
    assert (judgement.as_expected, judgement.counts_as) == (as_expected, counts_as)
    missed = f"NOT CAUGHT, should have been caught by {' or '.join(sorted(caught_by))}."
    assert judgement.sentence.startswith(missed) is not as_expected
    assert judgement.outcome == ("CAUGHT" if as_expected else "NOT CAUGHT")


def test_a_step_may_catch_a_decoy() -> None:
    """Where the database itself refuses, the step that failed is the catch."""
    cell = record(purpose="decoy", caught_by=["mend it"])
    assert judge(turned("step.end", {"ok": False})(cell)).as_expected


@pytest.mark.parametrize(
    "purpose, change, verdict, outcome, counts_as",
    [
        ("decoy", lambda e: e, "PASS", "NOT CAUGHT", "FAIL"),
        ("decoy", without("control"), "INCONCLUSIVE", "NOT CAUGHT", "FAIL"),
        ("nothing-done", without("step.end"), "INCONCLUSIVE", "NOT CAUGHT", "FAIL"),
        ("nothing-done", turned("claim", NOT_HELD, name="mended"), "FAIL", "CAUGHT", "PASS"),
        ("no-injection", unstruck, "INCONCLUSIVE", "CAUGHT", "PASS"),
        ("no-injection", lambda e: e, "PASS", "NOT CAUGHT", "FAIL"),
        ("decoy", plus(PROBLEM), "ERROR", "ERROR", "ERROR"),
        ("no-injection", without("finished"), "ABORTED", "ABORTED", "ABORTED"),
        ("recovery", lambda e: e, "PASS", "PASS", "PASS"),
    ],
)
def test_what_a_trial_is_for_decides_what_counts(
    purpose: str, change: Change, verdict: str, outcome: str, counts_as: str
) -> None:
    """A wrong thing that slips through is a failure of the drill; a broken machine is not."""
    judgement = judge(change(record(purpose=purpose, caught_by=["mended"])))
    assert judgement.verdict == verdict
    assert (judgement.outcome, judgement.counts_as) == (outcome, counts_as)
    assert judgement.as_expected is (outcome in ("CAUGHT", "PASS"))


def test_who_gave_up_repaired_nothing() -> None:
    """What the harness did afterwards went well, and was not the person's: never a PASS."""
    judgement = judge(plus(event("given-up", took_s=12.0))(record()))
    assert (judgement.verdict, judgement.outcome) == ("FAIL", "NOT REPAIRED")
    assert "given up after 12 s" in judgement.sentence
    assert judgement.counts_as == "FAIL"


@pytest.mark.parametrize(
    "change",
    [
        plus(event("given-up", took_s=12.0)),
        turned("claim", NOT_HELD, name="mended"),
        turned("claim", UNANSWERABLE, name="mended"),
        turned("claim", VACUOUS, name="mended"),
        without("claim", section="verify"),
    ],
    ids=["given up", "not held", "unanswerable", "vacuous", "not asked"],
)
def test_there_is_no_recovery_time_of_what_was_not_recovered(change: Change) -> None:
    """It ends when everything is verified to hold, and is theirs who repaired it."""
    assert judge(change(record())).rto == RecoveryTime()


@pytest.mark.parametrize(
    "allowed, lost, verdict", [(0, 1, "FAIL"), (2, 1, "PASS"), (2, 2, "PASS"), (2, 3, "FAIL")]
)
def test_losses_are_held_against_the_objective(allowed: int, lost: int, verdict: str) -> None:
    """An objective allows so many lost writes, and only for what it counts."""
    events = record(objectives={"lost_writes": allowed, "lost_values": 0})
    judgement = judge(turned("claim", {**NOT_HELD, "lost": lost}, name="ledger")(events))
    assert (judgement.verdict, judgement.rpo.lost_writes) == (verdict, lost)


def test_an_objective_never_excuses_another_claim() -> None:
    """Lost writes are allowed; a wrong schema is not a lost write."""
    events = record(objectives={"lost_writes": 100, "lost_values": 100})
    changed = turned("claim", {**NOT_HELD, "lost": 1}, name="mended")(events)
    assert judge(changed).verdict == "FAIL"


def test_an_excused_loss_stays_visible() -> None:
    """It is no failed claim, and is counted all the same."""
    events = record(objectives={"lost_values": 5})
    judgement = judge(turned("claim", {**NOT_HELD, "lost": 2}, section="untouched")(events))
    assert (judgement.failed_claims, judgement.rpo.lost_values) == ((), 2)


def checked(**counts: Any) -> Event:
    return event("ledger", after="mend it", final=False, **counts)


def stale(key: int, counted: bool = True) -> Event:
    return event("stale-read", key=key, found="x", legal=["y"], counted=counted, after="mend it")


@pytest.mark.parametrize(
    "found, lost",
    [
        ([checked(for_good=3, misread=0)], 3),
        ([checked(for_good=1, misread=2)], 3),
        ([checked(for_good=3, misread=0), checked(for_good=3, misread=1)], 4),
        ([checked(for_good=3, misread=0), checked(unreadable="lock timeout")], 3),
        ([stale(7), stale(7), stale(8)], 2),
        ([checked(for_good=1, misread=0), stale(7), stale(8)], 2),
    ],
)
@pytest.mark.parametrize("last_look", [{}, UNANSWERABLE, {**NOT_HELD, "lost": 1}, None])
def test_what_was_seen_destroyed_stays_lost_whatever_the_last_look_says(
    found: list[Event], lost: int, last_look: dict | None
) -> None:
    """The ledger does not hold, by that name, and its losses are counted."""
    events = plus(*found)(record())
    change = without if last_look is None else partial(turned, change=last_look)
    judgement = judge(change("claim", name="ledger")(events))
    assert (judgement.verdict, judgement.reason) == (Verdict.FAIL, "end_state_wrong")
    assert (judgement.failed_claims, judgement.rpo.lost_writes) == (("ledger",), lost)
    assert "ledger: found" in judgement.sentence


@pytest.mark.parametrize(
    "found", [[checked(for_good=0, misread=0, incident=9)], [stale(7, counted=False)], []]
)
def test_what_the_incident_did_is_not_counted(found: list[Event]) -> None:
    """A read of the incident's damage is no loss of the recovery."""
    judgement = judge(plus(*found)(record()))
    assert (judgement.verdict, judgement.rpo.lost_writes) == (Verdict.PASS, 0)


def test_a_last_look_that_counted_more_is_left_as_it_is() -> None:
    """What was lost on the way is among what the claim has counted."""
    worse = turned("claim", {**NOT_HELD, "lost": 9, "found": "9 lost"}, name="ledger")
    judgement = judge(worse(plus(checked(for_good=3, misread=0))(record())))
    assert judgement.rpo.lost_writes == 9
    assert judgement.sentence == "Verification: ledger: found 9 lost, wanted that."


def test_an_objective_allows_so_many_writes_lost_on_the_way_too() -> None:
    """They are lost writes like any other."""
    for allowed, verdict in ((2, "FAIL"), (3, "PASS")):
        events = record(objectives={"lost_writes": allowed})
        judgement = judge(plus(checked(for_good=3, misread=0))(events))
        assert (judgement.verdict, judgement.rpo.lost_writes) == (verdict, 3)


claims = st.builds(
    claim,
    st.sampled_from(["steady_state", "damage", "verify", "untouched"]),
    st.sampled_from(["mended", "ledger", "other"]),
    st.sampled_from(["held", "not held", "unanswerable"]),
    population=st.sampled_from([None, 0, 5]),
    lost=st.integers(0, 3),
)
others = st.sampled_from(
    [
        event("control", ok=True, says=""),
        event("control", ok=False, says=""),
        witness("injector"),
        witness("victim"),
        event("fired"),
        event("missed", reason=""),
        event("step.end", name="s", ok=True),
        event("step.end", name="s", ok=False),
        event("look", name="l", ok=False, named=[]),
        PROBLEM,
        checked(for_good=1, misread=0),
        stale(7),
        event("finished"),
    ]
)
records = st.lists(claims | others, max_size=14).flatmap(
    lambda events: st.sampled_from([events, [*record()[:-1], *events, record()[-1]]])
)


@given(records)
def test_a_pass_implies_every_criterion(events: list[Event]) -> None:
    """Whatever is on the record, green means that all seven were met."""
    judgement = judge(events)
    if judgement.verdict is Verdict.PASS:
        assert [criterion.met for criterion in judgement.criteria] == [True] * 7
        assert judgement.failed_claims == ()


@given(records, st.integers(0, 30), st.sampled_from(["verify", "untouched"]))
def test_evidence_against_a_recovery_is_never_outvoted(
    events: list[Event], place: int, section: str
) -> None:
    """A claim of the end state that does not hold makes any record a FAIL."""
    assert judge([*events[:place], claim(section, "x", "not held"), *events[place:]]).verdict == (
        Verdict.FAIL
    )


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_a_run_is_as_bad_as_its_worst_trial(verdicts: list[Verdict]) -> None:
    """Independent of order and number."""
    assert merge(verdicts) == min(verdicts, key=WORST_FIRST.index)


def test_an_empty_run_proves_nothing() -> None:
    """No trial is not a success."""
    assert merge([]) is Verdict.INCONCLUSIVE

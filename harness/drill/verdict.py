"""Folds the record of a trial into a verdict. Pure: it can be done again without a database.

PASS needs all seven criteria; what cannot be proved is INCONCLUSIVE and never green; evidence that
the recovery failed wins over every uncertainty: FAIL > ERROR > INCONCLUSIVE > PASS, with
ABORTED beside them for a trial that was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from harness.drill.judgement import (
    EXPECTED,
    GAVE_UP,
    NOT_CAUGHT,
    Criterion,
    Judgement,
    Losses,
    RecoveryTime,
    Verdict,
)
from harness.record.events import (
    Cell,
    ClaimAnswered,
    ControlRun,
    FaultFired,
    FaultMissed,
    Finished,
    GivenUp,
    LedgerChecked,
    LookDone,
    Phase,
    Problem,
    StaleReadSeen,
    StepTaken,
    WitnessSeen,
)
from harness.record.timeline import Event, first, told


def judge(events: Sequence[Event[Any]]) -> Judgement:
    """The verdict on one trial, from its events alone."""
    record = _Record(events)
    criteria = (
        record.baseline(),
        record.control(),
        record.fault(),
        record.damage(),
        record.recovery(),
        record.verification(),
        record.collateral(),
    )
    verdict, reason, sentence = record.conclude(criteria)
    purpose, wanted_by = record.cell.purpose, record.cell.caught_by
    expected, failed = EXPECTED[purpose], record.failed_names()
    spoken = {*failed, "untouched"} if criteria[-1].met is False else set(failed)
    as_expected = verdict is expected and (purpose != "decoy" or bool(spoken & set(wanted_by)))
    judgement = Judgement(
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        criteria=criteria,
        failed_claims=failed,
        rto=record.rto(),
        rpo=record.rpo(),
        expected=expected,
        as_expected=as_expected,
    )
    if judgement.outcome != NOT_CAUGHT:
        return judgement
    by = " or ".join(sorted(wanted_by)) if purpose == "decoy" else f"the verdict {expected}"
    return replace(judgement, sentence=f"{NOT_CAUGHT}, should have been caught by {by}. {sentence}")


class _Record:
    """Answers about a list of events; every method reads, none decides alone."""

    def __init__(self, events: Sequence[Event[Any]]) -> None:
        self.events = events
        self.cell = first(events, Cell) or Cell()
        self.objectives = self.cell.objectives
        self.steps = [e.what for e in told(events, StepTaken) if e.edge == "end"]
        self.looks = [e.what for e in told(events, LookDone)]

    def claims(self, section: str) -> list[ClaimAnswered]:
        found = [e.what for e in told(self.events, ClaimAnswered) if e.what.section == section]
        return self._with_the_worst(found) if section == "verify" else found

    def _with_the_worst(self, claims: list[ClaimAnswered]) -> list[ClaimAnswered]:
        """A write that was seen destroyed stays lost, whatever the last look at the table says."""
        checks = [e.what.for_good + e.what.misread for e in told(self.events, LedgerChecked)]
        read = {e.what.key for e in told(self.events, StaleReadSeen) if e.what.counted}
        worst = max([*checks, len(read)])
        asked = [claim for claim in claims if claim.name == "ledger"]
        if not worst or any(c.answer == "not held" and c.lost >= worst for c in asked):
            return claims
        found = [f"{worst} acknowledged values destroyed after the first look at the table"]
        kept = ClaimAnswered(
            section="verify",
            name="ledger",
            answer="not held",
            found="; ".join(found + [claim.found for claim in asked]),
            wanted="every acknowledged write kept until the application itself overwrites it",
            population=worst,
            lost=worst,
        )
        return [*(claim for claim in claims if claim.name != "ledger"), kept]

    # ------------------------------------------------------------------ the seven criteria

    def baseline(self) -> Criterion:
        return self._all_held("baseline", "steady_state", "the steady state")

    def control(self) -> Criterion:
        control = first(self.events, ControlRun)
        if control is None:
            return Criterion("control", None, "the migration was not tried without the fault")
        return Criterion("control", control.ok, control.says)

    def fault(self) -> Criterion:
        if first(self.events, FaultFired) is None:
            missed = first(self.events, FaultMissed)
            if missed is None:
                return Criterion("fault", None, "the fault's moment was not reached")
            return Criterion("fault", False, f"it did not strike: {missed.reason}")
        witnesses = [event.what for event in told(self.events, WitnessSeen)]
        says = "; ".join(witness.says for witness in witnesses)
        if len({witness.source for witness in witnesses}) < 2:
            return Criterion("fault", False, f"fewer than two independent witnesses: {says}")
        return Criterion("fault", True, says)

    def damage(self) -> Criterion:
        return self._all_held("damage", "damage", "the damage")

    def recovery(self) -> Criterion:
        given_up = first(self.events, GivenUp)
        if given_up:
            says = f"nobody repaired it: given up after {given_up.took_s:.0f} s"
            return Criterion("recovery", False, says)
        wrong = next((look for look in self.looks if not look.ok), None)
        if wrong:
            says = f"the diagnosis {wrong.name!r} named {list(wrong.named)}"
            return Criterion("recovery", False, says)
        if not self.steps:
            return Criterion("recovery", None, "no step was taken")
        failed = next((step for step in self.steps if not step.ok), None)
        if failed:
            return Criterion("recovery", False, f"step {failed.name!r}: {failed.error}")
        if self.too_slow():
            return Criterion(
                "recovery",
                False,
                f"took {self.rto().total_ms:.0f} ms; the objective is {self.objectives.rto_s:g} s",
            )
        return Criterion("recovery", True, f"{len(self.steps)} steps done")

    def verification(self) -> Criterion:
        return self._all_held("verification", "verify", "the end state")

    def collateral(self) -> Criterion:
        return self._all_held("collateral", "untouched", "what should be untouched")

    def _all_held(self, name: str, section: str, what: str) -> Criterion:
        claims = self.claims(section)
        if not claims:
            return Criterion(name, None, f"{what} was not looked at")
        for answer, met in (("not held", False), ("unanswerable", None)):
            for claim in claims:
                if claim.answer == answer and not self._within_objective(claim):
                    says = f"{claim.name}: found {claim.found}, wanted {claim.wanted}"
                    return Criterion(name, met, says)
        empty = next((claim for claim in claims if claim.population == 0), None)
        if empty:
            return Criterion(name, None, f"{empty.name}: proved on nothing (vacuous)")
        return Criterion(name, True, f"all {len(claims)} claims hold")

    def _within_objective(self, claim: ClaimAnswered) -> bool:
        is_ledger = claim.name == "ledger"
        allowed = self.objectives.lost_writes if is_ledger else self.objectives.lost_values
        counted = is_ledger or claim.section == "untouched"
        return counted and claim.answer == "not held" and 0 < claim.lost <= allowed

    # ------------------------------------------------------------------ conclusions

    def conclude(self, criteria: Sequence[Criterion]) -> tuple[Verdict, str, str]:
        by_name = {criterion.name: criterion for criterion in criteria}
        problem = first(self.events, Problem)
        if problem is not None and problem.verdict == Verdict.ABORTED:
            return Verdict.ABORTED, problem.reason, problem.message
        gave_up = first(self.events, GivenUp) is not None
        for name, reason in (
            ("recovery", GAVE_UP if gave_up else "recovery_failed"),
            ("verification", "end_state_wrong"),
            ("collateral", "collateral_damage"),
        ):
            if by_name[name].met is False:
                return Verdict.FAIL, reason, f"{name.capitalize()}: {by_name[name].says}."
        if problem is not None:
            return Verdict(problem.verdict), problem.reason, problem.message
        if first(self.events, Finished) is None:
            return Verdict.ABORTED, "cut_off", "The record stops before the trial ended."
        for criterion in criteria:
            if criterion.met is not True:
                return (
                    Verdict.INCONCLUSIVE,
                    REASONS[criterion.name],
                    f"{criterion.name}: {criterion.says}.",
                )
        return Verdict.PASS, "proved", "The fault struck, the damage was seen and is repaired."

    def failed_names(self) -> tuple[str, ...]:
        """Names of the claims and steps that speak against the procedure, plus ``rto``."""
        names = [
            claim.name
            for section in ("verify", "untouched")
            for claim in self.claims(section)
            if claim.answer == "not held" and not self._within_objective(claim)
        ]
        names += [step.name for step in self.steps if not step.ok]
        names += [look.name for look in self.looks if not look.ok]
        return tuple(names + (["rto"] if self.too_slow() else []))

    # ------------------------------------------------------------------ measures

    def rto(self) -> RecoveryTime:
        """Nothing is known unless the whole way was gone, by whom it was to be gone, and held."""
        if first(self.events, GivenUp) or self.verification().met is not True:
            return RecoveryTime()
        fired = next((e.t_ns for e in told(self.events, FaultFired)), None)
        ends = [self._end_of_phase(n) for n in ("damage", "diagnose", "recover", "verify")]
        known = [mark for mark in (fired, *ends) if mark is not None]
        if len(known) < 1 + len(ends):
            return RecoveryTime()
        split = [(later - earlier) / 1e6 for earlier, later in pairwise(known)]
        return RecoveryTime((known[-1] - known[0]) / 1e6, *split)

    def _end_of_phase(self, name: str) -> int | None:
        phases = told(self.events, Phase)
        return next((e.t_ns for e in phases if e.edge == "end" and e.what.phase == name), None)

    def too_slow(self) -> bool:
        limit, measured = self.objectives.rto_s, self.rto().total_ms
        return limit is not None and measured is not None and measured > limit * 1000

    def rpo(self) -> Losses:
        writes = sum(claim.lost for claim in self.claims("verify") if claim.name == "ledger")
        return Losses(writes, sum(claim.lost for claim in self.claims("untouched")))


REASONS: Mapping[str, str] = {
    "baseline": "baseline_red",
    "control": "control_failed",
    "fault": "fault_missed",
    "damage": "no_damage",
    "recovery": "no_recovery",
    "verification": "vacuous_check",
    "collateral": "vacuous_check",
}

"""Folds the record of a trial into a verdict. Pure: it can be done again without a database.

PASS needs all seven criteria; what cannot be proved is INCONCLUSIVE and never green; evidence that
the recovery failed wins over every uncertainty: FAIL > ERROR > INCONCLUSIVE > PASS, with
ABORTED beside them for a trial that was cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.record.timeline import Event


class Verdict(StrEnum):
    """What a trial proved; ABORTED if it was cut off before it could."""

    PASS = "PASS"
    FAIL = "FAIL"
    ERROR = "ERROR"
    INCONCLUSIVE = "INCONCLUSIVE"
    ABORTED = "ABORTED"


SEVERITY = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.ABORTED,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
)
EXIT_CODES = {
    Verdict.FAIL: 1,
    Verdict.ERROR: 4,
    Verdict.ABORTED: 4,
    Verdict.INCONCLUSIVE: 3,
    Verdict.PASS: 0,
}
EXPECTED = {
    "recovery": Verdict.PASS,
    "decoy": Verdict.FAIL,
    "nothing-done": Verdict.FAIL,
    "no-injection": Verdict.INCONCLUSIVE,
}


@dataclass(frozen=True)
class Criterion:
    """One of the seven things a PASS needs: met, not met, or never reached (None)."""

    name: str
    met: bool | None
    says: str


@dataclass(frozen=True)
class Judgement:
    """A verdict, its reason code, one sentence, and everything it was folded from."""

    verdict: Verdict
    reason: str
    sentence: str
    criteria: tuple[Criterion, ...]
    failed_claims: tuple[str, ...]
    rto: Mapping[str, float] = field(default_factory=dict)
    rpo: Mapping[str, int] = field(default_factory=dict)
    expected: Verdict = Verdict.PASS
    as_expected: bool = False

    @property
    def counts_as(self) -> Verdict:
        """What the trial adds to its run: a wrong thing that was caught is a success."""
        if self.expected is Verdict.PASS:
            return self.verdict
        if self.as_expected:
            return Verdict.PASS
        return self.verdict if self.verdict in (Verdict.ERROR, Verdict.ABORTED) else Verdict.FAIL


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of them; INCONCLUSIVE for none at all, since nothing was proved."""
    found = set(verdicts)
    return next((v for v in SEVERITY if v in found), Verdict.INCONCLUSIVE)


def judge(events: Sequence[Event]) -> Judgement:
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
    purpose = record.cell.get("purpose", "recovery")
    expected = EXPECTED[purpose]
    failed = record.failed_names()
    caught_by = set(record.cell.get("caught_by", ()))
    spoken = {*failed, "untouched"} if criteria[-1].met is False else set(failed)
    as_expected = verdict is expected and (purpose != "decoy" or bool(caught_by & spoken))
    if purpose == "decoy" and verdict is Verdict.FAIL and not as_expected:
        sentence += f" Wanted it caught by: {', '.join(sorted(caught_by))}."
    return Judgement(
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


class _Record:
    """Answers about a list of events; every method reads, none decides alone."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        cell = self.first("cell")
        self.cell: Mapping[str, Any] = cell.data if cell else {}

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def first(self, kind: str) -> Event | None:
        return next((event for event in self.events if event.kind == kind), None)

    def claims(self, section: str) -> list[Event]:
        claims = [event for event in self.of("claim") if event.data["section"] == section]
        return self._with_the_worst(claims) if section == "verify" else claims

    def _with_the_worst(self, claims: list[Event]) -> list[Event]:
        """A write that was seen destroyed stays lost, whatever the last look at the table says."""
        checks = [e.data.get("for_good", 0) + e.data.get("misread", 0) for e in self.of("ledger")]
        read = {e.data["key"] for e in self.of("stale-read") if e.data["counted"]}
        worst = max([*checks, len(read)])
        asked = [claim.data for claim in claims if claim.data["name"] == "ledger"]
        told = any(data["answer"] == "not held" and data.get("lost", 0) >= worst for data in asked)
        if told or not worst:
            return claims
        found = [f"{worst} acknowledged values destroyed after the first look at the table"]
        data = {
            "section": "verify",
            "name": "ledger",
            "answer": "not held",
            "found": "; ".join(found + [data["found"] for data in asked]),
            "wanted": "every acknowledged write kept until the application itself overwrites it",
            "population": worst,
            "lost": worst,
        }
        others = [claim for claim in claims if claim.data["name"] != "ledger"]
        return [*others, Event(0, "claims", "claim", data)]

    @property
    def objectives(self) -> Mapping[str, Any]:
        return self.cell.get("objectives") or {}

    # ------------------------------------------------------------------ the seven criteria

    def baseline(self) -> Criterion:
        return self._all_held("baseline", "steady_state", "the steady state")

    def control(self) -> Criterion:
        control = self.first("control")
        if control is None:
            return Criterion("control", None, "the migration was not tried without the fault")
        return Criterion("control", control.data["ok"], control.data["says"])

    def fault(self) -> Criterion:
        if self.first("fired") is None:
            missed = self.first("missed")
            if missed is None:
                return Criterion("fault", None, "the fault's moment was not reached")
            return Criterion("fault", False, f"it did not strike: {missed.data['reason']}")
        witnesses = self.of("witness")
        sources = {event.data["source"] for event in witnesses}
        says = "; ".join(event.data["says"] for event in witnesses)
        if len(sources) < 2:
            return Criterion("fault", False, f"fewer than two independent witnesses: {says}")
        return Criterion("fault", True, says)

    def damage(self) -> Criterion:
        return self._all_held("damage", "damage", "the damage")

    def recovery(self) -> Criterion:
        steps = self.of("step.end")
        wrong_looks = [event for event in self.of("look") if not event.data["ok"]]
        if wrong_looks:
            look = wrong_looks[0].data
            return Criterion(
                "recovery", False, f"the diagnosis {look['name']!r} named {look['named']}"
            )
        if not steps:
            return Criterion("recovery", None, "no step was taken")
        failed = [event for event in steps if not event.data["ok"]]
        if failed:
            data = failed[0].data
            return Criterion("recovery", False, f"step {data['name']!r}: {data.get('error', '')}")
        if self.too_slow():
            return Criterion(
                "recovery",
                False,
                f"took {self.rto()['total_ms']:.0f} ms; the objective is "
                f"{self.objectives['rto_s']:g} s",
            )
        return Criterion("recovery", True, f"{len(steps)} steps done")

    def verification(self) -> Criterion:
        return self._all_held("verification", "verify", "the end state")

    def collateral(self) -> Criterion:
        return self._all_held("collateral", "untouched", "what should be untouched")

    def _all_held(self, name: str, section: str, what: str) -> Criterion:
        claims = self.claims(section)
        if not claims:
            return Criterion(name, None, f"{what} was not looked at")
        for answer in ("not held", "unanswerable"):
            bad = [event.data for event in claims if event.data["answer"] == answer]
            bad = [data for data in bad if not self._within_objective(data)]
            if bad:
                data = bad[0]
                return Criterion(
                    name,
                    False if answer == "not held" else None,
                    f"{data['name']}: found {data['found']}, wanted {data['wanted']}",
                )
        empty = [event.data for event in claims if event.data.get("population") == 0]
        if empty:
            return Criterion(name, None, f"{empty[0]['name']}: proved on nothing (vacuous)")
        return Criterion(name, True, f"all {len(claims)} claims hold")

    def _within_objective(self, claim: Mapping[str, Any]) -> bool:
        allowed = self.objectives.get(
            "lost_writes" if claim["name"] == "ledger" else "lost_values", 0
        )
        counted = claim["name"] == "ledger" or claim["section"] == "untouched"
        return counted and claim["answer"] == "not held" and 0 < claim.get("lost", 0) <= allowed

    # ------------------------------------------------------------------ conclusions

    def conclude(self, criteria: Sequence[Criterion]) -> tuple[Verdict, str, str]:
        by_name = {criterion.name: criterion for criterion in criteria}
        problem = self.first("problem")
        if problem is not None and problem.data["verdict"] == Verdict.ABORTED:
            return Verdict.ABORTED, problem.data["reason"], problem.data["message"]
        for name, reason in (
            ("recovery", "recovery_failed"),
            ("verification", "end_state_wrong"),
            ("collateral", "collateral_damage"),
        ):
            if by_name[name].met is False:
                return Verdict.FAIL, reason, f"{name.capitalize()}: {by_name[name].says}."
        if problem is not None:
            data = problem.data
            return Verdict(data["verdict"]), data["reason"], data["message"]
        if self.first("finished") is None:
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
            event.data["name"]
            for section in ("verify", "untouched")
            for event in self.claims(section)
            if event.data["answer"] == "not held" and not self._within_objective(event.data)
        ]
        names += [event.data["name"] for event in self.of("step.end") if not event.data["ok"]]
        names += [event.data["name"] for event in self.of("look") if not event.data["ok"]]
        return tuple(names + (["rto"] if self.too_slow() else []))

    # ------------------------------------------------------------------ measures

    def rto(self) -> Mapping[str, float]:
        """From the fault to the last verified claim, in ms, split by what the time went into."""
        fired = self.first("fired")
        ends = {
            name: self._end_of_phase(name) for name in ("damage", "diagnose", "recover", "verify")
        }
        if fired is None or None in ends.values():
            return {}
        marks = [fired.t_ns, *ends.values()]
        names = ("detect_ms", "decide_ms", "repair_ms", "verify_ms")
        split = {
            name: (later - earlier) / 1e6
            for name, earlier, later in zip(names, marks, marks[1:], strict=False)
        }
        return {"total_ms": (marks[-1] - marks[0]) / 1e6, **split}

    def _end_of_phase(self, name: str) -> int | None:
        return next((e.t_ns for e in self.of("phase.end") if e.data["phase"] == name), None)

    def too_slow(self) -> bool:
        limit, measured = self.objectives.get("rto_s"), self.rto()
        return limit is not None and bool(measured) and measured["total_ms"] > limit * 1000

    def rpo(self) -> Mapping[str, int]:
        """Acknowledged writes lost, and values lost of what should be untouched."""
        verified = self.claims("verify")
        writes = sum(e.data.get("lost", 0) for e in verified if e.data["name"] == "ledger")
        values = sum(e.data.get("lost", 0) for e in self.claims("untouched"))
        return {"lost_writes": writes, "lost_values": values}


REASONS = {
    "baseline": "baseline_red",
    "control": "control_failed",
    "fault": "fault_missed",
    "damage": "no_damage",
    "recovery": "no_recovery",
    "verification": "vacuous_check",
    "collateral": "vacuous_check",
}

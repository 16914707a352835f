"""What the judge says of one trial: the values of a verdict, and how many become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import ExitCode


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
EXIT_CODES: Mapping[Verdict, ExitCode] = {
    Verdict.FAIL: ExitCode.RED,
    Verdict.ERROR: ExitCode.MACHINE,
    Verdict.ABORTED: ExitCode.MACHINE,
    Verdict.INCONCLUSIVE: ExitCode.UNKNOWN,
    Verdict.PASS: ExitCode.GREEN,
}
EXPECTED: Mapping[str, Verdict] = {
    "recovery": Verdict.PASS,
    "decoy": Verdict.FAIL,
    "nothing-done": Verdict.FAIL,
    "no-injection": Verdict.INCONCLUSIVE,
}
"""What must come out, by what a trial is for."""
CAUGHT, NOT_CAUGHT, NOT_REPAIRED = "CAUGHT", "NOT CAUGHT", "NOT REPAIRED"
"""How a counter-check came out: as it must, or not; and what a person did not mend."""
GAVE_UP = "given_up"
"""The reason of a trial that a person was to repair, and did not."""


@dataclass(frozen=True)
class Criterion:
    """One of the seven things a PASS needs: met, not met, or never reached (None)."""

    name: str
    met: bool | None
    says: str


@dataclass(frozen=True)
class RecoveryTime:
    """From the fault to the last verified claim, in ms, split by what the time went into."""

    total_ms: float | None = None
    detect_ms: float | None = None
    decide_ms: float | None = None
    repair_ms: float | None = None
    verify_ms: float | None = None


@dataclass(frozen=True)
class Losses:
    """Acknowledged writes lost, and values lost of what should be untouched."""

    lost_writes: int = 0
    lost_values: int = 0


@dataclass(frozen=True)
class Judgement:
    """A verdict, its reason code, one sentence, and everything it was folded from."""

    verdict: Verdict
    reason: str
    sentence: str
    criteria: tuple[Criterion, ...]
    failed_claims: tuple[str, ...]
    rto: RecoveryTime
    rpo: Losses
    expected: Verdict
    as_expected: bool

    @property
    def outcome(self) -> str:
        """What the trial is called: its verdict, or of a counter-check whether it was caught."""
        if self.reason == GAVE_UP:
            return NOT_REPAIRED
        if self.expected is Verdict.PASS or self.verdict in (Verdict.ERROR, Verdict.ABORTED):
            return str(self.verdict)
        return CAUGHT if self.as_expected else NOT_CAUGHT

    @property
    def counts_as(self) -> Verdict:
        """What the trial adds to its run: a wrong thing that was caught is a success."""
        return {CAUGHT: Verdict.PASS, NOT_CAUGHT: Verdict.FAIL}.get(self.outcome, self.verdict)


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of them; INCONCLUSIVE for none at all, since nothing was proved."""
    found = set(verdicts)
    return next((v for v in SEVERITY if v in found), Verdict.INCONCLUSIVE)

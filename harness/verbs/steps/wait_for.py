"""Waits until a claim holds."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DeadlineExceeded, StepFailed
from harness.model import Claim
from harness.ports import Answer, Finding
from harness.verbs.protocols import StepKind, Target
from harness.waiting import until

POLL_S = 0.02


@dataclass(frozen=True)
class WaitFor(StepKind):
    """``wait_for`` is one claim; asked again every 20 ms until the step's deadline."""

    wait_for: Claim

    def perform(self, target: Target, deadline_s: float) -> str:
        findings: list[Finding] = []

        def held() -> bool:
            findings.append(self.wait_for.probe.check(target))
            return findings[-1].answer is Answer.HELD

        try:
            until("the claim to hold", deadline_s, held, poll_s=POLL_S)
        except DeadlineExceeded as error:
            last = findings[-1]
            raise StepFailed(f"{error}: found {last.found}, wanted {last.wanted}") from error
        return findings[-1].found


KIND = WaitFor

"""Waits until a claim holds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.errors import StepFailed
from harness.model import Claim
from harness.ports import Answer, StepKind, Target

POLL_S = 0.02


@dataclass(frozen=True)
class WaitFor(StepKind):
    """``wait_for`` is one claim; asked again every 20 ms until the step's deadline."""

    wait_for: Claim

    def perform(self, target: Target, deadline_s: float) -> str:
        end = time.monotonic() + deadline_s
        while True:
            finding = self.wait_for.probe.check(target)
            if finding.answer is Answer.HELD:
                return finding.found
            if time.monotonic() >= end:
                raise StepFailed(
                    f"still not so after {deadline_s:g} s: found {finding.found}, "
                    f"wanted {finding.wanted}"
                )
            time.sleep(POLL_S)


KIND = WaitFor

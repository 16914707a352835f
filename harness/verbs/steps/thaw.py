"""The frozen server goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Pausable
from harness.record.events import ServerResumed
from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class Thaw(StepKind):
    """Ends what the fault ``pause-server`` began."""

    thaw: Literal["server"]

    def perform(self, target: Target, deadline_s: float) -> str:
        if isinstance(target.server, Pausable):
            target.server.resume()
        target.shelf.frozen = False
        target.timeline.add(ServerResumed("thawed by a step"))
        target.observer()
        return "the server answers again"


KIND = Thaw

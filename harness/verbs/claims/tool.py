"""What the migration tool believes, read from its table and never from its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class ToolClaim(ClaimKind):
    """``tool: clean`` or ``dirty``, at ``version``; ``locked`` / ``unlocked`` is its lock."""

    tool: Literal["clean", "dirty", "locked", "unlocked"]
    version: int | None = None

    def check(self, target: Target) -> Finding:
        if self.tool in ("locked", "unlocked"):
            found = "locked" if target.tool_is_locked() else "unlocked"
            return _finding(found == self.tool, found, self.tool)
        belief = target.tool_believes()
        told = belief.stuck[-1:] if belief.stuck else belief.applied[-1:]
        if not told:
            found = "no version: as if nothing had ever been applied"
            return _finding(False, found, self._wanted())
        found = f"version {told[0]}, {'dirty' if belief.stuck else 'clean'}"
        is_as_wanted = bool(belief.stuck) == (self.tool == "dirty")
        is_at_version = self.version is None or told[0] == str(self.version)
        return _finding(is_as_wanted and is_at_version, found, self._wanted())

    def _wanted(self) -> str:
        return self.tool if self.version is None else f"version {self.version}, {self.tool}"


def _finding(right: bool, found: str, wanted: str) -> Finding:
    return Finding(Answer.HELD if right else Answer.NOT_HELD, found, wanted)


KIND = ToolClaim

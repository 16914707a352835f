"""What the migration tool believes, read from its table and never from its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import DatabaseError
from harness.ports import Answer, ClaimKind, Finding, Target
from harness.tools import version_table


@dataclass(frozen=True)
class Tool(ClaimKind):
    """``tool: clean`` or ``dirty``, at ``version``; ``locked`` / ``unlocked`` is its lock."""

    tool: Literal["clean", "dirty", "locked", "unlocked"]
    version: int | None = None

    def check(self, target: Target) -> Finding:
        with target.asking() as session:
            if self.tool in ("locked", "unlocked"):
                try:
                    with version_table.locked(session, target.engine.dialect, target.database):
                        found = "unlocked"
                except DatabaseError as error:
                    if error.code != version_table.LOCKED:
                        raise
                    found = "locked"
                right, wanted = found == self.tool, self.tool
            else:
                state = version_table.read_version(session)
                found = (
                    f"version {state[0]}, {'dirty' if state[1] else 'clean'}"
                    if state
                    else "no version: as if nothing had ever been applied"
                )
                right = (
                    state is not None
                    and state[1] == (self.tool == "dirty")
                    and self.version in (None, state[0])
                )
                wanted = (
                    self.tool if self.version is None else f"version {self.version}, {self.tool}"
                )
        return Finding(Answer.HELD if right else Answer.NOT_HELD, found, wanted)


KIND = Tool

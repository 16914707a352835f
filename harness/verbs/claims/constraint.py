"""A constraint over columns, as the catalogue has it, whatever its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class ConstraintClaim(ClaimKind):
    """``constraint: unique`` ``over: users.username`` exists, or not.

    Kinds: ``primary``, ``unique``, ``foreign``, ``check``. Several columns: ``users.a,b``.
    """

    constraint: Literal["primary", "unique", "foreign", "check"]
    over: str
    exists: bool = True

    def check(self, target: Target) -> Finding:
        table, _, names = self.over.partition(".")
        columns = tuple(name.strip() for name in names.split(","))
        with target.asking() as session:
            every = target.engine.catalog.constraints(session, table).values()
        there = [c for c in every if c.kind == self.constraint and tuple(c.columns) == columns]
        right = bool(there) == self.exists
        found = ", ".join(c.name for c in there) or f"no {self.constraint} constraint"
        return Finding(
            Answer.HELD if right else Answer.NOT_HELD,
            found,
            "there" if self.exists else "not there",
        )


KIND = ConstraintClaim

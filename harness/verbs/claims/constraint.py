"""A constraint over columns, as the catalogue has it, whatever its name unless one is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class ConstraintClaim(ClaimKind):
    """``constraint: unique`` ``over: users.username`` exists, or not.

    Kinds: ``primary``, ``unique``, ``foreign``, ``check``. Several columns: ``users.a,b``. Some
    catalogues do not tell over which columns a check is: there it has to be ``called`` by name.
    """

    constraint: Literal["primary", "unique", "foreign", "check"]
    over: str
    called: str | None = None
    exists: bool = True

    def check(self, target: Target) -> Finding:
        table, _, names = self.over.partition(".")
        columns = tuple(name.strip() for name in names.split(","))
        with target.asking() as session:
            every = target.engine.catalog.constraints(session, table).values()
        of_kind = [c for c in every if c.kind == self.constraint]
        named = [c for c in of_kind if self.called in (None, c.name)]
        there = [c for c in named if tuple(c.columns) == columns or (self.called and not c.columns)]
        wanted = "there" if self.exists else "not there"
        untold = [c.name for c in of_kind if not c.columns]
        if untold and self.called is None:
            found = f"{', '.join(untold)}, over nobody knows what: say how it is 'called'"
            return Finding(Answer.UNANSWERABLE, found, wanted)
        found = ", ".join(c.name for c in there) or f"no {self.constraint} constraint"
        right = bool(there) == self.exists
        return Finding(Answer.HELD if right else Answer.NOT_HELD, found, wanted)


KIND = ConstraintClaim

"""The whole schema, compared object by object with a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, Finding
from harness.state.difference import difference
from harness.state.snapshot import Snapshot, schema_of
from harness.verbs.protocols import ClaimKind, Target

TOLD = 8
"""Objects that are named; of more, how many there are."""


@dataclass(frozen=True)
class Schema(ClaimKind):
    """``schema: as-before`` the migration, or ``as-migrated``: as an unbroken run leaves it.

    Every object of every schema, with its validity, grants, owner and comment, and what sequences
    give next; not the order of columns, which is told only.
    """

    schema: Literal["as-before", "as-migrated"]

    def check(self, target: Target) -> Finding:
        with target.asking() as session:
            now = schema_of(target.engine, session)
        wanted = self._reference(target)
        if wanted is None:
            return Finding(Answer.UNANSWERABLE, "no unbroken run went through", self.schema)
        gap = difference(wanted, now)
        told = gap.lines(wanted, now, target.engine.snapshot.DUPLICATE)
        found = "; ".join(told[:TOLD]) + (f"; and {len(told) - TOLD} more" if told[TOLD:] else "")
        if not gap:
            found = f"all {len(wanted.objects)} objects are the same"
            if gap.order:
                found += f", but for the order of the columns of {', '.join(gap.order)}"
        return Finding(
            Answer.NOT_HELD if gap else Answer.HELD,
            found,
            self.schema,
            population=len(wanted.objects),
        )

    def _reference(self, target: Target) -> Snapshot | None:
        if self.schema == "as-migrated":
            return target.migrated
        with target.asking(target.pristine) as session:
            return schema_of(target.engine, session)


KIND = Schema

"""Rows and values are as they were before, but for what the application itself wrote."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ports import Answer, ClaimKind, Finding, Target
from harness.state.comparison import differing


@dataclass(frozen=True)
class LikeBefore(ClaimKind):
    """``like_before: users.email`` (a column) or ``users`` (every column it had before).

    Compared with the pristine database by checksum on the server, leaving out the rows that
    the application touched: those are the ledger's business.
    """

    like_before: str

    def check(self, target: Target) -> Finding:
        table, _, column = self.like_before.partition(".")
        had, lost = differing(target, table, (column,) if column else ())
        return Finding(
            answer=Answer.NOT_HELD if lost else Answer.HELD,
            found=f"{lost} of {had} rows differ" if lost else f"all {had} rows are the same",
            wanted=f"{self.like_before} as before",
            population=had,
            lost=lost,
        )


KIND = LikeBefore

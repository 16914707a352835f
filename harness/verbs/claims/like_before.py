"""Rows and values are as they were before, but for what the application itself wrote."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ports import Answer, Finding
from harness.state.row_comparison import compare
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class LikeBefore(ClaimKind):
    """``like_before: users.email`` (a column) or ``users`` (every column it had before).

    Compared with the pristine database by checksum on the server, leaving out the rows that
    the application touched: those are the ledger's business.
    """

    like_before: str

    def check(self, target: Target) -> Finding:
        table, _, column = self.like_before.partition(".")
        with target.asking(target.pristine) as before, target.asking() as now:
            gap = compare(
                target.engine,
                before,
                now,
                table,
                columns=(column,) if column else (),
                without=lambda: target.touched(table),
            )
        return Finding(
            answer=Answer.NOT_HELD if gap else Answer.HELD,
            found=str(gap) if gap else f"all {gap.had} rows are the same",
            wanted=f"{self.like_before} as before",
            population=gap.had,
            lost=gap.count,
        )


KIND = LikeBefore

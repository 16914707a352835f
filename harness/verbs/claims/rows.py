"""How many rows of a table meet a condition, of those it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.model import Sql
from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target, sql_for


@dataclass(frozen=True)
class RowsClaim(ClaimKind):
    """``rows: users`` / ``holds: phone IS NULL`` / ``are: none``, at any number of rows.

    ``among`` narrows the rows it is about; if there are none of those, nothing was proved.
    """

    rows: str
    holds: Sql
    are: Literal["all", "none", "some"] = "all"
    among: Sql = "1=1"

    def check(self, target: Target) -> Finding:
        holds, among = sql_for(target, self.holds), sql_for(target, self.among)
        with target.asking() as session:
            total, met = session.run(
                f"SELECT COUNT(*), COUNT(CASE WHEN {holds} THEN 1 END) "
                f"FROM {self.rows} WHERE {among}"
            ).rows[0]
        right = {"all": met == total, "none": met == 0, "some": met > 0}[self.are]
        stray = {"all": total - met, "none": met, "some": 0}[self.are]
        return Finding(
            answer=Answer.HELD if right else Answer.NOT_HELD,
            found=f"{met} of {total} rows",
            wanted=f"{self.are} of the rows: {holds}",
            population=total,
            lost=stray if not right else 0,
        )


KIND = RowsClaim

"""Rows and values are as they were before, but for what the application itself wrote."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ports import Answer, ClaimKind, Finding, Target


@dataclass(frozen=True)
class LikeBefore(ClaimKind):
    """``like_before: users.email`` (a column) or ``users`` (every column it had before).

    Compared with the pristine database by checksum on the server, leaving out the rows that
    the application touched: those are the ledger's business.
    """

    like_before: str

    def check(self, target: Target) -> Finding:
        table, _, column = self.like_before.partition(".")
        catalog = target.engine.catalog
        touched = target.touched(table)
        with target.session("verifier", target.pristine) as before, target.asking() as now:
            key = catalog.key_of(before, table)
            columns = (column,) if column else tuple(catalog.columns(before, table))
            had, sum_before = catalog.checksum(before, table, columns, key, touched)
            has, sum_now = catalog.checksum(now, table, columns, key, touched)
            lost = 0
            if (had, sum_before) != (has, sum_now):
                old = catalog.row_hashes(before, table, key, columns, touched)
                new = catalog.row_hashes(now, table, key, columns, touched)
                lost = sum(new.get(k) != v for k, v in old.items()) + len(new.keys() - old.keys())
        return Finding(
            answer=Answer.NOT_HELD if lost else Answer.HELD,
            found=f"{lost} of {had} rows differ" if lost else f"all {had} rows are the same",
            wanted=f"{self.like_before} as before",
            population=had,
            lost=lost,
        )


KIND = LikeBefore

"""How much work a query is, in buffers or rows read, compared with before. Never in time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Sql, in_dialect
from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class CostClaim(ClaimKind):
    """The cost of ``cost`` now, divided by its cost in the pristine database before."""

    cost: Sql
    at_least_times: float | None = None
    at_most_times: float | None = None

    def check(self, target: Target) -> Finding:
        text = in_dialect(self.cost, target.engine.name, target.engine.dialect)
        measure = target.engine.plans.cost
        with target.asking() as session:
            now = measure(session, text)
        with target.asking(target.pristine) as session:
            before = measure(session, text)
        times = now.amount / max(before.amount, 1)
        right = (self.at_least_times is None or times >= self.at_least_times) and (
            self.at_most_times is None or times <= self.at_most_times
        )
        target.timeline.add("claims", "plan", now=now.plan, before=before.plan)
        wanted = [
            f"{word} {bound:g} times as before"
            for word, bound in (("at least", self.at_least_times), ("at most", self.at_most_times))
            if bound is not None
        ]
        return Finding(
            Answer.HELD if right else Answer.NOT_HELD,
            f"{now.amount} {now.unit}, {times:.2f} times the {before.amount} before",
            " and ".join(wanted),
            population=before.amount,
        )


KIND = CostClaim

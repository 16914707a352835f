"""How much work a query is, in buffers or rows read, compared with before. Never in time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Sql
from harness.ports import Answer, Finding
from harness.record.events import PlansCompared
from harness.verbs.protocols import ClaimKind, Target, sql_for


@dataclass(frozen=True)
class CostClaim(ClaimKind):
    """The cost of ``cost`` now, divided by its cost in the pristine database before."""

    cost: Sql
    at_least_times: float | None = None
    at_most_times: float | None = None

    def check(self, target: Target) -> Finding:
        text = sql_for(target, self.cost)
        measure = target.engine.plans.cost
        with target.asking() as session:
            now = measure(session, text)
        with target.asking(target.pristine) as session:
            before = measure(session, text)
        times = now.amount / max(before.amount, 1)
        right = (self.at_least_times is None or times >= self.at_least_times) and (
            self.at_most_times is None or times <= self.at_most_times
        )
        target.timeline.add(PlansCompared(before=before.plan, now=now.plan))
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

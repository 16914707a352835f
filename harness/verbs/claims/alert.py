"""A rule of the monitoring: a query with a threshold, loud or silent."""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.errors import DeadlineExceeded
from harness.model import Sql
from harness.ports import Answer, Finding, Rows
from harness.verbs.protocols import ClaimKind, Target, sql_for
from harness.waiting import until

EVALUATED_S = 0.1
"""Between two evaluations of a rule."""


@dataclass(frozen=True)
class Alert(ClaimKind):
    """The first value of ``alert`` rises above a bound ``within`` the time; with ``fires: false``
    it comes to lie at the bound or below.

    ``over`` and ``around`` are for a query that counts from the server's start, as counters of
    errors and of rows read do: then the value is how much the count has grown, in that time or by
    those statements. They are what users ask for, sent by the monitoring itself.
    """

    alert: Sql
    above: float = 0
    fires: bool = True
    over_s: float | None = None
    around: tuple[Sql, ...] = ()
    within_s: float = 10.0

    def check(self, target: Target) -> Finding:
        begun, seen = time.monotonic(), 0.0

        def is_so() -> bool:
            nonlocal seen
            seen = self._value(target)
            return (seen > self.above) is self.fires

        wanted = f"above {self.above:g}" if self.fires else f"at most {self.above:g}"
        try:
            until("the alert", self.within_s, is_so, EVALUATED_S)
        except DeadlineExceeded:
            told = f"{seen:g}, also after {self.within_s:g} s"
            return Finding(Answer.NOT_HELD, told, wanted)
        return Finding(Answer.HELD, f"{seen:g}, {time.monotonic() - begun:.1f} s from now", wanted)

    def _value(self, target: Target) -> float:
        """Asked outside a transaction, as a monitoring does; 0 where the query finds nothing."""
        with target.asking() as session:
            first = _number(session.run(sql_for(target, self.alert)))
            if self.over_s is None and not self.around:
                return first
            for sql in self.around:
                session.run(sql_for(target, sql))
            time.sleep(self.over_s or 0)
            return _number(session.run(sql_for(target, self.alert))) - first


def _number(found: Rows) -> float:
    return float(found.rows[0][0] or 0) if found.rows else 0.0


KIND = Alert

"""What the application's workers experience: operations in flight and operations finished.

Counts only; it sends nothing and judges nothing. All times are nanoseconds since the trial
began, so that they can be laid beside any event of the record.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.ports import Traffic

WAITING_MS = 50
"""An operation in flight for longer counts as waiting."""


@dataclass(frozen=True)
class Done:
    """A finished operation; ``error`` is empty if it went well."""

    began_ns: int
    ended_ns: int
    error: str

    @property
    def ms(self) -> float:
        return (self.ended_ns - self.began_ns) / 1e6


class Pulse:
    """Keeps the operations of every worker; workers are known by name.

    ``gate`` guards everything kept here and is notified whenever an operation ends; who
    holds it may ask and begin in one step.
    """

    def __init__(self, workers: Sequence[str], now_ns: Callable[[], int]) -> None:
        self.gate = threading.Condition()
        self.now_ns = now_ns
        self._begun: dict[str, int] = {}
        self._done: dict[str, list[Done]] = {worker: [] for worker in workers}

    def begin(self, worker: str) -> int:
        """An operation of this worker begins now; begun again, it counts from now."""
        with self.gate:
            self._begun[worker] = self.now_ns()
            return self._begun[worker]

    def abandon(self, worker: str) -> None:
        """What this worker began is not counted."""
        with self.gate:
            self._begun.pop(worker, None)
            self.gate.notify_all()

    def finish(self, worker: str, error: str) -> None:
        """What this worker began has ended; ``error`` is empty if it went well."""
        with self.gate:
            now_ns = self.now_ns()
            self._done[worker].append(Done(self._begun.pop(worker, now_ns), now_ns, error))
            self.gate.notify_all()

    def in_flight(self, worker: str) -> bool:
        with self.gate:
            return worker in self._begun

    def ok_begun_since(self, worker: str, since_ns: int) -> int:
        """How many operations of this worker began since and went well."""
        return sum(
            done.began_ns >= since_ns and not done.error for done in self._since(worker, since_ns)
        )

    def traffic(self, since_ns: int, *, begun_since_ns: int = 0) -> Traffic:
        """What finished since, and what is in flight now, however long ago it began."""
        traffic = Traffic()
        with self.gate:
            finished = [done for worker in self._done for done in self._since(worker, since_ns)]
            now_ns = self.now_ns()
            flying_ms = [(now_ns - begun_ns) / 1e6 for begun_ns in self._begun.values()]
        errors = []
        for done in finished:
            if done.began_ns >= begun_since_ns:
                traffic.ok += not done.error
                traffic.worst_ms = max(traffic.worst_ms, done.ms)
                if done.error:
                    errors.append(done)
        traffic.errors = len(errors)
        if errors:
            traffic.first_error = min(errors, key=lambda done: done.ended_ns).error
        traffic.waiting = sum(ms > WAITING_MS for ms in flying_ms)
        traffic.longest_wait_ms = max([traffic.worst_ms, *flying_ms])
        return traffic

    def _since(self, worker: str, since_ns: int) -> list[Done]:
        with self.gate:
            done = self._done[worker]
            return done[bisect_left(done, since_ns, key=lambda one: one.ended_ns) :]

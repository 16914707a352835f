"""Lets the migration run into its own lock timeout, held inside its statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports import Order, Witness
from harness.verbs.faults._witnesses import of_victim
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class TimeOut(FaultKind):
    """``lock_timeout`` (PostgreSQL), ``innodb_lock_wait_timeout`` (MySQL: at least 1 s)."""

    lock_timeout_ms: float = 300

    def order(self) -> Order:
        return Order(limits={"lock_ms": int(self.lock_timeout_ms)})

    def strike(self, target: Target) -> Sequence[Witness]:
        said = f"gave the migration a lock timeout of {self.lock_timeout_ms:g} ms"
        return [Witness("injector", said), of_victim(target, self.deadline_s)]


KIND = TimeOut

"""Puts a statement with an error in the place of the one that was meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports import Order, Witness
from harness.verbs.faults._witnesses import of_victim
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class FailStatement(FaultKind):
    """The migrator sends ``instead`` where ``at: {before: n}`` says; the server refuses it."""

    instead: str

    def order(self) -> Order:
        return Order(instead=self.instead)

    def strike(self, target: Target) -> Sequence[Witness]:
        sent = Witness("injector", f"sent in its place: {self.instead}")
        return [sent, of_victim(target, self.deadline_s)]


KIND = FailStatement

"""Another session holds one row for update; an UPDATE that reaches it waits there."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gates import _holding
from harness.ports import GateKind, SessionInfo, Target


@dataclass(frozen=True)
class RowLock(GateKind):
    """``row_lock: users`` holds the row whose ``key`` is ``row``.

    Where DDL has already locked the table in the same transaction, use ``trigger`` instead.
    """

    row_lock: str
    row: int
    key: str = "id"

    def arm(self, target: Target) -> None:
        session = target.connect("blocker")
        _holding.hold(target, self, session)
        target.engine.gating.hold_row(session, self.row_lock, self.key, self.row)

    def open(self, target: Target) -> None:
        _holding.let_go(target)

    def holder(self, target: Target) -> SessionInfo | None:
        return _holding.holder(target)


KIND = RowLock

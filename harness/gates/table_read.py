"""Another session read the table in a transaction and stays idle in it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gates import _holding
from harness.ports import GateKind, SessionInfo, Target


@dataclass(frozen=True)
class TableRead(GateKind):
    """``table_read: users``: the forgotten reader that makes an ALTER TABLE wait."""

    table_read: str

    def arm(self, target: Target) -> None:
        session = target.connect("blocker")
        _holding.hold(target, self, session)
        target.engine.gating.hold_table_read(session, self.table_read)

    def open(self, target: Target) -> None:
        _holding.let_go(target)

    def holder(self, target: Target) -> SessionInfo | None:
        return _holding.holder(target)


KIND = TableRead

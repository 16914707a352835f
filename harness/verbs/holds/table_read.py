"""Another session read the table in a transaction and stays idle in it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.verbs.holds._holding import SessionHold
from harness.verbs.protocols import Target


@dataclass(frozen=True)
class TableRead(SessionHold):
    """``table_read: users``: the forgotten reader that makes an ALTER TABLE wait."""

    table_read: str

    def arm(self, target: Target) -> None:
        session = self.take_session(target)
        target.engine.holding.hold_table_read(session, self.table_read)


KIND = TableRead

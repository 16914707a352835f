"""Another session holds one row for update; an UPDATE that reaches it waits there."""

from __future__ import annotations

from dataclasses import dataclass

from harness.verbs.holds._holding import SessionHold
from harness.verbs.protocols import Target


@dataclass(frozen=True)
class RowLock(SessionHold):
    """``row_lock: users`` holds the row whose ``key`` is ``row``.

    Where DDL has already locked the table in the same transaction, use ``trigger`` instead.
    """

    row_lock: str
    row: int
    key: str = "id"

    def arm(self, target: Target) -> None:
        session = self.take_session(target)
        target.engine.holding.hold_row(session, self.row_lock, self.key, self.row)


KIND = RowLock

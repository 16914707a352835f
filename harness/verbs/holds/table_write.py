"""Another session wrote to the table in a transaction and stays idle in it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.verbs.holds._holding import SessionHold
from harness.verbs.protocols import Target


@dataclass(frozen=True)
class TableWrite(SessionHold):
    """``table_write: users``: the forgotten writer whom an index build has to wait for.

    The row whose ``key`` is ``row`` stays locked, so the application should not touch it.
    """

    table_write: str
    row: int
    key: str = "id"

    def arm(self, target: Target) -> None:
        session = self.take_session(target)
        target.engine.holding.hold_row(session, self.table_write, self.key, self.row)
        session.run(
            f"UPDATE {self.table_write} SET {self.key} = {self.row} WHERE {self.key} = {self.row}"
        )


KIND = TableWrite

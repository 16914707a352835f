"""Parks an online ALTER TABLE between its work and its end, behind a reader that came late."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from harness.errors import DeadlineExceeded
from harness.verbs.holds._holding import SessionHold
from harness.verbs.protocols import Target
from harness.waiting import until

DEADLINE_S = 30.0


@dataclass(frozen=True)
class LateReader(SessionHold):
    """``late_reader: events``. A first reader stops the ALTER at its start; a second queues
    behind it; when the first leaves, the ALTER begins, admits the second while it works, and
    then cannot end before the second does. Only for engines whose DDL is online.
    """

    late_reader: str

    def arm(self, target: Target) -> None:
        session = self.take_session(target)
        target.engine.holding.hold_table_read(session, self.late_reader)

    def follow(self, target: Target) -> None:
        late = target.connect("blocker")
        arrived = threading.Thread(
            target=target.engine.holding.hold_table_read, args=(late, self.late_reader), daemon=True
        )
        arrived.start()
        self._wait_until_queued(target, late.pid)
        self.release(target)
        self.hold_with(target, late)
        arrived.join(DEADLINE_S)
        if arrived.is_alive():
            raise DeadlineExceeded("the late reader was never admitted: is this DDL online?")

    def _wait_until_queued(self, target: Target, pid: int) -> None:
        def queued() -> bool:
            pairs = target.engine.sessions.waiting(target.observer(), target.database)
            return any(waiter == pid for waiter, _ in pairs)

        until("the late reader to queue behind the migration", DEADLINE_S, queued)


KIND = LateReader

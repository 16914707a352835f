"""A trigger on one row waits for an advisory lock that another session holds."""

from __future__ import annotations

from dataclasses import dataclass

from harness.verbs.holds._holding import SessionHold
from harness.verbs.protocols import Target


@dataclass(frozen=True)
class Trigger(SessionHold):
    """``trigger: users`` holds an UPDATE at the row whose ``key`` is ``row``.

    Works where a row lock cannot be taken because the same transaction changed the table.
    The trigger is there from before the migration until the hold released.
    """

    trigger: str
    row: int
    key: str = "id"

    def prepare(self, target: Target) -> None:
        """Install the trigger before the migration starts: later the table may be locked."""
        with target.session("blocker") as session:
            target.engine.holding.install_trigger(
                session, self.trigger, self.key, self.row, self._name(target)
            )

    def arm(self, target: Target) -> None:
        session = self.take_session(target)
        target.engine.holding.take_lock(session, self._name(target))

    def clear(self, target: Target) -> None:
        """Remove the trigger, once nobody is parked in it any more."""
        with target.session("blocker") as session:
            target.engine.holding.remove_trigger(session, self.trigger, self._name(target))

    def _name(self, target: Target) -> str:
        return f"hold_{target.database}"


KIND = Trigger

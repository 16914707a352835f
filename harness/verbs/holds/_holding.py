"""What every hold has in common: one session that holds a lock until the hold released."""

from __future__ import annotations

from harness.errors import DatabaseError
from harness.ports import Session, SessionInfo
from harness.verbs.protocols import HoldKind, Target


class SessionHold(HoldKind):
    """A hold that is a lock held by a session of its own, kept on the target's shelf.

    The steps and claims find the hold and its session there.
    """

    def take_session(self, target: Target) -> Session:
        """A new session that will hold the lock; the hold's from now on."""
        return self.hold_with(target, target.connect("blocker"))

    def hold_with(self, target: Target, session: Session) -> Session:
        """Make this session the one that holds the hold."""
        target.shelf.hold = self
        target.shelf.holder = session
        return session

    def release(self, target: Target) -> None:
        session, target.shelf.holder = target.shelf.holder, None
        if session is None:
            return
        try:
            target.engine.holding.end_transaction(session)
        except DatabaseError:
            pass  # somebody ended the session: the lock is free, which is what was wanted
        finally:
            session.close()

    def holder(self, target: Target) -> SessionInfo | None:
        session = target.shelf.holder
        if session is None:
            return None
        listing = target.engine.sessions.listing(target.observer())
        return next((info for info in listing if info.pid == session.pid), None)

"""What every gate has in common: one session that holds a lock until the gate opens."""

from __future__ import annotations

from harness.errors import DatabaseError
from harness.ports import GateKind, Session, SessionInfo, Target

SESSION = "gate.session"


class SessionGate(GateKind):
    """A gate that is a lock held by a session of its own, kept on the target's shelf.

    The steps and claims find the gate and its session there.
    """

    def take_session(self, target: Target) -> Session:
        """A new session that will hold the lock; the gate's from now on."""
        return self.hold_with(target, target.connect("blocker"))

    def hold_with(self, target: Target, session: Session) -> Session:
        """Make this session the one that holds the gate."""
        target.shelf["gate"] = self
        target.shelf[SESSION] = session
        return session

    def open(self, target: Target) -> None:
        session: Session | None = target.shelf.pop(SESSION, None)
        if session is None:
            return
        try:
            target.engine.gating.end_transaction(session)
        except DatabaseError:
            pass  # somebody ended the session: the lock is free, which is what was wanted
        finally:
            session.close()

    def holder(self, target: Target) -> SessionInfo | None:
        session: Session | None = target.shelf.get(SESSION)
        if session is None:
            return None
        listing = target.engine.sessions.listing(target.observer())
        return next((info for info in listing if info.pid == session.pid), None)

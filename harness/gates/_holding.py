"""How every gate keeps its session: on the target's shelf, where the steps find it."""

from __future__ import annotations

from harness.errors import DatabaseError
from harness.ports import Session, SessionInfo, Target

SESSION = "gate.session"


def hold(target: Target, gate: object, session: Session) -> None:
    """Remember the session that holds the lock, and which gate it belongs to."""
    target.shelf["gate"] = gate
    target.shelf[SESSION] = session


def let_go(target: Target) -> None:
    """End the holding transaction and close its session; safe to call twice."""
    session: Session | None = target.shelf.pop(SESSION, None)
    if session is None:
        return
    try:
        target.engine.gating.end_transaction(session)
    except DatabaseError:
        pass  # somebody ended the session: the lock is free, which is what was wanted
    finally:
        session.close()


def holder(target: Target) -> SessionInfo | None:
    """The holding session as an observer sees it; None once it is gone."""
    session: Session | None = target.shelf.get(SESSION)
    if session is None:
        return None
    listing = target.engine.sessions.listing(target.observer())
    return next((info for info in listing if info.pid == session.pid), None)

"""The signs that faults have in common; not a kind itself."""

from __future__ import annotations

from harness.errors import Missed
from harness.ports import SessionInfo, Witness
from harness.servers import acts
from harness.verbs.protocols import Target


def victim_of(target: Target) -> SessionInfo:
    """The migration's server session. Missed if it never had one."""
    session = target.migration.session
    if session is None:
        raise Missed("the migrator never had a server session")
    return session


def session_is_gone(target: Target, victim: SessionInfo, deadline_s: float) -> Witness:
    """Wait until an observer no longer sees the session: a statement may outlive its client."""
    return acts.sessions_gone(target.engine, target.observer, [victim], deadline_s)


def of_victim(target: Target, deadline_s: float) -> Witness:
    """What the migrator itself met: its error code, or the signal it died of."""
    outcome = target.migration.outcome(deadline_s)
    if outcome.finished:
        raise Missed("the migrator finished as if nothing had happened")
    return acts.client_ended(outcome.exit_status, outcome.code, outcome.message)

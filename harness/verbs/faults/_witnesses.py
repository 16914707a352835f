"""The signs that faults have in common; not a kind itself."""

from __future__ import annotations

from harness.errors import DeadlineExceeded
from harness.ports import SessionInfo, Target, Witness
from harness.waiting import until


def session_is_gone(target: Target, victim: SessionInfo, deadline_s: float) -> Witness:
    """Wait until an observer no longer sees the session: a statement may outlive its client."""
    find = target.engine.sessions.find
    until(
        f"session {victim.pid} to be gone",
        deadline_s,
        lambda: find(target.observer(), victim.pid, victim.started) is None,
    )
    return Witness("observer", f"session {victim.pid} is no longer listed")


def of_victim(target: Target, deadline_s: float) -> Witness:
    """What the migrator itself met: its error code, or the signal it died of."""
    outcome = target.migration.outcome(deadline_s)
    if outcome.finished:
        raise DeadlineExceeded("the migrator finished as if nothing had happened")
    if outcome.code or outcome.message:
        says = f"the migrator met {outcome.code or 'a lost connection'}: {outcome.message}"
        return Witness("victim", says, {"code": outcome.code})
    return Witness(
        "os",
        f"the migrator's process ended with status {outcome.exit_status}",
        {"exit_status": outcome.exit_status},
    )

"""The signs that faults have in common; not a kind itself."""

from __future__ import annotations

import time

from harness.errors import DeadlineExceeded
from harness.ports import SessionInfo, Target, Witness

POLL_S = 0.005


def session_is_gone(target: Target, victim: SessionInfo, deadline_s: float) -> Witness:
    """Wait until an observer no longer sees the session: a statement may outlive its client."""
    end = time.monotonic() + deadline_s
    while target.engine.sessions.find(target.observer(), victim.pid, victim.started):
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"session {victim.pid} is still there after {deadline_s:g} s")
        time.sleep(POLL_S)
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
        "os", f"the migrator's process ended with status {outcome.exit_status}",
        {"exit_status": outcome.exit_status},
    )

"""Whether a session is still on the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class SessionClaim(ClaimKind):
    """``session: migration`` (alive or a zombie) or ``blocker`` exists, or not."""

    session: Literal["migration", "blocker"]
    exists: bool = True

    def check(self, target: Target) -> Finding:
        if self.session == "migration":
            own = target.run.session if target.run else None
            find = target.engine.sessions.find
            info = find(target.observer(), own.pid, own.started) if own else None
        else:
            hold = target.shelf.hold
            info = hold.holder(target) if hold else None
        found = f"session {info.pid}, {info.state}" if info else "not there"
        right = (info is not None) == self.exists
        wanted = "there" if self.exists else "not there"
        return Finding(Answer.HELD if right else Answer.NOT_HELD, found, wanted)


KIND = SessionClaim

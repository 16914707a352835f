"""Ends a server session by its pid and start, and waits until it is really gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import SessionInfo
from harness.verbs.protocols import StepKind, Target
from harness.waiting import until


@dataclass(frozen=True)
class EndSession(StepKind):
    """``migration``: the session of the migration, alive or a zombie. ``root-blocker``: whoever
    blocks others and waits for nobody, found as the engine's own diagnosis finds it."""

    end_session: Literal["migration", "root-blocker"]

    def perform(self, target: Target, deadline_s: float) -> str:
        victims = self._victims(target)
        if not victims:
            return "no such session is left"
        sessions = target.engine.sessions
        for victim in victims:
            sessions.end(target.observer(), victim.pid, victim.started)
        listed = ", ".join(str(victim.pid) for victim in victims)

        def gone() -> bool:
            observer = target.observer()
            return not any(sessions.find(observer, v.pid, v.started) for v in victims)

        until(f"session {listed} to be gone", deadline_s, gone)
        return f"ended session {listed}"

    def _victims(self, target: Target) -> list[SessionInfo]:
        observer, sessions = target.observer(), target.engine.sessions
        if self.end_session == "migration":
            own = target.migration.session
            found = sessions.find(observer, own.pid, own.started) if own else None
            return [found] if found else []
        roots = set(sessions.root_blockers(observer, target.database))
        return [info for info in sessions.listing(observer) if info.pid in roots]


KIND = EndSession

"""Cuts the connection between the migrator and the server; both processes live on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.ports import FaultKind, Target, Witness
from harness.verbs.faults._witnesses import of_victim, session_is_gone


@dataclass(frozen=True)
class DropConnection(FaultKind):
    """With ``server_notices: false`` the cut is silent, and the session stays with its locks."""

    server_notices: bool = True
    through_relay: ClassVar[bool] = True

    def session_ends(self) -> bool:
        return self.server_notices

    def strike(self, target: Target) -> Sequence[Witness]:
        victim = target.migration.session
        cut = target.shelf["relay"].cut(server_notices=self.server_notices)
        sent = Witness("injector", f"cut {cut} connection(s) of the migrator")
        seen = of_victim(target, self.deadline_s)
        if self.server_notices:
            return [sent, seen, session_is_gone(target, victim, self.deadline_s)]
        return [sent, seen]


KIND = DropConnection

"""Cuts the connection between the migrator and the server; both processes live on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.ports import Witness
from harness.servers import acts
from harness.verbs.faults._witnesses import of_victim, session_is_gone, victim_of
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class DropConnection(FaultKind):
    """With ``server_notices: false`` the cut is silent, and the session stays with its locks."""

    server_notices: bool = True
    through_proxy: ClassVar[bool] = True

    def session_ends(self) -> bool:
        return self.server_notices

    def strike(self, target: Target) -> Sequence[Witness]:
        victim = victim_of(target)
        sent = acts.cut(target.shelf.proxy, server_notices=self.server_notices)
        seen = of_victim(target, self.deadline_s)
        if self.server_notices:
            return [sent, seen, session_is_gone(target, victim, self.deadline_s)]
        return [sent, seen]


KIND = DropConnection

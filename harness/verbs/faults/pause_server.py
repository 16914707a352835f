"""Freezes the whole server: connections stay open and nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.errors import DatabaseError, Missed
from harness.ports import Capability, Pausable, Witness
from harness.record.events import ServerPaused
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class PauseServer(FaultKind):
    """A frozen server, as by a stalled disk or hypervisor; the step ``thaw`` ends it."""

    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PAUSE})

    def session_ends(self) -> bool:
        return False

    def strike(self, target: Target) -> Sequence[Witness]:
        if not isinstance(target.server, Pausable):
            raise Missed("this kind of server cannot be frozen")
        frozen = target.server.pause()
        target.shelf.frozen = True
        target.timeline.add(ServerPaused("; ".join(witness.says for witness in frozen)))
        try:
            target.connect("probe", timeout_s=1).close()
        except DatabaseError as error:
            return [*frozen, Witness("observer", f"a new connection is not answered: {error}")]
        raise Missed("the server still answers although it was paused")


KIND = PauseServer

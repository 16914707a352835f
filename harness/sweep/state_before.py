"""The state before the first migration of a sweep, kept so that the next sweep need not make it.

What is kept is the server's whole data directory, byte by byte, as it was after a clean end. It is
used only where all that made it is the same, and only if the database is then found to hold what
it held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from harness.cache import STATES, Cache
from harness.errors import DrillError, Interrupted
from harness.ports import Backend, Engine
from harness.record.timeline import structured
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep.sweep_server import SweepServer

BARE = "bare"
"""The database that has every migration so far, and no rows but theirs."""
TOLD = 3


class StateMoved(DrillError):
    """What a server holds or is set to was another after a clean restart than before it."""


@dataclass(frozen=True)
class Origin:
    """Of a state that was kept: the run that made it, when, and what a dump had applied in it."""

    run: str = ""
    made: str = ""
    applied: tuple[str, ...] = ()


@dataclass(frozen=True)
class StateBefore:
    """Where the state before one version is kept, and under what key."""

    kept: Cache
    key: str
    version: str
    origin: Origin
    """What is told of it if it is made now."""
    tell: Callable[[str], None]

    def server(self, backend: Backend, engine: Engine) -> tuple[SweepServer, Origin] | None:
        """A server that holds it; None if it is not kept, or is not what it was: then it is thrown
        away, and told.
        """
        told = self.kept.about(STATES, self.key)
        if told is None or told.get("moves"):
            return None
        try:
            with ExitStack() as unless_used:
                server = SweepServer(
                    backend, engine, fill=partial(self.kept.take, STATES, self.key)
                )
                unless_used.callback(server.close)
                found, stored = server.snapshot(BARE), structured(Snapshot, told["snapshot"])
                if found == stored:
                    made = structured(Origin, told["origin"])
                    unless_used.pop_all()
                    return server, made
                why = _differs(stored, found)
        except Interrupted:
            raise
        except (DrillError, LookupError, TypeError, ValueError, ExceptionGroup) as error:
            why = str(error)
        self._refuse(why)
        return None

    def keep(self, server: SweepServer, applied: Sequence[str]) -> None:
        """Keep what the server holds now; it is restarted for that.

        StateMoved if the restart itself changed anything: the state must be made anew then, on a
        server that was not restarted.
        """
        if self._moves():
            return
        before = server.snapshot(BARE)
        settings = self._settings(server)
        about: dict[str, Any] = {
            "snapshot": asdict(before),
            "origin": asdict(replace(self.origin, applied=tuple(applied))),
        }
        server.at_rest(partial(self._keep, about))
        after = server.snapshot(BARE)
        moved = "" if after == before else _differs(before, after)
        now = self._settings(server)
        moved = moved or ", ".join(k for k in {**settings, **now} if settings.get(k) != now.get(k))
        if moved:
            self.kept.discard(STATES, self.key)
            self._keep_nothing(moved)
            raise StateMoved(moved)

    def _keep(self, about: dict[str, Any], data: Path) -> None:
        self.kept.keep(STATES, self.key, data, about)

    def _keep_nothing(self, moved: str) -> None:
        """Remember that it does not outlive a restart, so that no later sweep tries."""
        self.kept.keep_note(STATES, self.key, {"moves": moved})

    def _moves(self) -> bool:
        return bool((self.kept.about(STATES, self.key) or {}).get("moves"))

    def _settings(self, server: SweepServer) -> dict[str, str]:
        return dict(server.engine.databases.settings(server.observer()))

    def _refuse(self, why: str) -> None:
        self.kept.discard(STATES, self.key)
        self.tell(
            f"the state before {self.version} that was kept is not used, and is made anew: {why}"
        )


def _differs(one: Snapshot, other: Snapshot) -> str:
    lines = difference(one, other).lines(one, other)
    return "; ".join(lines[:TOLD]) or "the next value of a column, or the order of columns"


def origin(run: str) -> Origin:
    """Of what is made now by that run."""
    return Origin(run, datetime.now(UTC).isoformat(timespec="seconds"))

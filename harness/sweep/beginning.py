"""The first state of a sweep: an empty database, the user's dump, or what an earlier sweep kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.dumps.dump import Dump
from harness.layouts import Migration
from harness.record.timeline import Timeline
from harness.sweep.events import BeganFromCache
from harness.sweep.state_before import BARE, Origin, StateBefore
from harness.sweep.sweep_server import SweepServer
from harness.tools.adapter import Adapter

__all__ = ["BARE", "Beginning", "Start"]


@dataclass(frozen=True)
class Start:
    """Where the state before the first wanted migration is kept; whose it is, if the server has it
    already.
    """

    before: StateBefore | None = None
    origin: Origin | None = None


NOTHING_KEPT = Start()


class Beginning:
    """Makes the first state, and sees to it that the one before the first migration is kept."""

    def __init__(
        self,
        server: SweepServer,
        tool: Adapter,
        migrations: Sequence[Migration],
        record: Timeline,
        dump: Dump | None,
        start: Start = NOTHING_KEPT,
    ) -> None:
        self._server = server
        self._tool = tool
        self._versions = [migration.version for migration in migrations]
        self._record = record
        self._dump = dump
        self._start = start

    def state(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Bring it about; the versions that the dump has applied in it, and those run before."""
        before, made = self._start.before, self._start.origin
        if before and made:
            done = tuple(self._versions[: self._versions.index(before.version)])
            self._record.add(BeganFromCache(before.version, len(done), made.run, made.made))
            return made.applied, done
        self._server.create(BARE)
        return self._restored(), ()

    def reached(self, migration: Migration, applied: Sequence[str]) -> None:
        """Keep the state before it, if it is the first that is asked for and was not kept yet."""
        before = self._start.before
        if before and not self._start.origin and migration.version == before.version:
            before.keep(self._server, applied)

    def where(self, migration: Migration) -> str:
        """The next move if that one fails by itself, where it is the first, and what it works on
        may come from elsewhere.
        """
        if self._dump or migration.version != self._versions[0]:
            return ""
        return "; a folder that begins from a schema of before is swept from a dump: --seed-dump"

    def _restored(self) -> tuple[str, ...]:
        """Restore the user's dump, if there is one; the versions it has applied."""
        if self._dump is None:
            return ()
        self._dump.load(self._server, BARE)
        applied = self._server.believes(self._tool, BARE).applied
        if self._tool.applied_up_to and applied:
            return tuple(self._versions[: self._versions.index(applied[-1]) + 1])
        return applied

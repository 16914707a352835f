"""What the ways down of a folder are tried with: one server, one tool, one way to look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration
from harness.ports import Belief
from harness.state.difference import Difference, difference
from harness.state.snapshot import Snapshot
from harness.sweep.recoveries import shortened
from harness.sweep.reference import ReferenceFailed, ReferenceRunner
from harness.sweep.sweep_server import SweepServer
from harness.tools.adapter import Adapter
from harness.tools.belief import keeps_a_record
from harness.tools.client import RunRequest


@dataclass(frozen=True)
class Stand:
    """``tables`` are the tool's own."""

    server: SweepServer
    tool: Adapter
    runner: ReferenceRunner
    tables: Collection[str]

    def run(self, migration: Migration, database: str, *, down: bool = False) -> str:
        """Run one way of it by the tool, on connections of its own; what went wrong, or ""."""
        try:
            self.runner.plainly(RunRequest(migration, down=down), database)
        except (ReferenceFailed, DeadlineExceeded, EnvironmentProblem) as error:
            return shortened(str(error)) or "it fails without a word"
        return ""

    def snapshot(self, database: str) -> Snapshot:
        """What the database holds, but for what is the tool's own."""
        return self.server.snapshot(database).without(self.tables)

    def lines(self, before: Snapshot, after: Snapshot) -> tuple[str, ...]:
        """How the objects of the second differ, in words; of next values those that are there."""
        before, after = replace(before, contents={}), replace(after, contents={})
        gap: Difference = difference(before, after)
        behind = tuple(name for name in gap.counters if after.counters[name].is_behind)
        gap = replace(gap, counters=behind)
        return tuple(gap.lines(before, after, self.server.engine.snapshot.DUPLICATE))

    # ------------------------------------------------------------------ the tool's own record

    @property
    def keeps_a_record(self) -> bool:
        """Whether the tool writes down what is applied."""
        return keeps_a_record(self.tool, self.server.engine)

    def belief(self, database: str) -> Belief:
        """What the tool's own record says there."""
        return self.server.believes(self.tool, database)

    def unlike(self, wanted: Belief, found: Belief) -> str:
        """In words, how what the record says differs from what it should; "" if it does not."""
        if sorted(wanted.applied) == sorted(found.applied) and not found.stuck:
            return ""
        told = f"has {_last(found.applied)} applied (was: {_last(wanted.applied)})"
        return f"{told}, and is dirty or locked" if found.stuck else told


def _last(versions: Collection[str]) -> str:
    some = list(versions)
    return (
        f"{len(some)} versions, the last {some[-1]}" if len(some) > 1 else "".join(some) or "none"
    )

"""What a sweep strikes: one migration on its way up or down, and the states that crashes leave."""

from __future__ import annotations

from dataclasses import dataclass

from harness.layouts import Migration
from harness.state.snapshot import Snapshot
from harness.sweep.reference import Reference
from harness.sweep.verdicts import LeftState
from harness.tools.client import RunRequest


@dataclass(frozen=True)
class Subject:
    """One way of one migration, and what it starts from."""

    migration: Migration
    previous: str
    """The version before it, as the tool names it."""
    reference: Reference
    base: Snapshot
    template: str
    """The database that holds ``base``."""
    down: bool = False

    @property
    def request(self) -> RunRequest:
        """What the tool is to do."""
        return RunRequest(self.migration, self.down)

    def named(self, word: str) -> str:
        """A name of a point or state of this way; those of the way up have no prefix."""
        return f"down-{word}" if self.down else word


@dataclass(frozen=True)
class Crash:
    """One state that a crash left, standing in a trial database."""

    subject: Subject
    left: LeftState
    snapshot: Snapshot
    settled: bool
    """The tool knows that the way was gone, and is neither dirty nor locked."""
    stuck: bool = False
    """The tool believes that somebody is at work, or is dirty."""

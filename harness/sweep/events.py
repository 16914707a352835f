"""What can happen in a sweep: one frozen dataclass a kind, whose fields are those of its line.

Every field has a default, so that an older record, or one that was cut short, can still be read.
``docs/record.md`` has the table that people read; a test holds it against this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.record.events import Clock, Payload, WitnessSeen, every
from harness.row_generation import Filled
from harness.sweep.points import Row
from harness.sweep.rivalry import RivalSeen
from harness.sweep.rollback import Rollback
from harness.sweep.verdicts import Attempt, Grade, LeftState, Probe

FILE_NAME = "sweep.jsonl"


class Outcome(StrEnum):
    """What came of all pending migrations in one run."""

    SAME = "same"
    FAILS = "fails"
    DIFFERS = "differs"
    NOT_RUN = "not-run"


@dataclass(frozen=True)
class OfSweep(Payload):
    """All of them are drawn in one lane; ``migration`` is the version that it is about."""

    LANE = "sweep"
    migration: str = ""


@dataclass(frozen=True)
class StateSeen:
    """A state that an unbroken run passes through, seen by another session."""

    done: int = 0
    """Statements of the migration that were answered by then."""
    key: str = ""
    rows: int = 0
    """In all tables."""
    differs: tuple[str, ...] = ()
    """From the state before the migration."""
    since: tuple[str, ...] = ()
    """How it differs from the state that it follows."""
    empty: tuple[str, ...] = ()
    """New columns and tables in which there is nothing yet."""


@dataclass(frozen=True)
class Referred(OfSweep):
    """What an unbroken run did, on what rows."""

    KIND = "reference"
    name: str = ""
    files: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    """Its messages."""
    states: tuple[StateSeen, ...] = ()
    statements: int = 0
    volatile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that differ from run to run by themselves, by table, and definitions that do, by
    object; not compared."""
    filled: tuple[Filled, ...] = ()
    fails_with_rows: str = ""
    """What the server said; the sweep went on without such rows then."""
    failing_rows: str = ""
    """The smallest set of rows on which it fails, in words."""
    passing_rows: int = 0
    """Rows with which it goes through: the sweep went on with them, if there are any."""
    without_rows: tuple[str, ...] = ()
    """Tables that it works on, and that no row was found for."""
    idle: tuple[str, ...] = ()
    """Statements that write rows and found none to change."""
    behind: tuple[str, ...] = ()
    """Next values that an unbroken run leaves behind those that are there: an INSERT fails."""
    removes: Mapping[str, int] = field(default_factory=dict)
    """Rows by table that an unbroken run takes away."""
    down: bool = False
    """Whether there is a script for the way back."""

    @property
    def fails_on_rows(self) -> bool:
        """Whether it fails on rows that are there, or makes the next ones fail."""
        return bool(self.fails_with_rows or self.behind)

    @property
    def is_looked_at(self) -> bool:
        """Whether every table and statement of it had rows to work on."""
        return not self.without_rows and not self.idle

    @property
    def struck_without(self) -> str:
        """Of one that fails on rows: on what its crash points were struck instead."""
        if self.passing_rows:
            return f"so its crash points were struck on {self.passing_rows} rows that it takes"
        return "so its crash points were struck on empty tables"


@dataclass(frozen=True)
class CellStruck(OfSweep):
    """One crash point in one way of dying, and the state that it left."""

    KIND = "cell"
    down: bool = False
    """It struck the way back."""
    point: str = ""
    n: int = 0
    where: str = ""
    way: str = ""
    wait: int = 1
    """Inside: in which of the statement's holds."""
    missed: str = ""
    """Why the fault did not strike; nothing was learned then."""
    unheld: bool = False
    """It was missed, as no lock holds the statement."""
    witnesses: tuple[WitnessSeen, ...] = ()
    exit_status: int | None = None
    """Of the tool's process; negative: the signal that ended it."""
    said: str = ""
    """The tool's last words."""
    state: str = ""
    left: LeftState = field(default_factory=LeftState)
    applied: tuple[str, ...] = ()
    """What the tool takes for applied afterwards."""
    stuck: bool = False
    """The tool believes that somebody is at work, or is dirty."""
    rival: RivalSeen = field(default_factory=RivalSeen)
    """What was seen of two runs at once, in such a way."""
    rule: str = ""
    """It was not struck: by this rule it leaves what another one left."""
    like: str = ""
    """The cell that it follows."""


@dataclass(frozen=True)
class RuleAudited(OfSweep):
    """A cell that a rule says something of was struck all the same."""

    KIND = "audit"
    point: str = ""
    rule: str = ""
    like: str = ""
    held: bool = True
    """It left what the rule says; else the rule is used no more."""


@dataclass(frozen=True)
class StateHealed(OfSweep):
    """What was tried on copies of one state, and what came of it."""

    KIND = "healing"
    down: bool = False
    state: str = ""
    left: LeftState = field(default_factory=LeftState)
    attempts: tuple[Attempt, ...] = ()
    gone: Mapping[str, int] = field(default_factory=dict)
    """Rows by table that the crash itself took away."""
    settled: bool = False
    """The tool takes it for what it is, and holds no lock."""
    probes: tuple[Probe, ...] = ()
    grade: Grade = Grade.INCONCLUSIVE
    rule: str = ""
    """By which it is told to be healed, if nothing was tried on it."""
    like: str = ""
    """The state on which everything was tried, with its migration."""


@dataclass(frozen=True)
class WayBackTried(OfSweep):
    """Up, then down by the tool, compared with the state before; and the messages of the down."""

    KIND = "way-back"
    rollback: Rollback = field(default_factory=Rollback)
    rows: tuple[Row, ...] = ()
    statements: int = 0


@dataclass(frozen=True)
class AllPendingRun(OfSweep):
    """All swept migrations in one run of the tool, compared with the runs one by one.

    ``migration`` is the one at which that run fails, or the last.
    """

    KIND = "all-pending"
    first: str = ""
    last: str = ""
    count: int = 0
    """How many were pending."""
    rows: int = 0
    """In all tables before the first of them."""
    outcome: Outcome = Outcome.SAME
    file: str = ""
    """Of the migration at which it fails."""
    says: str = ""
    """The tool's error; or why such a run cannot be had."""
    differs: tuple[str, ...] = ()
    """What is not as the runs one by one have left it."""


@dataclass(frozen=True)
class BeganFromCache(OfSweep):
    """The migrations before ``migration`` were not run: the state that they leave had been kept."""

    KIND = "from-cache"
    count: int = 0
    """How many there are before it."""
    run: str = ""
    """The sweep that ran them."""
    made: str = ""
    """When."""


@dataclass(frozen=True)
class Begun(OfSweep):
    """The crash points of one way of a migration are going to be struck: so many cells."""

    KIND = "begun"
    name: str = ""
    down: bool = False
    cells: int = 0


@dataclass(frozen=True)
class Broken(OfSweep):
    """The migration fails with nothing in its way."""

    KIND = "broken"
    name: str = ""
    says: str = ""


@dataclass(frozen=True)
class SweptToEnd(OfSweep):
    """Every cell of the migration was struck."""

    KIND = "finished"


@dataclass(frozen=True)
class LeftOut(OfSweep):
    """There was no time for it, or not for all of it."""

    KIND = "left-out"
    name: str = ""


@dataclass(frozen=True)
class SeedRefused(OfSweep):
    """Statements of the user's seed that no state took: ``file:line`` → what the server said."""

    KIND = "seeding"
    refused: Mapping[str, str] = field(default_factory=dict)


OF_A_SWEEP: Mapping[str, type[Payload]] = {
    Clock.KIND: Clock,
    **{payload.KIND: payload for payload in every(OfSweep)},
}
"""Every kind by its word."""

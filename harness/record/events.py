"""What can happen in a trial: one frozen dataclass a kind, whose fields are those of its line.

Every field has a default, so that an older record, or one that was cut short, can still be read.
``docs/record.md`` has the table that people read; a test holds it against this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Payload:
    """What an event tells; see :class:`harness.record.timeline.Event` for when."""

    LANE: ClassVar[str] = ""
    """The lane of the timeline in which it is drawn."""
    KIND: ClassVar[str] = ""
    """Its word in the record."""


@dataclass(frozen=True)
class Span(Payload):
    """What lasts: told when it begins and, with how it went, when it ends.

    ``took_ns`` is None until then; ``error`` is what went wrong, if anything did.
    """

    ok: bool = True
    error: str = ""
    took_ns: int | None = None


@dataclass(frozen=True)
class Other(Payload):
    """A kind that this version does not know, kept as it was written."""

    lane: str = ""
    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


# ---------------------------------------------------------------------- the trial


@dataclass(frozen=True)
class Clock(Payload):
    """The time of day (ISO) at which the record begins."""

    LANE, KIND = "trial", "clock"
    wall: str = ""


@dataclass(frozen=True)
class ObjectivesSet:
    """What the recovery is held to; ``rto_s`` None if it may take any time."""

    rto_s: float | None = None
    lost_writes: int = 0
    lost_values: int = 0


@dataclass(frozen=True)
class Cell(Payload):
    """Which trial this is. ``own_file`` is the path of a scenario that is not one of ours."""

    LANE, KIND = "trial", "cell"
    id: str = ""
    scenario: str = ""
    title: str = ""
    source: str = ""
    engine: str = ""
    mode: str = ""
    fault: str = ""
    fault_kind: str = ""
    moment: str = ""
    procedure: str = ""
    procedure_title: str = ""
    purpose: str = "recovery"
    caught_by: tuple[str, ...] = ()
    seed: int | None = None
    rows: int | None = None
    objectives: ObjectivesSet = ObjectivesSet()
    file: str = ""
    own_file: str = ""
    sha256: str = ""
    statements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phase(Span):
    """provision, guard, given, steady_state, snapshot, migrate_under_fault, damage, diagnose,
    recover, verify, untouched, collect_logs, teardown."""

    LANE, KIND = "trial", "phase"
    phase: str = ""


@dataclass(frozen=True)
class ControlRun(Payload):
    """Whether the migration goes through when nothing is in its way, and leaves what it should."""

    LANE, KIND = "trial", "control"
    ok: bool = False
    says: str = ""


@dataclass(frozen=True)
class Problem(Payload):
    """What kept the trial from proving anything: ``verdict`` ERROR, INCONCLUSIVE or ABORTED."""

    LANE, KIND = "trial", "problem"
    verdict: str = ""
    reason: str = ""
    """A code."""
    message: str = ""


@dataclass(frozen=True)
class ServerLog(Payload):
    """The server's log of this trial, capped."""

    LANE, KIND = "trial", "log"
    text: str = ""


@dataclass(frozen=True)
class Finished(Payload):
    """The last event; a record without it was cut off."""

    LANE, KIND = "trial", "finished"


# ---------------------------------------------------------------------- the server


@dataclass(frozen=True)
class ServerUsed(Payload):
    """What ran, and how it was proved to be ours."""

    LANE, KIND = "server", "facts"
    backend: str = ""
    engine: str = ""
    title: str = ""
    image: str = ""
    digest: str = ""
    version: str = ""
    proof: str = ""


@dataclass(frozen=True)
class ServerChange(Payload):
    """The server died, froze, or came back."""

    LANE = "server"
    says: str = ""


@dataclass(frozen=True)
class ServerDied(ServerChange):
    """It was killed."""

    KIND = "died"


@dataclass(frozen=True)
class ServerStarted(ServerChange):
    """It was started again."""

    KIND = "started"


@dataclass(frozen=True)
class ServerReady(ServerChange):
    """It answers again."""

    KIND = "ready"


@dataclass(frozen=True)
class ServerPaused(ServerChange):
    """It was frozen."""

    KIND = "paused"


@dataclass(frozen=True)
class ServerResumed(ServerChange):
    """It was thawed."""

    KIND = "resumed"


# ---------------------------------------------------------------------- claims


@dataclass(frozen=True)
class ClaimAnswered(Payload):
    """A claim of a section (steady_state, damage, verify, untouched) and what was found.

    ``population``: how many rows or operations it saw; None if it does not count any.
    """

    LANE, KIND = "claims", "claim"
    section: str = ""
    name: str = ""
    answer: str = "unanswerable"
    """held, not held, unanswerable."""
    found: str = ""
    wanted: str = ""
    population: int | None = None
    lost: int = 0
    line: int = 0
    took_ns: int = 0


@dataclass(frozen=True)
class PlansCompared(Payload):
    """The query plans that a ``cost`` claim compared."""

    LANE, KIND = "claims", "plan"
    before: str = ""
    now: str = ""


# ---------------------------------------------------------------------- the migration


@dataclass(frozen=True)
class RunBegun(Payload):
    """A run of the migration (retries count): its server session and its own process."""

    LANE, KIND = "migration", "run"
    run: int = 1
    tool: str = ""
    mode: str = ""
    pid: int | None = None
    process_id: int | None = None


@dataclass(frozen=True)
class Statement(Span):
    """A statement under way; the begin has what was really sent, the end what the server said."""

    LANE, KIND = "migration", "statement"
    run: int = 1
    n: int = 0
    sql: str = ""
    code: str = ""


@dataclass(frozen=True)
class RunEnded(Payload):
    """How a run ended: statements acknowledged, the server's error, the process's exit status."""

    LANE, KIND = "migration", "ended"
    run: int = 1
    done: int = 0
    finished: bool = False
    code: str = ""
    message: str = ""
    exit_status: int | None = None


@dataclass(frozen=True)
class ProgressRow:
    """How far one session is; ``done`` and ``total`` are None where the server counts none."""

    pid: int = 0
    phase: str = ""
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class ProgressSeen(Payload):
    """How far the migration is, as the server counts it."""

    LANE, KIND = "migration", "progress"
    rows: tuple[ProgressRow, ...] = ()


@dataclass(frozen=True)
class WaitingPair:
    """One session that waits for another; whose they are in the words of a scenario."""

    waiter: int = 0
    blocker: int = 0
    waiter_is: str = "?"
    blocker_is: str = "?"


@dataclass(frozen=True)
class WaitsSeen(Payload):
    """Who was seen waiting for whom at one look; empty when nobody waits."""

    LANE, KIND = "locks", "waiting"
    pairs: tuple[WaitingPair, ...] = ()


# ---------------------------------------------------------------------- the application


@dataclass(frozen=True)
class Tick(Payload):
    """What the application went through since ``from_ns``; one each 100 ms."""

    LANE, KIND = "application", "tick"
    from_ns: int = 0
    ok: int = 0
    errors: int = 0
    waiting: int = 0
    worst_ms: float = 0.0
    version: str = ""


@dataclass(frozen=True)
class ApplicationError(Payload):
    """The first error of each code."""

    LANE, KIND = "application", "error"
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class VersionSwitched(Payload):
    """Another version of the application was deployed."""

    LANE, KIND = "application", "switched"
    version: str = ""


@dataclass(frozen=True)
class LedgerSettled(Payload):
    """What became of the acknowledged writes."""

    LANE, KIND = "application", "ledger"
    acknowledged: int = 0
    unknown: int = 0
    lost: int = 0
    changed: int = 0
    resurrected: int = 0
    examples: tuple[str, ...] = ()


# ---------------------------------------------------------------------- the fault


@dataclass(frozen=True)
class FaultArmed(Payload):
    """The hold that parks the migration at its moment is in place."""

    LANE, KIND = "fault", "armed"
    fault: str = ""
    moment: str = ""


@dataclass(frozen=True)
class FaultFired(Payload):
    """It struck; the witnesses stand before it."""

    LANE, KIND = "fault", "fired"
    fault: str = ""
    moment: str = ""


@dataclass(frozen=True)
class FaultMissed(Payload):
    """It did not strike."""

    LANE, KIND = "fault", "missed"
    fault: str = ""
    reason: str = ""


@dataclass(frozen=True)
class StateBefore(Payload):
    """The migration's session just before the strike, as the server showed it."""

    LANE, KIND = "fault", "state-before"
    state: str = ""
    wait: str = ""
    query: str = ""


@dataclass(frozen=True)
class WitnessSeen(Payload):
    """``source``: injector, victim, observer, os, docker, log."""

    LANE, KIND = "fault", "witness"
    source: str = ""
    says: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


# ---------------------------------------------------------------------- the recovery


@dataclass(frozen=True)
class LookDone(Payload):
    """A diagnosis query: what it showed (``rows`` capped) and whose sessions it named."""

    LANE, KIND = "recovery", "look"
    name: str = ""
    sql: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    """What the server said instead."""
    finds: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    teaches: str = ""
    ok: bool = True


@dataclass(frozen=True)
class BackupTaken(Payload):
    """The dump taken before the migration, in ``bytes``."""

    LANE, KIND = "recovery", "backup"
    tables: tuple[str, ...] = ()
    bytes: int = 0


@dataclass(frozen=True)
class StepTaken(Span):
    """A step of the procedure; ``skipped`` is the reason why it was not needed."""

    LANE, KIND = "recovery", "step"
    n: int = 0
    name: str = ""
    verb: str = ""
    line: int = 0
    did: str = ""
    skipped: str = ""


@dataclass(frozen=True)
class HintGiven(Payload):
    """A person asked for a hint."""

    LANE, KIND = "recovery", "hint"
    text: str = ""


@dataclass(frozen=True)
class CheckedByHand(Payload):
    """A person had the repair checked; the claims that did not hold yet."""

    LANE, KIND = "recovery", "checked"
    not_right: tuple[str, ...] = ()


@dataclass(frozen=True)
class SentByHand(Payload):
    """A statement that a person sent, as the server's own log has it."""

    LANE, KIND = "recovery", "by-hand"
    pid: int = 0
    sql: str = ""


@dataclass(frozen=True)
class RepairedByHand(Payload):
    """A person repaired it and had it checked, after ``took_s`` seconds."""

    LANE, KIND = "recovery", "repaired-by-hand"
    took_s: float = 0.0


@dataclass(frozen=True)
class GivenUp(Payload):
    """A person gave up, or their input ended; the steps that follow are the harness's."""

    LANE, KIND = "recovery", "given-up"
    took_s: float = 0.0


def every(of: type[Payload]) -> list[type[Payload]]:
    """The kinds there are of something that can happen."""
    below = [found for sub in of.__subclasses__() for found in every(sub)]
    return [of, *below] if of.KIND else below


OF_A_TRIAL: Mapping[str, type[Payload]] = {payload.KIND: payload for payload in every(Payload)}
"""Every kind by its word."""

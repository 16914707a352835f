"""The trial as a whole: which it is, its phases, and what kept it from its end."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.payload import Payload, Span


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

"""The runs of the migration, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.payload import Payload, Span


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

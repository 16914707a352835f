"""The recovery: diagnosis, steps, and what a person does in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.record.events.payload import Payload, Span


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

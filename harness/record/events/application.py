"""The application in the background."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.payload import Payload


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

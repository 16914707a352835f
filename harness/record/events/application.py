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
class LedgerChecked(Payload):
    """What became of the acknowledged writes: after a step, or in the end (``final``).

    ``lost``, ``changed`` and ``resurrected`` count what is destroyed; ``for_good`` of these were
    overwritten before they were back. ``misread``: met by a read, and back later. ``incident``:
    destroyed before the first step.
    """

    LANE, KIND = "application", "ledger"
    after: str = ""
    """The step; empty before the first one."""
    final: bool = True
    acknowledged: int = 0
    unknown: int = 0
    lost: int = 0
    changed: int = 0
    resurrected: int = 0
    examples: tuple[str, ...] = ()
    for_good: int = 0
    misread: int = 0
    incident: int = 0
    reads: int = 0
    """Reads of the application that were checked."""
    stale_reads: int = 0
    incident_reads: int = 0
    unreadable: str = ""
    """Why the table could not be read, which is no finding."""
    took_ns: int | None = None


@dataclass(frozen=True)
class StaleReadSeen(Payload):
    """A read that no order of the acknowledged writes explains; ``counted`` if a step of the
    recovery is to answer for it, and not the incident."""

    LANE, KIND = "application", "stale-read"
    after: str = ""
    key: int = 0
    found: str = ""
    legal: tuple[str, ...] = ()
    """The states that the row could have been in."""
    sent_ns: int = 0
    answered_ns: int = 0
    counted: bool = False

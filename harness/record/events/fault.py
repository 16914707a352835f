"""The fault: when it struck, and who witnesses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.record.events.payload import Payload


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

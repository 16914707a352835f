"""What can happen in a trial: one frozen dataclass a kind, whose fields are those of its line.

One module a lane of the timeline.

Every field has a default, so that an older record, or one that was cut short, can still be read.
``docs/record.md`` has the table that people read; a test holds it against this module.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.record.events.application import (
    ApplicationError,
    LedgerChecked,
    StaleReadSeen,
    Tick,
    VersionSwitched,
)
from harness.record.events.claims import (
    ClaimAnswered,
    PlansCompared,
)
from harness.record.events.fault import (
    FaultArmed,
    FaultFired,
    FaultMissed,
    StateBefore,
    WitnessSeen,
)
from harness.record.events.migration import (
    ProgressRow,
    ProgressSeen,
    RunBegun,
    RunEnded,
    Statement,
    WaitingPair,
    WaitsSeen,
)
from harness.record.events.payload import Other, Payload, Span, every
from harness.record.events.recovery import (
    BackupTaken,
    CheckedByHand,
    GivenUp,
    HintGiven,
    LookDone,
    RepairedByHand,
    SentByHand,
    StepTaken,
)
from harness.record.events.server import (
    ServerChange,
    ServerDied,
    ServerPaused,
    ServerReady,
    ServerResumed,
    ServerStarted,
    ServerUsed,
)
from harness.record.events.trial import (
    Cell,
    Clock,
    ControlRun,
    Finished,
    ObjectivesSet,
    Phase,
    Problem,
    ServerLog,
)

__all__ = [
    "OF_A_TRIAL",
    "ApplicationError",
    "BackupTaken",
    "Cell",
    "CheckedByHand",
    "ClaimAnswered",
    "Clock",
    "ControlRun",
    "FaultArmed",
    "FaultFired",
    "FaultMissed",
    "Finished",
    "GivenUp",
    "HintGiven",
    "LedgerChecked",
    "LookDone",
    "ObjectivesSet",
    "Other",
    "Payload",
    "Phase",
    "PlansCompared",
    "Problem",
    "ProgressRow",
    "ProgressSeen",
    "RepairedByHand",
    "RunBegun",
    "RunEnded",
    "SentByHand",
    "ServerChange",
    "ServerDied",
    "ServerLog",
    "ServerPaused",
    "ServerReady",
    "ServerResumed",
    "ServerStarted",
    "ServerUsed",
    "Span",
    "StaleReadSeen",
    "StateBefore",
    "Statement",
    "StepTaken",
    "Tick",
    "VersionSwitched",
    "WaitingPair",
    "WaitsSeen",
    "WitnessSeen",
    "every",
]

OF_A_TRIAL: Mapping[str, type[Payload]] = {payload.KIND: payload for payload in every(Payload)}
"""Every kind by its word."""

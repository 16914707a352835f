"""The protocols through which the rooms of floor 6 meet, and the values they exchange.

Backends know :class:`Recipe` and no engine; engines know no backend. A verb (fault, hold,
step, claim) is handed a :class:`Target` and nothing else.
"""

from harness.ports.engines import (
    Connector,
    Engine,
    Session,
)
from harness.ports.servers import (
    Backend,
    HasTools,
    Killable,
    Pausable,
    Server,
)
from harness.ports.values import (
    Address,
    Answer,
    Capability,
    Finding,
    MigrationOutcome,
    Recipe,
    Rows,
    ServerFacts,
    SessionInfo,
    ToolResult,
    Traffic,
    Witness,
    text_of,
)
from harness.ports.verbs import (
    Application,
    ClaimKind,
    FaultKind,
    HoldKind,
    MigrationRun,
    MigratorKind,
    Renderer,
    StepKind,
    Target,
)

__all__ = [
    "Address",
    "Answer",
    "Application",
    "Backend",
    "Capability",
    "ClaimKind",
    "Connector",
    "Engine",
    "FaultKind",
    "Finding",
    "HasTools",
    "HoldKind",
    "Killable",
    "MigrationOutcome",
    "MigrationRun",
    "MigratorKind",
    "Pausable",
    "Recipe",
    "Renderer",
    "Rows",
    "Server",
    "ServerFacts",
    "Session",
    "SessionInfo",
    "StepKind",
    "Target",
    "ToolResult",
    "Traffic",
    "Witness",
    "text_of",
]

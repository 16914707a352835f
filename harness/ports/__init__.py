"""The protocols through which the rooms meet, and the values they exchange.

Backends know :class:`Recipe` and no engine; engines know no backend.
"""

from harness.ports.dumps import DumpSource, DumpWords
from harness.ports.engine_sessions import Session
from harness.ports.engines import Engine
from harness.ports.servers import (
    Backend,
    HasTools,
    Killable,
    Pausable,
    Rests,
    Server,
    StartsOnData,
)
from harness.ports.values import (
    Address,
    Answer,
    Belief,
    Capability,
    Finding,
    MigrationOutcome,
    Order,
    Recipe,
    Rows,
    SentStatement,
    ServerFacts,
    SessionInfo,
    SessionProgress,
    ToolResult,
    Traffic,
    Witness,
    text_of,
)

__all__ = [
    "Address",
    "Answer",
    "Backend",
    "Belief",
    "Capability",
    "DumpSource",
    "DumpWords",
    "Engine",
    "Finding",
    "HasTools",
    "Killable",
    "MigrationOutcome",
    "Order",
    "Pausable",
    "Recipe",
    "Rests",
    "Rows",
    "SentStatement",
    "Server",
    "ServerFacts",
    "Session",
    "SessionInfo",
    "SessionProgress",
    "StartsOnData",
    "ToolResult",
    "Traffic",
    "Witness",
    "text_of",
]

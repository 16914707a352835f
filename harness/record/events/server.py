"""The server: what ran, and when it died, froze and came back."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.payload import Payload


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

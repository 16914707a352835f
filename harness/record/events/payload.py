"""What every event tells, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Payload:
    """What an event tells; see :class:`harness.record.timeline.Event` for when."""

    LANE: ClassVar[str] = ""
    """The lane of the timeline in which it is drawn."""
    KIND: ClassVar[str] = ""
    """Its word in the record."""


@dataclass(frozen=True)
class Span(Payload):
    """What lasts: told when it begins and, with how it went, when it ends.

    ``took_ns`` is None until then; ``error`` is what went wrong, if anything did.
    """

    ok: bool = True
    error: str = ""
    took_ns: int | None = None


@dataclass(frozen=True)
class Other(Payload):
    """A kind that this version does not know, kept as it was written."""

    lane: str = ""
    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def every(of: type[Payload]) -> list[type[Payload]]:
    """The kinds there are of something that can happen."""
    below = [found for sub in of.__subclasses__() for found in every(sub)]
    return [of, *below] if of.KIND else below

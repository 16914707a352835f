"""What was asked of the database, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.payload import Payload


@dataclass(frozen=True)
class ClaimAnswered(Payload):
    """A claim of a section (steady_state, damage, verify, untouched) and what was found.

    ``population``: how many rows or operations it saw; None if it does not count any.
    """

    LANE, KIND = "claims", "claim"
    section: str = ""
    name: str = ""
    answer: str = "unanswerable"
    """held, not held, unanswerable."""
    found: str = ""
    wanted: str = ""
    population: int | None = None
    lost: int = 0
    line: int = 0
    took_ns: int = 0


@dataclass(frozen=True)
class PlansCompared(Payload):
    """The query plans that a ``cost`` claim compared."""

    LANE, KIND = "claims", "plan"
    before: str = ""
    now: str = ""

"""What speaks against a backup, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum


class Grade(Enum):
    """What a finding means for the verdict."""

    BROKEN = "broken"
    """It is evidence that the backup cannot be used, or is not what it should be."""
    UNPROVEN = "unproven"
    """Nobody could tell."""
    NOTE = "note"
    """Worth knowing; the verdict stays."""


class Verdict(Enum):
    """What is said of one backup."""

    USABLE = "USABLE"
    NOT_USABLE = "NOT USABLE"
    NOT_PROVEN = "NOT PROVEN"


@dataclass(frozen=True)
class Finding:
    """One thing that was found, what was wanted in its place, and the next move.

    ``name`` is a word that scripts can look for. ``of`` are the tables or objects that it is about.
    """

    grade: Grade
    name: str
    found: str
    wanted: str = ""
    next_move: str = ""
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.found + (f"; wanted {self.wanted}" if self.wanted else "")


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The worst that they come to; usable only if nothing is broken or unproven."""
    grades = {finding.grade for finding in findings}
    if Grade.BROKEN in grades:
        return Verdict.NOT_USABLE
    return Verdict.NOT_PROVEN if Grade.UNPROVEN in grades else Verdict.USABLE


def listed(names: Sequence[str], most: int = 6) -> str:
    """The names in words, the first of them if there are many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def plural(count: int, word: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count} {word}" + ("" if count == 1 else "s")

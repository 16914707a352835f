"""How far the migration's statement is, as the server itself counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.model import Sql, in_dialect
from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class Progress(ClaimKind):
    """``progress: migration`` is shown by the server's progress view, or not (``shown: false``).

    ``phase`` is a part of the phase's name, and may differ by engine. ``unfinished`` wants
    fewer units done than there are; an engine that counts none in this phase has no answer.
    """

    progress: Literal["migration"]
    shown: bool = True
    phase: Sql | None = None
    unfinished: bool = False

    def check(self, target: Target) -> Finding:
        engine = target.engine
        phase = in_dialect(self.phase, engine.name, engine.dialect) if self.phase else ""
        every = [
            row
            for row in engine.sessions.progress(target.observer())
            if target.whose(int(row["pid"])) == self.progress
        ]
        met = [row for row in every if _has(row["phase"], phase) and self._counts(row)]
        target.timeline.add("migration", "progress", rows=[_plain(row) for row in every])
        wanted = f"the {self.progress} is shown" if self.shown else f"no {self.progress} is shown"
        return Finding(
            Answer.HELD if bool(met) == self.shown else Answer.NOT_HELD,
            "; ".join(_said(row) for row in every) or "no progress is shown",
            wanted
            + (f" in a phase like {phase!r}" if phase else "")
            + (", not done with it" if self.unfinished else ""),
        )

    def _counts(self, row: dict[str, object]) -> bool:
        if not self.unfinished:
            return True
        return row["total"] is not None and int(row["done"] or 0) < int(row["total"])


def _has(found: str, part: str) -> bool:
    return part.casefold() in found.casefold()


def _plain(row: dict[str, object]) -> dict[str, object]:
    """Counts as whole numbers, whatever number type the driver gives."""
    return {
        key: value if isinstance(value, str | None) else int(value) for key, value in row.items()
    }


def _said(row: dict[str, object]) -> str:
    said = f"session {row['pid']}: {row['phase']}"
    return said if row["total"] is None else f"{said}, {row['done']} of {row['total']}"


KIND = Progress

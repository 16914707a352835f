"""How far the migration's statement is, as the server itself counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.model import Sql
from harness.ports import Answer, Finding, SessionProgress
from harness.record.events import ProgressRow, ProgressSeen
from harness.verbs.protocols import ClaimKind, Target, sql_for


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
        phase = sql_for(target, self.phase) if self.phase else ""
        every = [
            row
            for row in engine.sessions.progress(target.observer())
            if target.whose(row.pid) == self.progress
        ]
        met = [row for row in every if _has(row.phase, phase) and self._counts(row)]
        rows = tuple(ProgressRow(row.pid, row.phase, row.done, row.total) for row in every)
        target.timeline.add(ProgressSeen(rows))
        wanted = f"the {self.progress} is shown" if self.shown else f"no {self.progress} is shown"
        return Finding(
            Answer.HELD if bool(met) == self.shown else Answer.NOT_HELD,
            "; ".join(_said(row) for row in every) or "no progress is shown",
            wanted
            + (f" in a phase like {phase!r}" if phase else "")
            + (", not done with it" if self.unfinished else ""),
        )

    def _counts(self, row: SessionProgress) -> bool:
        return not self.unfinished or (row.total is not None and (row.done or 0) < row.total)


def _has(found: str, part: str) -> bool:
    return part.casefold() in found.casefold()


def _said(row: SessionProgress) -> str:
    said = f"session {row.pid}: {row.phase}"
    return said if row.total is None else f"{said}, {row.done} of {row.total}"


KIND = Progress

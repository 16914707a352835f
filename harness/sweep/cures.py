"""What healed a state of the tool's own making once, and is tried first where it comes again.

A state before or after a migration, with what the tool believes then, is the tool's and not the
migration's: what heals it is the same from file to file of one shape. So there the tool is run
again, as everybody does first, and what healed it in the first migration; the rest is not tried any
more once that healed. A share is tried in full all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from harness.sweep.pruning import SHARE, Role, shape_of
from harness.sweep.subject import Crash
from harness.sweep.verdicts import Attempt

RE_RUN = "re-run"


@dataclass(frozen=True)
class Cure:
    """A recovery by its kind, and its place among those of that kind."""

    kind: str
    place: int = 0


@dataclass
class Cures:
    """Remembers the first cure of each kind of state; for several threads."""

    exhaustive: bool = False
    draw: str = ""
    _known: dict[tuple[Role, ...], Cure | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def likely(self, crash: Crash, applied: str) -> Cure | None:
        """What to try first and perhaps alone; None if everything is to be tried."""
        if self.exhaustive or crash.left.name not in ("before", "after"):
            return None
        version = crash.subject.migration.version
        if Random(f"{self.draw} {version} {crash.left.name} {applied}").random() < SHARE:
            return None
        with self._lock:
            return self._known.get(_kind_of(crash, applied))

    def learn(self, crash: Crash, applied: str, attempts: Sequence[Attempt]) -> None:
        """From a state on which everything was tried; one that differs from it unlearns it."""
        cure = first_cure(attempts)
        with self._lock:
            known = self._known.setdefault(_kind_of(crash, applied), cure)
            if known != cure:
                self._known[_kind_of(crash, applied)] = None


def first_cure(attempts: Sequence[Attempt]) -> Cure | None:
    """The first that healed."""
    counts: dict[str, int] = {}
    for attempt in attempts:
        place = counts.get(attempt.kind, 0)
        if attempt.healed:
            return Cure(attempt.kind, place)
        counts[attempt.kind] = place + 1
    return None


def _kind_of(crash: Crash, applied: str) -> tuple[Role, ...]:
    """The state, without what is the migration's own."""
    subject = crash.subject
    believed = {subject.migration.version: "this", subject.previous: "previous"}.get(applied, "")
    state = (crash.left.name, str(crash.settled), str(crash.stuck), believed or str(bool(applied)))
    return (*shape_of(subject.reference.rows, subject.down), state)

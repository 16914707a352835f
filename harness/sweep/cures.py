"""What healed a state of the tool's own making once, and heals it where it comes again.

A state before or after a migration, with what the tool believes then, is the tool's and not the
migration's: what heals it is the same from file to file of one shape.

Where nothing of the migration is there, running it is what an unbroken run is; where all is there
and the tool knows it, there is nothing to run. Such a state follows by rule: it is as healed as the
first of its kind was, on which everything was tried. The second of a kind and a share of all that
follow are tried in full all the same, and one that comes out otherwise revokes the rule.

Where all is there and the tool does not know it, what heals depends on the file (IF NOT EXISTS):
there the tool is run again, as everybody does first, and what healed it in the first migration; the
rest is not tried any more once that healed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from harness.sweep.pruning import SHARE, Role, Rule, shape_of
from harness.sweep.subject import Crash
from harness.sweep.verdicts import Attempt

RE_RUN, REPAIR = "re-run", "repair"


@dataclass(frozen=True)
class Cure:
    """A recovery by its kind, and its place among those of that kind."""

    kind: str
    place: int = 0


@dataclass
class Shown:
    """What the first state of a kind has shown, on which everything was tried."""

    state: str
    """Its name, with its migration."""
    attempts: tuple[Attempt, ...]
    """Up to the first that healed."""
    audited: bool = False
    differs: bool = False
    """A later one of its kind was healed otherwise."""

    @property
    def cure(self) -> Cure | None:
        return None if self.differs else first_cure(self.attempts)

    @property
    def is_the_tools(self) -> bool:
        """Whether running the tool healed it, perhaps behind a repair of its own: what is done by
        hand, or by the way down, depends on the file.
        """
        return self.cure is not None and self.cure.kind in (RE_RUN, REPAIR)

    def agrees(self, attempts: Sequence[Attempt]) -> bool:
        """Whether each recovery came to the same, up to the first that heals."""
        return list(map(_outcome, self.attempts)) == list(map(_outcome, up_to_cure(attempts)))


@dataclass
class Cures:
    """Remembers the first state of each kind; for several threads."""

    exhaustive: bool = False
    draw: str = ""
    revoked: set[Rule] = field(default_factory=set)
    _shown: dict[tuple[Role, ...], Shown] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def shown(self, crash: Crash, applied: str) -> Shown | None:
        """By what the state is healed by rule; None if it is to be tried, or is an audit."""
        if (
            self.exhaustive
            or Rule.TOOL_STATE in self.revoked
            or not _is_of_the_tool(crash, applied)
        ):
            return None
        with self._lock:
            shown = self._shown.get(_kind_of(crash, applied))
            if shown is None or not shown.is_the_tools or any(a.lost for a in shown.attempts):
                return None
            if not shown.audited or self._is_drawn(crash, applied):
                shown.audited = True
                return None
            return shown

    def likely(self, crash: Crash, applied: str) -> Cure | None:
        """What to try first and perhaps alone; None if everything is to be tried."""
        if self.exhaustive or crash.left.name != "after" or crash.settled:
            return None
        if self._is_drawn(crash, applied):
            return None
        with self._lock:
            shown = self._shown.get(_kind_of(crash, applied))
            return shown.cure if shown else None

    def _is_drawn(self, crash: Crash, applied: str) -> bool:
        version = crash.subject.migration.version
        return Random(f"{self.draw} {version} {crash.left.name} {applied}").random() < SHARE

    def learn(
        self, crash: Crash, applied: str, state: str, attempts: tuple[Attempt, ...]
    ) -> tuple[str, bool] | None:
        """From a state on which everything was tried. Which one it is like, and whether it was
        healed like it; None if it is the first of its kind, or nothing follows from such a state.
        """
        if crash.left.name not in ("before", "after"):
            return None
        with self._lock:
            kind = _kind_of(crash, applied)
            first = self._shown.setdefault(kind, Shown(state, up_to_cure(attempts)))
            if first.state == state:
                return None
            agrees = first.agrees(attempts)
            first.differs |= not agrees
            if not _is_of_the_tool(crash, applied):
                return None
            if not agrees:
                self.revoked.add(Rule.TOOL_STATE)
            return first.state, agrees


def first_cure(attempts: Sequence[Attempt]) -> Cure | None:
    """The first that healed."""
    counts: dict[str, int] = {}
    for attempt in attempts:
        place = counts.get(attempt.kind, 0)
        if attempt.healed:
            return Cure(attempt.kind, place)
        counts[attempt.kind] = place + 1
    return None


def up_to_cure(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Those that were tried until one healed; all of them, if none did."""
    healing = [at for at, attempt in enumerate(attempts) if attempt.healed]
    return tuple(attempts[: healing[0] + 1] if healing else attempts)


def _outcome(attempt: Attempt) -> tuple[str, bool, bool]:
    return attempt.kind, attempt.healed, attempt.blocked


def _is_of_the_tool(crash: Crash, applied: str) -> bool:
    """Nothing of the migration is there; or all of it, and the tool has that on record: one that
    keeps none runs it once more, and what comes of that is the file's.
    """
    if crash.left.name == "after":
        return crash.settled and bool(applied)
    return crash.left.name == "before"


def _kind_of(crash: Crash, applied: str) -> tuple[Role, ...]:
    """The state, without what is the migration's own."""
    subject = crash.subject
    believed = {subject.migration.version: "this", subject.previous: "previous"}.get(applied, "")
    state = (crash.left.name, str(crash.settled), str(crash.stuck), believed or str(bool(applied)))
    return (*shape_of(subject.reference.rows, subject.down), state)

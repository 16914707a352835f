"""The ledger: every write the application sent, and what it was told; the oracle of RPO.

Pure: no database, no threads of its own. A write is entered as it is sent and starts out
unknown, so that one still in flight may legally end either way. A key with an unknown write is
left alone from then on, because a statement whose client is gone can still commit later.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from harness.application.deviation import nearest, same
from harness.application.writes import UNTOLD, History, Op, States, Write, WriteOutcome, follow
from harness.ports import Answer, Finding

__all__ = [
    "EXAMPLES",
    "Expected",
    "Ledger",
    "LedgerReport",
    "Op",
    "Write",
    "WriteOutcome",
    "compare",
    "expected",
    "same",
]

EXAMPLES = 5


class Ledger:
    """Grows by one write at a time, from any thread; ``columns`` are those it answers for."""

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self.columns = tuple(columns)
        self._writes: list[Write] = []
        self._places: list[int] = []
        self._histories: dict[int, History] = {}
        self._acknowledged: dict[int, None] = {}
        self._lock = threading.Lock()

    def sent(self, op: Op, key: int, values: Mapping[str, str], now_ns: int) -> int:
        """Enter a write that is about to be sent; returns its place for :meth:`answered`."""
        with self._lock:
            write = Write(op, key, dict(values), now_ns)
            history = self._histories.setdefault(key, History(self.columns))
            self._writes.append(write)
            self._places.append(history.sent(write))
            return len(self._writes) - 1

    def answered(self, place: int, outcome: WriteOutcome, now_ns: int) -> None:
        """Note what the application was told about the write at ``place``."""
        with self._lock:
            write = self._writes[place]
            told = None if outcome is WriteOutcome.UNKNOWN else now_ns
            write = replace(write, outcome=outcome, t_acked_ns=told)
            self._writes[place] = write
            self._histories[write.key].answered(self._places[place], write)
            if write.is_acknowledged:
                self._acknowledged.pop(write.key, None)
                self._acknowledged[write.key] = None

    def writes(self) -> tuple[Write, ...]:
        """All writes in the order they were sent; those in flight are unknown."""
        with self._lock:
            return tuple(self._writes)

    def history(self, key: int) -> History | None:
        """The writes of one key; None if it was never written."""
        return self._histories.get(key)

    def lately(self, back: float) -> int | None:
        """A key with an acknowledged write: 0 is the one written last, towards 1 the first."""
        with self._lock:
            place = int(back * len(self._acknowledged))
            return next(islice(reversed(self._acknowledged), place, None), None)


@dataclass(frozen=True)
class Expected:
    """Per key, every state in which the row may legally be found.

    Only keys with an acknowledged write are held to anything. ``acked_ns`` is when the last
    one of the key was acknowledged; ``acknowledged`` and ``unknown`` count writes.
    """

    states: Mapping[int, States]
    acked_ns: Mapping[int, int]
    acknowledged: int
    unknown: int


def expected(writes: Iterable[Write], columns: Sequence[str]) -> Expected:
    """Fold a history into the legal final states, keeping only the values of ``columns``."""
    states: dict[int, States] = {}
    acked_ns: dict[int, int] = {}
    counts = Counter[WriteOutcome]()
    for write in writes:
        counts[write.outcome] += 1
        states[write.key] = follow(write, states.get(write.key, UNTOLD), columns)
        if write.is_acknowledged:
            acked_ns[write.key] = write.t_acked_ns or write.t_sent_ns
    return Expected(
        {key: states[key] for key in acked_ns},
        acked_ns,
        counts[WriteOutcome.ACKNOWLEDGED],
        counts[WriteOutcome.UNKNOWN],
    )


@dataclass(frozen=True)
class LedgerReport:
    """What became of the acknowledged writes.

    ``lost``: acknowledged rows that are missing, plus acknowledged values whose column is
    missing. ``changed``: acknowledged values that differ. ``resurrected``: rows that are back
    although their delete was acknowledged. ``acknowledged`` and ``unknown`` count writes.

    ``for_good`` of them (they are among those three) were destroyed while the recovery went on,
    and overwritten by the application before they were back. ``misread`` are values that a read
    found destroyed and that came back. ``reads`` were checked; ``stale_reads`` found what no
    history of acknowledged writes explains, ``incident_reads`` what the incident had destroyed.
    """

    acknowledged: int
    unknown: int
    lost: int = 0
    changed: int = 0
    resurrected: int = 0
    examples: tuple[str, ...] = ()
    for_good: int = 0
    misread: int = 0
    reads: int = 0
    stale_reads: int = 0
    incident_reads: int = 0

    def finding(self) -> Finding:
        """The report as a claim's answer; without acknowledged writes there is none."""
        wanted = "every acknowledged write kept until the application itself overwrites it"
        bad = self.lost + self.changed + self.resurrected + self.misread
        if not self.acknowledged:
            found = f"no write was acknowledged ({self.unknown} unknown): nothing to compare"
            return Finding(Answer.UNANSWERABLE, found, wanted, population=0)
        found = (
            f"{self.acknowledged} acknowledged writes: {self.lost} lost, {self.changed} changed,"
            f" {self.resurrected} resurrected; {self.unknown} with unknown outcome; "
        )
        found += (
            f"{self.reads} reads checked, {self.stale_reads} stale"
            if self.reads
            else "no read could be checked"
        )
        if self.examples:
            found += "; " + "; ".join(self.examples)
        answer = Answer.NOT_HELD if bad else Answer.HELD
        return Finding(answer, found, wanted, population=self.acknowledged, lost=bad)


def compare(
    wanted: Expected,
    rows: Mapping[int, Mapping[str, Any]],
    since: Mapping[int, str] | None = None,
) -> LedgerReport:
    """Hold the rows found (key → column → value) against the nearest legal state of each key.

    A column that the database no longer has is left out of the rows; each acknowledged value
    of it is then lost. ``since`` says of a key when it was found destroyed.
    """
    counts = Counter[str]()
    examples: list[str] = []
    for key, states in wanted.states.items():
        least = nearest(states, rows.get(key))
        counts.update(deviation.kind for deviation in least)
        if least and len(examples) < EXAMPLES:
            at_ms = wanted.acked_ns[key] / 1e6
            says = ", ".join(map(str, least)) + f" (last acknowledged at {at_ms:.0f} ms)"
            when = (since or {}).get(key)
            examples.append(f"key {key}: {says}" + (f", {when}" if when else ""))
    return LedgerReport(
        wanted.acknowledged,
        wanted.unknown,
        counts["lost"],
        counts["changed"],
        counts["resurrected"],
        tuple(examples),
    )

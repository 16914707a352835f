"""The ledger: every write the application sent, and what it was told; the oracle of RPO.

Pure: no database, no threads of its own. A write is entered as it is sent and starts out
unknown, so that one still in flight may legally end either way. Each key is only ever written
by one worker, which makes the order per key total; a key with an unknown write is left alone
from then on, because a statement whose client is gone can still commit later.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from harness.ports import Answer, Finding

EXAMPLES = 5


class Op(StrEnum):
    """What a write does to its row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class WriteOutcome(StrEnum):
    """What the application was told about a write.

    ``refused``: the server answered that it wrote nothing (an error, or no row affected).
    ``unknown``: no answer; it may have been written or not.
    """

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Write:
    """One write: the row's key, the values by column, when it was sent and answered.

    Times are nanoseconds since the trial began; ``t_acked_ns`` is None while unanswered.
    """

    op: Op
    key: int
    values: Mapping[str, str]
    t_sent_ns: int
    t_acked_ns: int | None = None
    outcome: WriteOutcome = WriteOutcome.UNKNOWN


class Ledger:
    """Grows by one write at a time, from any thread."""

    def __init__(self) -> None:
        self._writes: list[Write] = []
        self._lock = threading.Lock()

    def sent(self, op: Op, key: int, values: Mapping[str, str], now_ns: int) -> int:
        """Enter a write that is about to be sent; returns its place for :meth:`answered`."""
        with self._lock:
            self._writes.append(Write(op, key, dict(values), now_ns))
            return len(self._writes) - 1

    def answered(self, place: int, outcome: WriteOutcome, now_ns: int) -> None:
        """Note what the application was told about the write at ``place``."""
        with self._lock:
            write = self._writes[place]
            told = None if outcome is WriteOutcome.UNKNOWN else now_ns
            self._writes[place] = replace(write, outcome=outcome, t_acked_ns=told)

    def writes(self) -> tuple[Write, ...]:
        """All writes in the order they were sent; those in flight are unknown."""
        with self._lock:
            return tuple(self._writes)


State = Mapping[str, str] | None
"""A row as far as the ledger knows it: its acknowledged values; None when it is gone."""


UNTOLD: tuple[State, ...] = (None, {})
"""A row of which the ledger has no write yet: there or not, with whatever values."""


@dataclass(frozen=True)
class Expected:
    """Per key, every state in which the row may legally be found.

    Only keys with an acknowledged write are held to anything. ``acked_ns`` is when the last
    one of the key was acknowledged; ``acknowledged`` and ``unknown`` count writes.
    """

    states: Mapping[int, tuple[State, ...]]
    acked_ns: Mapping[int, int]
    acknowledged: int
    unknown: int


def expected(writes: Iterable[Write], columns: Sequence[str]) -> Expected:
    """Fold a history into the legal final states, keeping only the values of ``columns``."""
    states: dict[int, tuple[State, ...]] = {}
    acked_ns: dict[int, int] = {}
    counts = dict.fromkeys(WriteOutcome, 0)
    for write in writes:
        counts[write.outcome] += 1
        before = states.get(write.key, UNTOLD)
        values = {name: write.values[name] for name in columns if name in write.values}
        if write.outcome is WriteOutcome.ACKNOWLEDGED:
            states[write.key] = _after(write.op, values, before)
            acked_ns[write.key] = write.t_acked_ns or write.t_sent_ns
        elif write.outcome is WriteOutcome.UNKNOWN:
            states[write.key] = _distinct(before + _after(write.op, values, before))
    return Expected(
        {key: states[key] for key in acked_ns},
        acked_ns,
        counts[WriteOutcome.ACKNOWLEDGED],
        counts[WriteOutcome.UNKNOWN],
    )


def _after(op: Op, values: State, before: tuple[State, ...]) -> tuple[State, ...]:
    """The states that are left once the write has happened in each of the states before."""
    if op is Op.DELETE:
        return (None,)
    if op is Op.INSERT:
        return (values,)
    present = [state for state in before if state is not None] or [{}]
    return _distinct(tuple({**state, **values} for state in present))


def _distinct(states: tuple[State, ...]) -> tuple[State, ...]:
    return tuple(state for place, state in enumerate(states) if state not in states[:place])


@dataclass(frozen=True)
class LedgerReport:
    """What became of the acknowledged writes.

    ``lost``: acknowledged rows that are missing, plus acknowledged values whose column is
    missing. ``changed``: acknowledged values that differ. ``resurrected``: rows that are back
    although their delete was acknowledged. ``acknowledged`` and ``unknown`` count writes.
    """

    acknowledged: int
    unknown: int
    lost: int = 0
    changed: int = 0
    resurrected: int = 0
    examples: tuple[str, ...] = ()

    def finding(self) -> Finding:
        """The report as a claim's answer; without acknowledged writes there is none."""
        wanted = "every acknowledged write is in the database as it was acknowledged"
        bad = self.lost + self.changed + self.resurrected
        if not self.acknowledged:
            found = f"no write was acknowledged ({self.unknown} unknown): nothing to compare"
            return Finding(Answer.UNANSWERABLE, found, wanted, population=0)
        found = (
            f"{self.acknowledged} acknowledged writes: {self.lost} lost, {self.changed} changed,"
            f" {self.resurrected} resurrected; {self.unknown} with unknown outcome"
        )
        if self.examples:
            found += "; " + "; ".join(self.examples)
        answer = Answer.NOT_HELD if bad else Answer.HELD
        return Finding(answer, found, wanted, population=self.acknowledged, lost=bad)


@dataclass
class _Deviation:
    """How far a found row is from one legal state."""

    lost: int = 0
    changed: int = 0
    resurrected: int = 0
    says: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.lost + self.changed + self.resurrected


def compare(wanted: Expected, rows: Mapping[int, Mapping[str, Any]]) -> LedgerReport:
    """Hold the rows found (key → column → value) against the nearest legal state of each key.

    A column that the database no longer has is left out of the rows; each acknowledged value
    of it is then lost.
    """
    total = _Deviation()
    examples: list[str] = []
    for key, states in wanted.states.items():
        least = min((_deviation(state, rows.get(key)) for state in states), key=lambda d: d.size)
        total.lost += least.lost
        total.changed += least.changed
        total.resurrected += least.resurrected
        if least.says and len(examples) < EXAMPLES:
            at_ms = wanted.acked_ns[key] / 1e6
            says = ", ".join(least.says)
            examples.append(f"key {key}: {says} (last acknowledged at {at_ms:.0f} ms)")
    return LedgerReport(
        wanted.acknowledged,
        wanted.unknown,
        total.lost,
        total.changed,
        total.resurrected,
        tuple(examples),
    )


def _deviation(state: State, row: Mapping[str, Any] | None) -> _Deviation:
    if state is None:
        if row is None:
            return _Deviation()
        return _Deviation(resurrected=1, says=["the deleted row is back"])
    if row is None:
        return _Deviation(lost=1, says=["the row is missing"])
    found = _Deviation()
    for column, value in state.items():
        if column not in row:
            found.lost += 1
            found.says.append(f"the column {column} with {value!r} is missing")
        elif not same(value, row[column]):
            found.changed += 1
            found.says.append(f"{column} is {_short(row[column])}, acknowledged was {value!r}")
    return found


def same(acknowledged: str, found: Any) -> bool:
    """True if a column's value, of whatever type it is read as, is the text that was written."""
    if found is None:
        return False
    if isinstance(found, bool):
        return acknowledged.lower() in (("true", "t", "1") if found else ("false", "f", "0"))
    if isinstance(found, int | float | Decimal):
        try:
            return Decimal(acknowledged) == Decimal(str(found))
        except InvalidOperation:
            return False
    if isinstance(found, dict | list):
        try:
            return json.loads(acknowledged) == found
        except json.JSONDecodeError:
            return False
    if isinstance(found, bytes | bytearray | memoryview):
        return acknowledged.encode() == bytes(found)
    return acknowledged == str(found)


def _short(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

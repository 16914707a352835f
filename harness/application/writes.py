"""A write that the application sent, and what a key's writes leave legal at any moment.

Pure. Each key is only ever written by one worker, which makes the order per key total: a read
that sees anything but a state which this order allows between its send and its answer is no
linearizable read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

ROW = ""
"""The cell that stands for a row as a whole; the others are columns."""


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

    @property
    def is_acknowledged(self) -> bool:
        return self.outcome is WriteOutcome.ACKNOWLEDGED

    def covers(self, cell: str) -> bool:
        """Whether it leaves nothing of what the cell held before."""
        return cell == ROW or self.op is not Op.UPDATE or cell in self.values


State = Mapping[str, str] | None
"""A row as far as the ledger knows it: its acknowledged values; None when it is gone."""

States = tuple[State, ...]

UNTOLD: States = (None, {})
"""A row of which the ledger has no write yet: there or not, with whatever values."""


def follow(write: Write, before: States, columns: Sequence[str]) -> States:
    """The states that are legal once the write was answered as it says, or for good was not."""
    if write.outcome is WriteOutcome.REFUSED:
        return before
    if write.is_acknowledged:
        return done(write, before, columns)
    possible = tuple(state for state in before if (state is None) is (write.op is Op.INSERT))
    return distinct(before + done(write, possible, columns)) if possible else before


def done(write: Write, before: States, columns: Sequence[str]) -> States:
    """The states that are left once the write has happened in each of the states before."""
    if write.op is Op.DELETE:
        return (None,)
    values = {name: write.values[name] for name in columns if name in write.values}
    if write.op is Op.INSERT:
        return (values,)
    present = [state for state in before if state is not None] or [{}]
    return distinct(tuple({**state, **values} for state in present))


def distinct(states: States) -> States:
    """Each state once, in order."""
    return tuple(state for place, state in enumerate(states) if state not in states[:place])


class History:
    """The writes of one key in the order they were sent; ``columns`` are the ledger's.

    Grows at the end, and a write's outcome is noted once; so what was legal before a write
    that has been answered is folded once and kept.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._writes: list[Write] = []
        self._before: list[States] = [UNTOLD]

    def sent(self, write: Write) -> int:
        """Enter a write; returns its place for :meth:`answered`."""
        self._writes.append(write)
        return len(self._writes) - 1

    def answered(self, place: int, write: Write) -> None:
        """The write at ``place``, with its outcome."""
        self._writes[place] = write

    def legal(self, sent_ns: int, answered_ns: int) -> States:
        """Every state that a look sent and answered then may find.

        A write in flight at any moment in between may be seen or not; so may one whose answer
        never came, from its send on. Of two equal times nobody knows which was first.
        """
        writes = self._writes[: self._sent_by(answered_ns)]
        settled = self._settled_by(sent_ns, len(writes))
        now = legal = self._before_write(settled)
        for write in writes[settled:]:
            now = follow(write, now, self._columns)
            legal = distinct(legal + now)
        return legal

    def place(self, cell: str, at_ns: int) -> int:
        """Which write the cell's value is of at that moment; -1 if of none in the ledger."""
        settled = self._settled_by(at_ns, len(self._writes))
        return next(
            (
                place
                for place in range(settled - 1, -1, -1)
                if self._writes[place].is_acknowledged and self._writes[place].covers(cell)
            ),
            -1,
        )

    def overwritten_ns(self, cell: str, since_ns: int) -> int | None:
        """When the first write sent since then that covers the cell was acknowledged, if any."""
        later = self._writes[self._sent_by(since_ns) :]
        return next((w.t_acked_ns for w in later if w.is_acknowledged and w.covers(cell)), None)

    def _sent_by(self, at_ns: int) -> int:
        """How many writes were sent by then."""
        many = len(self._writes)
        while many and self._writes[many - 1].t_sent_ns > at_ns:
            many -= 1
        return many

    def _settled_by(self, at_ns: int, many: int) -> int:
        """How many of the first ``many`` writes had surely happened, or not, by then."""
        while many:
            answered_ns = self._writes[many - 1].t_acked_ns
            if answered_ns is not None and answered_ns < at_ns:
                break
            many -= 1
        return many

    def _before_write(self, place: int) -> States:
        while len(self._before) <= place:
            last = len(self._before) - 1
            self._before.append(follow(self._writes[last], self._before[last], self._columns))
        return self._before[place]

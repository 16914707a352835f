"""Acknowledged values that were seen destroyed, by a read or by a check; the worst is kept.

Pure. A check looks at every row of the ledger, between two steps of a recovery; a read looks at
one, at any time. What either finds that the history of acknowledged writes does not allow is an
anomaly of a cell (a column of a row, or the row as a whole). It stays open until a later look
finds the very value back; if the application overwrites the cell before that, it is lost for
good, however right the table looks afterwards.

The first check of a recovery is the reference: what is destroyed then, the incident did, and no
step can destroy it once more, whatever it puts there. Where a value is only out of sight (its
column or table has another name), a step can still destroy it; but a column may well come back
empty, for somebody to fill it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.application.deviation import ABSENT, Deviation, Kind, Row, nearest, same
from harness.application.ledger import Ledger
from harness.application.writes import ROW, States

Cell = tuple[int, str]
"""A key, and a column or the row as a whole."""


@dataclass(frozen=True)
class Observation:
    """What was found of one row, sent and answered when (ns since the trial began).

    Only ``columns`` were looked at; the row holds a value of each that is there.
    """

    key: int
    row: Row
    columns: Collection[str]
    sent_ns: int
    answered_ns: int


@dataclass
class Anomaly:
    """A cell whose acknowledged value was found destroyed at ``t_ns``.

    ``legal`` are the states that the row could have been in; ``place`` tells which write the
    value was of. ``after`` is the step after which it was found (None until the next check).
    ``incident``: it was so when the recovery began; ``hidden``: the value was out of sight then,
    and still in the database. ``misread``: a read met it.
    """

    key: int
    deviation: Deviation
    legal: States
    place: int
    t_ns: int
    after: str | None
    incident: bool = False
    hidden: bool = False
    misread: bool = False

    @property
    def cell(self) -> str:
        return self.deviation.cell

    @property
    def kind(self) -> Kind:
        return self.deviation.kind

    def when(self) -> str:
        """When it was found destroyed, as a half-sentence."""
        if self.incident:
            return "destroyed before the first step"
        after = f"after step {self.after!r}" if self.after else "since the recovery began"
        return f"destroyed {after}, as seen at {self.t_ns / 1e6:.0f} ms"

    def __str__(self) -> str:
        return f"key {self.key}: {self.deviation}, {self.when()}"

    def is_back(self, row: Row) -> bool:
        """Whether the row holds in this cell what it legally held when it was found destroyed."""
        if self.cell == ROW:
            return (row is None) is (self.kind == "resurrected")
        held = [state[self.cell] for state in self.legal if state and self.cell in state]
        return row is not None and any(same(value, row.get(self.cell)) for value in held)


@dataclass(frozen=True)
class StaleRead:
    """A read that no order of the acknowledged writes explains.

    ``counted`` if a step of the recovery is to answer for it, and not the incident.
    """

    observation: Observation
    deviations: tuple[Deviation, ...]
    legal: States
    counted: bool


class Anomalies:
    """Grows by reads and checks; not for several threads at once."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.reads = 0
        self.stale_reads = 0
        """Reads that met what a step destroyed."""
        self.incident_reads = 0
        """Reads that met what the incident destroyed."""
        self.reference_ns: int | None = None
        """When the reference was complete; until then everything is the incident's doing."""
        self.for_good: list[Anomaly] = []
        """Destroyed, and overwritten by the application before they were back."""
        self.misread: list[Anomaly] = []
        """Met by a read, and back later."""
        self._open: dict[int, dict[str, Anomaly]] = {}
        self._excused: dict[Cell, int] = {}
        self._empty: dict[str, Any] = {}

    def opened(self, *, incident: bool) -> list[Anomaly]:
        """Those that nobody put right yet and the application did not overwrite."""
        for key in tuple(self._open):
            self._close_overwritten(key)
        found = (anomaly for cells in self._open.values() for anomaly in cells.values())
        return [anomaly for anomaly in found if anomaly.incident is incident]

    def read(self, seen: Observation) -> StaleRead | None:
        """A read's answer; None if it is legal."""
        self.reads += 1
        legal, deviations = self._judge(seen)
        self._close_overwritten(seen.key)
        self._close_put_right(seen, deviations)
        if not deviations:
            return None
        counted = False
        for cell, deviation in deviations.items():
            if not self._is_excused(seen, cell):
                anomaly = self._open_one(seen, deviation, legal, None)
                anomaly.misread = counted = True
        self.stale_reads += counted
        self.incident_reads += not counted
        told = deviations.get(ROW)
        return StaleRead(seen, (told,) if told else tuple(deviations.values()), legal, counted)

    def check(
        self,
        seen: Iterable[Observation],
        after: str | None,
        *,
        hidden: Collection[Cell] = (),
        empty: Mapping[str, Any] | None = None,
    ) -> None:
        """All rows of the ledger, while no write is on its way, after a step.

        ``hidden`` are, at the reference, the cells whose values are somewhere else. ``empty``
        has the columns that came back with one value (NULL, a default) in all rows that the
        application never touched, and ROW if there are no such rows.
        """
        self._empty = {**(empty or {}), **self._empty}
        for one in seen:
            self._check_row(one, after, hidden)
        for anomaly in (*self.opened(incident=False), *self.for_good, *self.misread):
            anomaly.after = after if anomaly.after is None else anomaly.after

    # ------------------------------------------------------------------ its own

    def _judge(self, seen: Observation) -> tuple[States, dict[str, Deviation]]:
        history = self.ledger.history(seen.key)
        if history is None:
            return (), {}
        legal = history.legal(seen.sent_ns, seen.answered_ns)
        cells = {d.cell: d for d in nearest(legal, seen.row, seen.columns)}
        if ROW in cells and seen.row is None:
            values = {column: value for state in legal if state for column, value in state.items()}
            cells |= {c: Deviation(c, "lost", ABSENT, v, True) for c, v in values.items()}
        return legal, cells

    def _check_row(self, seen: Observation, after: str | None, hidden: Collection[Cell]) -> None:
        legal, deviations = self._judge(seen)
        self._close_overwritten(seen.key)
        for cell, anomaly in tuple(self._open.get(seen.key, {}).items()):
            if cell in deviations:
                if anomaly.hidden and not self._is_empty(deviations[cell]):
                    self._close(anomaly, seen.answered_ns, is_back=False)
            elif cell == ROW or cell in seen.columns:
                self._close(anomaly, seen.answered_ns, is_back=anomaly.is_back(seen.row))
        for cell, deviation in deviations.items():
            anomaly = self._open_one(seen, deviation, legal, after)
            anomaly.hidden = anomaly.hidden or (seen.key, cell) in hidden

    def _open_one(
        self, seen: Observation, deviation: Deviation, legal: States, after: str | None
    ) -> Anomaly:
        """The open anomaly of the cell; the first one is kept."""
        history = self.ledger.history(seen.key)
        assert history is not None, "only what the ledger knows can deviate"
        place = history.place(deviation.cell, seen.sent_ns)
        incident = self.reference_ns is None
        new = Anomaly(seen.key, deviation, legal, place, seen.answered_ns, after, incident)
        return self._open.setdefault(seen.key, {}).setdefault(deviation.cell, new)

    def _close_overwritten(self, key: int) -> None:
        history = self.ledger.history(key)
        for cell, anomaly in tuple(self._open.get(key, {}).items()):
            acked_ns = history.overwritten_ns(cell, anomaly.t_ns) if history else None
            if acked_ns is not None:
                self._close(anomaly, acked_ns, is_back=False)

    def _close_put_right(self, seen: Observation, deviations: Collection[str]) -> None:
        """A read that was sent after something was found destroyed has found it back."""
        for cell, anomaly in tuple(self._open.get(seen.key, {}).items()):
            looked_at = cell not in deviations and (cell == ROW or cell in seen.columns)
            if looked_at and seen.sent_ns > anomaly.t_ns and anomaly.is_back(seen.row):
                self._close(anomaly, seen.answered_ns, is_back=True)

    def _close(self, anomaly: Anomaly, at_ns: int, *, is_back: bool) -> None:
        del self._open[anomaly.key][anomaly.cell]
        if anomaly.incident:
            self._excused[anomaly.key, anomaly.cell] = at_ns
        elif not is_back:
            self.for_good.append(anomaly)
        elif anomaly.misread:
            self.misread.append(anomaly)

    def _is_empty(self, now: Deviation) -> bool:
        """Whether the cell is as empty as its whole column, or table, is or was."""
        if now.cell == ROW or now.found is ABSENT:
            return ROW in self._empty
        return now.cell in self._empty and repr(now.found) == repr(self._empty[now.cell])

    def _is_excused(self, seen: Observation, cell: str) -> bool:
        """Whether the incident may still have been what the read met."""
        if self.reference_ns is None or seen.sent_ns <= self.reference_ns:
            return True
        anomaly = self._open.get(seen.key, {}).get(cell)
        if anomaly is not None and anomaly.incident:
            return True
        return self._excused.get((seen.key, cell), -1) >= seen.sent_ns


def each_value(anomalies: Iterable[Anomaly]) -> list[Anomaly]:
    """One anomaly for each value; a row that is missing is one, whatever was in it.

    A value counts once, however often it was met.
    """
    met = tuple(anomalies)
    rows = {(a.key, a.t_ns) for a in met if a.cell == ROW}
    whole = (a for a in met if a.cell == ROW or (a.key, a.t_ns) not in rows)
    return list({(a.key, a.cell, a.place): a for a in whole}.values())


def counted(anomalies: Iterable[Anomaly]) -> Counter[str]:
    """How many values they are, by kind."""
    return Counter(anomaly.kind for anomaly in each_value(anomalies))

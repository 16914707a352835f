"""Holds what the application reads, and what its table holds between steps, against the ledger.

Looks and never acts; whoever asks for a check sees to it that the writers are held meanwhile.
What it finds goes on the record: a ``stale-read`` as it is read, a ``ledger`` for each check.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from harness.application.anomalies import (
    Anomalies,
    Anomaly,
    Observation,
    StaleRead,
    counted,
    each_value,
)
from harness.application.ledger import (
    EXAMPLES,
    Expected,
    Ledger,
    LedgerReport,
    compare,
    expected,
)
from harness.application.ledger_table import Found, LedgerTable
from harness.application.lookup import Lookup, row_of
from harness.application.writes import ROW
from harness.errors import DatabaseError
from harness.model import App
from harness.ports import Answer, Engine, Finding, Rows, Session
from harness.record.events import LedgerChecked, StaleReadSeen
from harness.record.timeline import Timeline

STALE_READS = 20
"""Stale reads that are told one by one: of those that count, and of the incident's."""
Before = Callable[[], AbstractContextManager[Session]]
"""A session in the database as it was before anything happened."""


class LedgerWatch:
    """Judges by the ledger of one application, from any thread."""

    def __init__(self, app: App, engine: Engine, timeline: Timeline, ledger: Ledger) -> None:
        self._name = app.table
        self._table = LedgerTable(app, engine)
        self._timeline = timeline
        self._ledger = ledger
        self._anomalies = Anomalies(ledger)
        self._after = ""
        self._told: Counter[bool] = Counter()
        self._lock = threading.Lock()

    def read(
        self, lookup: Lookup | None, key: int, rows: Rows, sent_ns: int, answered_ns: int
    ) -> None:
        """A read's answer, as far as the statement tells anything of the row."""
        if lookup is None or not self._ledger.columns:
            return
        found, columns = row_of(lookup, rows, self._ledger.columns)
        with self._lock:
            judged = (
                self._anomalies.read(Observation(key, row, columns, sent_ns, answered_ns))
                for row in found
            )
            stale = next((one for one in judged if one is not None), None)
            told = stale is not None and self._told[stale.counted] < STALE_READS
            if stale is not None:
                self._told[stale.counted] += 1
            after = self._after
        if stale is not None and told:
            self._timeline.add(_as_seen(stale, after))

    def check(self, session: Session, after: str, before: Before) -> None:
        """Compare the table with the ledger once the step ``after`` has ended ("" : before the
        first), and keep what is destroyed. DatabaseError if the table cannot be read."""
        sent_ns = self._timeline.now_ns()
        wanted = expected(self._ledger.writes(), self._ledger.columns)
        reference = self._anomalies.reference_ns is None
        found = self._table.found(session, wanted)
        empty = self._empty(session, found, wanted)
        hidden: set[tuple[int, str]] = set()
        if reference and set(found.columns or ()) < set(self._ledger.columns):
            with before() as other:
                hidden = self._table.hidden(session, other, found, wanted)
        answered_ns = self._timeline.now_ns()
        with self._lock:
            seen = self._seen(found, wanted, sent_ns, answered_ns, everything=reference)
            self._anomalies.check(seen, after, hidden=hidden, empty=empty)
            if reference:
                self._anomalies.reference_ns = answered_ns
            self._after = after
            report = self._now(wanted)
        self._add(report, after, took_ns=self._timeline.now_ns() - sent_ns)

    def unreadable(self, after: str, why: str) -> None:
        """Note that the table could not be read after that step, which is no finding."""
        self._timeline.add(LedgerChecked(after, final=False, unreadable=why))

    def settle(self, session: Session) -> Finding:
        """Compare every acknowledged write with the table, and add what was lost on the way.

        DatabaseError(lost=True) if the session breaks.
        """
        sent_ns = self._timeline.now_ns()
        wanted = expected(self._ledger.writes(), self._ledger.columns)
        try:
            found = self._table.found(session, wanted)
            empty = self._empty(session, found, wanted)
        except DatabaseError as problem:
            if problem.lost:
                raise
            return Finding(
                Answer.UNANSWERABLE,
                f"the table {self._name} could not be read: {problem}",
                "every acknowledged write is compared with the table",
                population=wanted.acknowledged,
            )
        answered_ns = self._timeline.now_ns()
        with self._lock:
            seen = self._seen(found, wanted, sent_ns, answered_ns, everything=False)
            self._anomalies.check(seen, None, empty=empty)
            report = self._settled(compare(wanted, found.rows, self._since()))
            after = self._after
        self._add(report, after, final=True, took_ns=self._timeline.now_ns() - sent_ns)
        return report.finding()

    # ------------------------------------------------------------------ its own

    def _add(self, report: LedgerReport, after: str, *, took_ns: int, final: bool = False) -> None:
        with self._lock:
            incident = counted(self._anomalies.opened(incident=True)).total()
        self._timeline.add(
            LedgerChecked(after, final, incident=incident, took_ns=took_ns, **vars(report))
        )

    def _now(self, wanted: Expected) -> LedgerReport:
        """What is destroyed at this moment, by a step."""
        destroyed = each_value(self._anomalies.opened(incident=False))
        counts = counted(destroyed)
        return self._with_the_way(
            LedgerReport(
                wanted.acknowledged,
                wanted.unknown,
                counts["lost"],
                counts["changed"],
                counts["resurrected"],
                tuple(map(str, destroyed[:EXAMPLES])),
            )
        )

    def _settled(self, report: LedgerReport) -> LedgerReport:
        """The report on the table, and what was destroyed on the way and is not seen in it."""
        gone = each_value(self._anomalies.for_good)
        counts = counted(gone)
        told = [f"{anomaly}, and overwritten by the application" for anomaly in gone[:EXAMPLES]]
        back = [f"{a}, met by a read, and back later" for a in self._anomalies.misread[:EXAMPLES]]
        return replace(
            self._with_the_way(report),
            lost=report.lost + counts["lost"],
            changed=report.changed + counts["changed"],
            resurrected=report.resurrected + counts["resurrected"],
            examples=(*told, *back, *report.examples),
        )

    def _with_the_way(self, report: LedgerReport) -> LedgerReport:
        anomalies = self._anomalies
        gone = counted(anomalies.for_good).total()
        return replace(
            report,
            for_good=gone,
            misread=counted((*anomalies.for_good, *anomalies.misread)).total() - gone,
            reads=anomalies.reads,
            stale_reads=anomalies.stale_reads,
            incident_reads=anomalies.incident_reads,
        )

    def _since(self) -> dict[int, str]:
        """Of every key that is destroyed now, when that was found."""
        both: list[Anomaly] = [
            *self._anomalies.opened(incident=False),
            *self._anomalies.opened(incident=True),
        ]
        return {anomaly.key: anomaly.when() for anomaly in reversed(both)}

    def _seen(
        self, found: Found, wanted: Expected, sent_ns: int, answered_ns: int, *, everything: bool
    ) -> Iterator[Observation]:
        """The rows as observations; ``everything``: what is not there counts as destroyed."""
        if found.columns is None and not everything:
            return
        columns = self._ledger.columns if everything else found.columns or ()
        for key in wanted.states:
            yield Observation(key, found.rows.get(key), columns, sent_ns, answered_ns)

    def _empty(self, session: Session, found: Found, wanted: Expected) -> dict[str, Any]:
        """What came back empty of what was out of sight."""
        with self._lock:
            hidden = {a.cell for a in self._anomalies.opened(incident=True) if a.hidden}
        if not hidden or found.columns is None:
            return {}
        columns = hidden.intersection(found.columns) - {ROW}
        touched = {write.key for write in self._ledger.writes()}
        return self._table.empty(session, columns, touched)


def _as_seen(stale: StaleRead, after: str) -> StaleReadSeen:
    seen = stale.observation
    return StaleReadSeen(
        after=after,
        key=seen.key,
        found=", ".join(map(str, stale.deviations)),
        legal=tuple(map(_told, stale.legal)),
        sent_ns=seen.sent_ns,
        answered_ns=seen.answered_ns,
        counted=stale.counted,
    )


def _told(state: Mapping[str, str] | None) -> str:
    if state is None:
        return "no row"
    return ", ".join(f"{column} = {value!r}" for column, value in state.items()) or "a row"

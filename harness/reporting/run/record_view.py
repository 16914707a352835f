"""One trial as its reports need it: the judged value beside what its timeline tells.

Nothing is added: every field is picked from ``trial.json`` or ``events.jsonl``. A timeline
that was cut short gives spans without an end and lists that are shorter, never an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

from harness.drill.results import BY_HAND, TrialResult
from harness.record.events import (
    CheckedByHand,
    ClaimAnswered,
    Clock,
    FaultFired,
    GivenUp,
    HintGiven,
    LedgerChecked,
    Payload,
    Phase,
    RepairedByHand,
    SentByHand,
    Span,
    Statement,
    StepTaken,
    Tick,
    WaitsSeen,
)
from harness.record.timeline import Event, first, told
from harness.reporting.words import plural

Events = Callable[[str], Sequence[Event[Any]]]
"""The timeline of a trial, by its id."""
DEMONSTRATION = "the harness demonstrated the recovery, which repairs nothing for the person"
"""What follows when somebody gave up."""
SECTIONS = ("steady_state", "damage", "verify", "untouched")
P = TypeVar("P", bound=Payload)
S = TypeVar("S", bound=Span)


@dataclass(frozen=True)
class Lasted(Generic[S]):
    """A span as a whole; ``end_ns`` is None when the record stops before it ended."""

    begin_ns: int
    end_ns: int | None
    what: S

    @property
    def ok(self) -> bool:
        return self.what.ok and self.end_ns is not None

    @property
    def took_ms(self) -> float | None:
        if self.end_ns is None:
            return None
        took_ns = self.what.took_ns
        return (self.end_ns - self.begin_ns if took_ns is None else took_ns) / 1e6


@dataclass(frozen=True)
class Wait:
    """So many sessions of ``waiter`` (migration, application, …) waited behind ``blocker``."""

    t_ns: int
    waiter: str
    blocker: str
    count: int


@dataclass(frozen=True)
class Handwork:
    """What a person did; ``end_ns`` is None when the record stops before they were done."""

    begin_ns: int | None
    end_ns: int | None
    gave_up: bool
    """The steps that follow are the harness's demonstration."""
    took_s: float | None
    hints: Sequence[Event[HintGiven]]
    checks: Sequence[Event[CheckedByHand]]
    sent: Sequence[str]
    """Their statements, in order; when each was sent is not known."""

    @property
    def in_words(self) -> str:
        """How it ended, and how often the person asked."""
        took = f" after {self.took_s:.0f} s" if self.took_s is not None else ""
        ended = "not brought to an end" if self.end_ns is None else f"repaired by hand{took}"
        told = f"not repaired: given up{took}" if self.gave_up else ended
        counts = ((self.sent, "statement"), (self.hints, "hint"), (self.checks, "check"))
        return f"{told}; {', '.join(plural(len(found), word) for found, word in counts)}"


@dataclass(frozen=True)
class Outage:
    """What the application went through, summed over its ticks."""

    ok: int = 0
    errors: int = 0
    most_waiting: int = 0
    waiting_ms: float = 0.0
    erring_ms: float = 0.0
    worst_ms: float = 0.0


class TrialView:
    """A trial of a finished run; :attr:`value` is its ``trial.json``."""

    def __init__(self, value: TrialResult, events: Sequence[Event[Any]]) -> None:
        self.value = value
        self.events = tuple(events)
        self.cell = value.cell
        self.server = value.server

    def of(self, kind: type[P]) -> list[Event[P]]:
        """The events of a kind, in order."""
        return told(self.events, kind)

    def named(self, kind: str) -> list[Event[Any]]:
        """The events of a kind, by its word in the record: for templates."""
        return [event for event in self.events if kind == event.what.KIND and not event.edge]

    def ms(self, t_ns: int) -> float:
        """Since the migration began."""
        return (t_ns - self.zero_ns) / 1e6

    def spans(self, kind: type[S], *keys: str) -> list[Lasted[S]]:
        """The spans of a kind, begun and ended by events that agree in the fields ``keys``."""
        found: list[Lasted[S]] = []
        open_at: dict[tuple[object, ...], int] = {}
        for event in self.of(kind):
            key = tuple(getattr(event.what, name) for name in keys)
            if event.edge == "begin":
                open_at[key] = len(found)
                found.append(Lasted(event.t_ns, None, event.what))
            elif key in open_at:
                at = open_at.pop(key)
                found[at] = Lasted(found[at].begin_ns, event.t_ns, event.what)
        return found

    @cached_property
    def phases(self) -> dict[str, Lasted[Phase]]:
        return {span.what.phase: span for span in self.spans(Phase, "phase")}

    @cached_property
    def zero_ns(self) -> int:
        """When the migration was due to begin; 0, the trial's begin, if it never was."""
        phase = self.phases.get("migrate_under_fault")
        return phase.begin_ns if phase else 0

    @cached_property
    def statements(self) -> list[Lasted[Statement]]:
        """Each with what was really sent, which its begin tells."""
        sent = {(e.what.run, e.what.n): e.what.sql for e in self.of(Statement) if e.edge == "begin"}
        return [
            replace(span, what=replace(span.what, sql=sent[span.what.run, span.what.n]))
            for span in self.spans(Statement, "run", "n")
        ]

    @cached_property
    def steps(self) -> list[Lasted[StepTaken]]:
        """Those of a procedure; what a person did is told by :attr:`by_hand`."""
        return [span for span in self.spans(StepTaken, "n", "name") if span.what.verb != BY_HAND]

    @cached_property
    def fired_ns(self) -> int | None:
        """When the fault struck; None if it never did."""
        return next((event.t_ns for event in self.of(FaultFired)), None)

    @cached_property
    def waits(self) -> list[Wait]:
        """Who was seen waiting for whom; one value per look and kind of wait."""
        found = []
        for event in self.of(WaitsSeen):
            kinds = Counter((pair.waiter_is, pair.blocker_is) for pair in event.what.pairs)
            found += [Wait(event.t_ns, *kind, count) for kind, count in kinds.items()]
        return found

    @cached_property
    def by_hand(self) -> Handwork | None:
        """What a person did in the place of the procedure; None where a machine recovers."""
        hints, checks = self.of(HintGiven), self.of(CheckedByHand)
        sent = [event.what.sql for event in self.of(SentByHand)]
        given_up = self.of(GivenUp)
        ends: list[Event[RepairedByHand | GivenUp]] = [*self.of(RepairedByHand), *given_up]
        if self.cell.procedure != BY_HAND and not (hints or checks or sent or ends):
            return None
        phase = self.phases.get("recover")
        begin_ns = phase.begin_ns if phase else None
        end_ns, took_s = (ends[0].t_ns, ends[0].what.took_s) if ends else (None, None)
        return Handwork(begin_ns, end_ns, bool(given_up), took_s, hints, checks, sent)

    @cached_property
    def claims(self) -> dict[str, list[ClaimAnswered]]:
        """Claims by section, in the order of the story."""
        by_section: dict[str, list[ClaimAnswered]] = {name: [] for name in SECTIONS}
        for event in self.of(ClaimAnswered):
            by_section.setdefault(event.what.section, []).append(event.what)
        return {name: claims for name, claims in by_section.items() if claims}

    @cached_property
    def ledger(self) -> LedgerChecked | None:
        """What it says in the end; what it said between steps is no account of the whole."""
        settled = [event.what for event in self.of(LedgerChecked) if event.what.final]
        return settled[-1] if settled else None

    @cached_property
    def outage(self) -> Outage:
        """The ticks from the migration's begin on; all of them if its begin is unknown."""
        return _sum_up(event.what for event in self.of(Tick) if event.t_ns >= self.zero_ns)

    def wall(self, t_ns: int | None) -> datetime | None:
        """The time of day (UTC) of a moment; None if the clock was not noted."""
        clock = first(self.events, Clock)
        if clock is None or t_ns is None:
            return None
        try:
            start = datetime.fromisoformat(clock.wall)
        except ValueError:
            return None
        return start.astimezone(UTC) + timedelta(microseconds=t_ns / 1000)


def _sum_up(ticks: Iterable[Tick]) -> Outage:
    seen = list(ticks)
    return Outage(
        ok=sum(tick.ok for tick in seen),
        errors=sum(tick.errors for tick in seen),
        most_waiting=max((tick.waiting for tick in seen), default=0),
        waiting_ms=100.0 * sum(1 for tick in seen if tick.waiting),
        erring_ms=100.0 * sum(1 for tick in seen if tick.errors),
        worst_ms=max((tick.worst_ms for tick in seen), default=0.0),
    )

"""One trial as its reports need it: the judged value beside what its timeline tells.

Nothing is added: every field is picked from ``trial.json`` or ``events.jsonl``. A timeline
that was cut short gives spans without an end and lists that are shorter, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from harness.record.timeline import Event

Events = Callable[[str], Sequence[Event]]
SECTIONS = ("steady_state", "damage", "verify", "untouched")


class Record(dict):
    """A recorded value: a field that was not recorded is None, as in older or cut records."""

    def __missing__(self, key: str) -> None:
        return None


def record(value: Any) -> Any:
    """The value with every mapping in it as a :class:`Record`."""
    if isinstance(value, Mapping):
        return Record({key: record(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return [record(item) for item in value]
    return value


@dataclass(frozen=True)
class Span:
    """Something that lasted; ``end_ns`` is None when the record stops before it ended."""

    begin_ns: int
    end_ns: int | None
    data: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return bool(self.data.get("ok", True)) and self.end_ns is not None

    @property
    def took_ms(self) -> float | None:
        if self.end_ns is None:
            return None
        took = self.data.get("took_ns")
        return (self.end_ns - self.begin_ns if took is None else took) / 1e6


@dataclass(frozen=True)
class Wait:
    """So many sessions of ``waiter`` (migration, application, …) waited behind ``blocker``."""

    t_ns: int
    waiter: str
    blocker: str
    count: int


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

    def __init__(self, value: Mapping[str, Any], events: Sequence[Event]) -> None:
        self.value = record(value)
        for part in ("rto", "rpo"):
            self.value[part] = self.value[part] or Record()
        self.events = tuple(events)
        self.id = str(value.get("id", "?"))
        self.verdict = str(value.get("verdict", "?"))

    def of(self, lane: str, *kinds: str) -> list[Event]:
        """The events of a lane, of these kinds if any are named, in order."""
        return [e for e in self.events if e.lane == lane and (not kinds or e.kind in kinds)]

    def data(self, lane: str, *kinds: str) -> list[Mapping[str, Any]]:
        """What those events say, with their time as ``t_ms`` since the migration began."""
        return [
            record({**e.data, "kind": e.kind, "t_ms": (e.t_ns - self.zero_ns) / 1e6})
            for e in self.of(lane, *kinds)
        ]

    def spans(self, lane: str, kind: str, *keys: str) -> list[Span]:
        """The spans of a kind, begun and ended by events that agree in ``keys``."""
        found: list[Span | None] = []
        open_at: dict[tuple, int] = {}
        for event in self.of(lane, f"{kind}.begin", f"{kind}.end"):
            key = tuple(str(event.data.get(name)) for name in keys)
            if event.kind.endswith(".begin"):
                open_at[key] = len(found)
                found.append(Span(event.t_ns, None, record(event.data)))
            elif key in open_at:
                at = open_at.pop(key)
                data = record({**found[at].data, **event.data})
                found[at] = Span(found[at].begin_ns, event.t_ns, data)
        return found

    @cached_property
    def cell(self) -> Mapping[str, Any]:
        recorded = self.of("trial", "cell")
        return record({**(recorded[0].data if recorded else {}), **(self.value["cell"] or {})})

    @cached_property
    def server(self) -> Mapping[str, Any]:
        recorded = self.of("server", "facts")
        return record({**(recorded[-1].data if recorded else {}), **(self.value["server"] or {})})

    @cached_property
    def phases(self) -> dict[str, Span]:
        return {str(s.data.get("phase")): s for s in self.spans("trial", "phase", "phase")}

    @cached_property
    def zero_ns(self) -> int:
        """When the migration was due to begin; 0, the trial's begin, if it never was."""
        phase = self.phases.get("migrate_under_fault")
        return phase.begin_ns if phase else 0

    @cached_property
    def statements(self) -> list[Span]:
        return self.spans("migration", "statement", "run", "n")

    @cached_property
    def steps(self) -> list[Span]:
        return self.spans("recovery", "step", "n", "name")

    @cached_property
    def fired_ns(self) -> int | None:
        """When the fault struck; None if it never did."""
        fired = self.of("fault", "fired")
        return fired[0].t_ns if fired else None

    @cached_property
    def waits(self) -> list[Wait]:
        """Who was seen waiting for whom; one value per sample and kind of wait."""
        found = []
        for event in self.of("locks", "waiting"):
            kinds: dict[tuple[str, str], int] = {}
            for pair in event.data.get("pairs", (event.data,)):
                kind = (str(pair.get("waiter_is", "?")), str(pair.get("blocker_is", "?")))
                kinds[kind] = kinds.get(kind, 0) + (pair.get("count") or 1)
            found += [Wait(event.t_ns, *kind, count) for kind, count in kinds.items()]
        return found

    @cached_property
    def by_hand(self) -> bool:
        """Whether a person repaired it, so that its recovery time is not a machine's."""
        return bool(self.of("recovery", "repaired-by-hand", "given-up"))

    @cached_property
    def claims(self) -> dict[str, list[Mapping[str, Any]]]:
        """Claims by section, in the order of the story."""
        by_section: dict[str, list[Mapping[str, Any]]] = {name: [] for name in SECTIONS}
        for claim in self.data("claims", "claim"):
            by_section.setdefault(str(claim.get("section")), []).append(claim)
        return {name: claims for name, claims in by_section.items() if claims}

    @cached_property
    def ledger(self) -> Mapping[str, Any] | None:
        """What it says in the end; what it said between steps is no account of the whole."""
        settled = [e for e in self.data("application", "ledger") if e["final"] is not False]
        return settled[-1] if settled else None

    @cached_property
    def outage(self) -> Outage:
        """The ticks from the migration's begin on; all of them if its begin is unknown."""
        ticks = self.of("application", "tick")
        return _sum_up(tick for tick in ticks if tick.t_ns >= self.zero_ns)

    def wall(self, t_ns: int | None) -> datetime | None:
        """The time of day (UTC) of a moment; None if the clock was not noted."""
        clock = self.of("trial", "clock")
        if not clock or t_ns is None:
            return None
        try:
            start = datetime.fromisoformat(str(clock[0].data.get("wall")))
        except ValueError:
            return None
        return start.astimezone(UTC) + timedelta(microseconds=t_ns / 1000)


def _sum_up(ticks: Iterable[Event]) -> Outage:
    seen = [tick.data for tick in ticks]
    return Outage(
        ok=sum(t.get("ok") or 0 for t in seen),
        errors=sum(t.get("errors") or 0 for t in seen),
        most_waiting=max((t.get("waiting") or 0 for t in seen), default=0),
        waiting_ms=100.0 * sum(1 for t in seen if t.get("waiting")),
        erring_ms=100.0 * sum(1 for t in seen if t.get("errors")),
        worst_ms=max((t.get("worst_ms") or 0.0 for t in seen), default=0.0),
    )


def settled(run: Mapping[str, Any]) -> Record:
    """The run with the last attempt of each trial; earlier ones are in its ``earlier``."""
    trials: dict[str, Record] = {}
    for number, value in enumerate(run.get("trials") or ()):
        trial = record(value)
        name = str(trial["id"] or f"trial {number + 1}")
        before = trials.pop(name, None)
        trial["earlier"] = [*before["earlier"], before] if before else []
        trials[name] = trial
    return Record({**record(run), "trials": list(trials.values())})


def claim_names(failed: Iterable[Any]) -> list[str]:
    """The names in ``failed_claims``."""
    return [str(c.get("name")) if isinstance(c, Mapping) else str(c) for c in failed or ()]

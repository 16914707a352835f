"""postmortem.md: the incident report of each scenario, filled in from what was recorded.

One section per scenario, in the headings of the source document's template, told from one
trial: the first recovery that did not come out right, else the first with a real fault. A
box under Prevention is ticked only where the record itself is the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.drill.results import RunResult, TrialResult
from harness.record.events import (
    FaultFired,
    FaultMissed,
    RunEnded,
    ServerChange,
    StepTaken,
    WitnessSeen,
)
from harness.record.timeline import Event
from harness.reporting import Format
from harness.reporting.run.outcomes import in_words
from harness.reporting.run.record_view import DEMONSTRATION, Events, Lasted, TrialView
from harness.reporting.templating import environment
from harness.reporting.words import duration, number, one_line, plural

FILE_NAME = "postmortem.md"
SENT = 20
"""Statements of a person that are told."""

_ENDS_SESSIONS = re.compile(r"\b(kill|terminate|cancel|end)[ _-]", re.IGNORECASE)
_NOT_NULL_AT_ONCE = re.compile(r"ADD\s+COLUMN[^,;]*NOT\s+NULL", re.IGNORECASE)
_NOT_NULL = re.compile(r"(SET\s+NOT\s+NULL|MODIFY[^,;]*NOT\s+NULL)", re.IGNORECASE)


def render(run: RunResult, events: Events) -> str:
    """The whole file; the timelines of the chosen trials only are read."""
    chosen = _chosen(run.last_attempts())
    stories = [_story(TrialView(trial, events(trial.id))) for trial in chosen]
    return environment().get_template("postmortem.md.j2").render(run=run, stories=stories)


def _chosen(trials: Iterable[TrialResult]) -> list[TrialResult]:
    """Per scenario the first recovery that went wrong, else the first with a real fault."""
    by_scenario: dict[str, list[TrialResult]] = {}
    for trial in trials:
        if trial.cell.purpose != "no-injection":
            by_scenario.setdefault(trial.cell.scenario, []).append(trial)
    return [
        next((t for t in told if not t.is_counter_check and t.verdict == "FAIL"), told[0])
        for told in by_scenario.values()
    ]


@dataclass(frozen=True)
class Done:
    """A line of the resolution, with numbered lines below it: words, or SQL as it was sent."""

    line: str
    steps: Sequence[str] = ()
    sql: Sequence[str] = ()


@dataclass(frozen=True)
class Story:
    """The sections of one incident, in the order of the template."""

    view: TrialView
    happened: Sequence[str]
    causes: Sequence[str]
    impact: Sequence[str]
    resolution: Sequence[Done]
    prevention: Sequence[tuple[bool, str, str]]


def _story(view: TrialView) -> Story:
    return Story(
        view,
        _happened(view),
        _causes(view),
        _impact(view),
        _resolution(view),
        _prevention(view),
    )


def _at(view: TrialView, t_ns: int | None) -> str:
    wall = view.wall(t_ns)
    return f"at {wall:%H:%M:%S}.{wall.microsecond // 1000:03d} UTC" if wall else "(time unknown)"


def _happened(view: TrialView) -> list[str]:
    """What was recorded, in the order in which it happened."""
    phase = view.phases.get("migrate_under_fault")
    first = view.statements[0] if view.statements else None
    start = first.begin_ns if first else phase.begin_ns if phase else None
    if start is None:
        return ["The trial ended before the migration began"]
    wall = view.wall(start)
    day = f" on {wall:%Y-%m-%d}" if wall else ""
    began = f"The migration started {_at(view, start)}{day}, sent as {view.cell.mode}"
    told = [(start, began)]
    waits = view.waits
    if waits:
        kinds = {f"{wait.waiter} behind {wait.blocker}" for wait in waits}
        seen = f"seen from {duration((waits[0].t_ns - start) / 1e6)} on"
        told.append((waits[0].t_ns, f"Lock waits, {seen}: {', '.join(sorted(kinds))}"))
    for fired in view.of(FaultFired):
        moment = f"{view.cell.fault} struck {_at(view, fired.t_ns)}, {view.cell.moment}"
        told.append((fired.t_ns, moment))
    for missed in view.of(FaultMissed):
        told.append((missed.t_ns, f"The fault did not strike: {one_line(missed.what.reason)}"))
    for change in view.of(ServerChange):
        word = _SERVER_WORDS.get(change.what.KIND)
        if word:
            told.append((change.t_ns, f"The server {word} {_at(view, change.t_ns)}"))
    told += [(ended.t_ns, _ended(view, ended)) for ended in view.of(RunEnded)]
    return [line for _, line in sorted(told, key=lambda pair: pair[0])] + _traffic(view)


def _ended(view: TrialView, event: Event[RunEnded]) -> str:
    ended = event.what
    how = "finished" if ended.finished else "ended unfinished"
    answer = f": {ended.code} {one_line(ended.message)}" if ended.code else ""
    done = plural(ended.done, "statement")
    which = "The migration" if ended.run == 1 else f"Run {ended.run} of the migration"
    return f"{which} {how} {_at(view, event.t_ns)}, {done} acknowledged{answer}"


_SERVER_WORDS = {
    "died": "died",
    "paused": "froze",
    "ready": "answered again",
    "resumed": "went on",
}


def _traffic(view: TrialView) -> list[str]:
    seen = view.outage
    lines = []
    if seen.most_waiting:
        lines.append(
            f"Up to {plural(seen.most_waiting, 'operation')} of the application waited, over "
            f"{duration(seen.waiting_ms)}"
        )
    if seen.errors:
        lines.append(
            f"The application got {plural(seen.errors, 'error')} over {duration(seen.erring_ms)}"
        )
    return lines


def _causes(view: TrialView) -> list[str]:
    cell = view.cell
    lines = [f"{cell.fault_kind or cell.fault} {cell.moment}"]
    lines += [one_line(event.what.says, 300) for event in view.of(WitnessSeen)]
    for statement in (span.what for span in view.statements):
        if statement.code or statement.error:
            says = f"{statement.code} {one_line(statement.error)}".strip()
            lines.append(f"Statement {statement.n} was not acknowledged: {says}")
    return lines


def _impact(view: TrialView) -> list[str]:
    seen, rpo = view.outage, view.value.rpo
    parts = [
        f"{duration(ms)} {what}"
        for ms, what in ((seen.erring_ms, "with errors"), (seen.waiting_ms, "with waiting"))
        if ms
    ]
    lines = [
        f"The application: {', '.join(parts)}; slowest answer {duration(seen.worst_ms)}"
        if parts
        else "The application noticed neither errors nor waiting"
    ]
    for claim in view.claims.get("damage", ()):
        if claim.answer == "held":
            of = f" (of {number(claim.population)} looked at)" if claim.population else ""
            lines.append(f"{one_line(claim.name)}: {one_line(claim.found)}{of}")
    if rpo.lost_writes or rpo.lost_values:
        lines.append(
            f"Data loss: {plural(rpo.lost_writes, 'acknowledged write')} and "
            f"{plural(rpo.lost_values, 'untouched value')} (RPO)"
        )
    elif "untouched" in view.claims or view.ledger:
        lines.append("No data loss (RPO 0): " + _ledger(view))
    else:
        lines.append("Data loss unknown: the trial ended before it was looked for")
    return [*lines, _recovered(view)]


def _recovered(view: TrialView) -> str:
    """How long it took; a demonstration after somebody gave up, or a failure, is no recovery."""
    rto = view.value.rto
    if view.by_hand and view.by_hand.gave_up:
        return "Not recovered by hand, so there is no recovery time"
    if rto.total_ms is None:
        return "No recovery time: it was never shown that everything held again"
    split = {
        "detect": rto.detect_ms,
        "decide": rto.decide_ms,
        "repair": rto.repair_ms,
        "verify": rto.verify_ms,
    }
    told = ", ".join(f"{name} {duration(ms)}" for name, ms in split.items())
    whose = "by hand" if view.by_hand else "of machine time"
    took = f"{duration(rto.total_ms)} {whose} (RTO: {told})"
    if view.value.outcome == "PASS":
        return f"Recovered in {took}"
    return f"The end state held after {took}, and yet it is no recovery: {view.value.outcome}"


def _ledger(view: TrialView) -> str:
    if view.ledger is None:
        return "all values that had to stay are as they were"
    return f"all {plural(view.ledger.acknowledged, 'acknowledged write')} accounted for"


def _resolution(view: TrialView) -> list[Done]:
    """The procedure or the person, what they did, and how it came out."""
    title = view.cell.procedure_title or view.cell.procedure or "nothing was done"
    steps = [
        f"{one_line(step.what.name)}: {_outcome(step)}"
        for step in view.steps
        if not step.what.skipped
    ]
    outcome = Done(one_line(in_words(view.value), 500))
    person = view.by_hand
    if person is None:
        return [Done(f"Procedure: {one_line(title)}", steps), outcome]
    told = [Done(f"Procedure: {one_line(title)}, {person.in_words}")]
    if person.sent:
        shown, more = person.sent[:SENT], len(person.sent) - SENT
        rest = f", of which the first {SENT} are shown" if more > 0 else ""
        told.append(Done(f"Sent by hand{rest}", sql=shown))
    if steps and person.gave_up:
        told.append(Done(f"After that {DEMONSTRATION}", steps))
    elif steps:
        told.append(Done("Steps of the harness", steps))
    return [*told, outcome]


def _outcome(step: Lasted[StepTaken]) -> str:
    if step.end_ns is None:
        return "no end recorded"
    said = step.what.did if step.ok else f"failed, {step.what.error}"
    return f"{one_line(said or 'done', 300)} ({duration(step.took_ms)})"


def _prevention(view: TrialView) -> list[tuple[bool, str, str]]:
    """The source's boxes: (ticked, its words, the evidence or what is missing)."""
    sql = [span.what.sql for span in view.statements]
    steps = [f"{step.what.name} {step.what.verb} " for step in view.steps if step.ok]
    passed = view.value.outcome == "PASS"
    can_kill = passed and any(_ENDS_SESSIONS.search(step) for step in steps)
    apart = any(_NOT_NULL.search(s) for s in sql) and not any(
        _NOT_NULL_AT_ONCE.search(s) for s in sql
    )
    waited = bool(view.waits)
    rows = view.cell.rows
    return [
        (
            False,
            "Always test migrations on production-sized staging data",
            f"this drill had {plural(rows, 'row')}" if rows else "the size was not recorded",
        ),
        (
            apart,
            "Use NOT NULL in multiple steps",
            "a statement of its own sets it" if apart else "not shown by these statements",
        ),
        (
            waited,
            "Monitor lock duration",
            f"lock waits were watched; slowest answer {duration(view.outage.worst_ms)}"
            if waited
            else "no lock wait was recorded",
        ),
        (
            can_kill,
            "Have kill procedure ready",
            "rehearsed here, and everything held afterwards"
            if can_kill
            else "no step of a recovery that passed ended a session",
        ),
        (False, "Better team review process", "no drill can show this"),
    ]


KIND = Format(FILE_NAME, render)

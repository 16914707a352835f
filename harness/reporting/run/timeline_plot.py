"""The timeline of a trial as lanes of bars and marks; numbers only, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.record.events import (
    ClaimAnswered,
    FaultFired,
    LookDone,
    ServerChange,
    ServerDied,
    ServerPaused,
    ServerReady,
    ServerResumed,
    Span,
    Tick,
    VersionSwitched,
)
from harness.record.timeline import Event
from harness.reporting.run.drawing import ROW, Bar, Mark, Plot, Scale, Track, place, ticks_of
from harness.reporting.run.record_view import Lasted, TrialView, Wait
from harness.reporting.words import duration, one_line

APP_UP, APP_DOWN = 44, 20
"""Height of the application's lane above and below its base line."""
FINE_TICKS = 24
"""Shown when the picture is stretched."""
GOES_AWAY = (ServerDied, ServerPaused)
IS_BACK = (ServerReady, ServerResumed)
SHOWN_PHASES = ("migrate_under_fault", "damage", "diagnose", "recover", "verify", "untouched")


def plot(view: TrialView, *, bars: int, buckets: int) -> Plot | None:
    """The picture of one trial, with at most ``bars`` bars a lane and ``buckets`` of traffic.

    None when nothing happened after the migration began, as in a trial that died early.
    """
    window = _window(view)
    if window is None:
        return None
    scale = Scale(*window)
    drawn = [
        _bar_lane("Migration", bars, _statements(view, scale)),
        _bar_lane("Locks", bars, _waits(view, scale)),
        _traffic(view, scale, buckets),
        _bar_lane("Server", bars, *_server(view, scale)),
        _mark_lane("Diagnosis", _looks(view, scale), bars),
        _bar_lane("Recovery", bars, *_recovery(view, scale)),
        _mark_lane("Claims", _claims(view, scale), bars),
    ]
    lanes, y = [], 0
    for lane in drawn:
        if lane is not None:
            lanes.append(replace(lane, y=y))
            y += lane.height
    coarse = ticks_of(scale, 8)
    return Plot(
        lanes=lanes,
        height=y,
        ticks=coarse,
        fine_ticks=[t for t in ticks_of(scale, FINE_TICKS) if t not in coarse],
        strikes=_strikes(view, scale),
        shade=_shade(view, scale),
        shade_says=_shade_says(view),
        caption=f"{duration((window[1] - window[0]) / 1e6)} from the first statement to the last "
        "claim; 0 is where the migration began",
    )


def _window(view: TrialView) -> tuple[int, int] | None:
    shown = [view.phases[name] for name in SHOWN_PHASES if name in view.phases]
    if not shown:
        return None
    begin = shown[0].begin_ns
    ends = [span.end_ns for span in shown if span.end_ns is not None]
    if any(span.end_ns is None for span in shown):
        ends.append(view.events[-1].t_ns)
    return (begin, max(ends)) if max(ends) > begin else None


def _span_bar(scale: Scale, span: Lasted[Any], tone: str, label: str, title: str) -> Bar:
    end = span.end_ns
    x = scale.x(span.begin_ns)
    right = 100.0 if end is None else scale.x(end)
    lasted = "no end recorded" if end is None else duration(span.took_ms)
    return Bar(
        x=x,
        w=round(max(right - x, 0.3), 2),
        row=0,
        tone=tone,
        label=one_line(label, 60),
        title=f"{title}\nat {scale.ms(span.begin_ns)}, {lasted}",
        open_end=end is None,
    )


def _statements(view: TrialView, scale: Scale) -> list[Bar]:
    retried = len({span.what.run for span in view.statements}) > 1
    found = []
    for span in view.statements:
        what = span.what
        tone = "bad" if not span.ok else "good" if what.run == 1 else "retry"
        where = f"run {what.run}, statement {what.n}" if retried else f"statement {what.n}"
        sql, error = one_line(what.sql, 200), one_line(what.error or what.code)
        title = f"{where}: {sql}" + (f"\n{error}" if error else "")
        found.append(_span_bar(scale, span, tone, f"{what.n} {sql}", title))
    return found


def _waits(view: TrialView, scale: Scale) -> list[Bar]:
    """One bar per kind of wait, from when it was first seen to when it was last seen."""
    seen: dict[tuple[str, str], list[Wait]] = {}
    for wait in view.waits:
        seen.setdefault((wait.waiter, wait.blocker), []).append(wait)
    found = []
    for (waiter, blocker), waits in seen.items():
        most = max(wait.count for wait in waits)
        label = f"{waiter} waits for {blocker}" + (f" ×{most}" if most > 1 else "")
        span = Lasted(waits[0].t_ns, waits[-1].t_ns, Span())
        found.append(_span_bar(scale, span, "wait", label, f"{label} (as sampled)"))
    return found


def _server(view: TrialView, scale: Scale) -> tuple[list[Bar], list[Mark]]:
    """Marks for each change, and a bar from where it went away to where it was back."""
    found: list[Bar] = []
    marks: list[Mark] = []
    down: Event[ServerChange] | None = None
    for event in view.of(ServerChange):
        what, says = event.what, one_line(event.what.says)
        gone = isinstance(what, GOES_AWAY)
        title = f"{what.KIND} at {scale.ms(event.t_ns)}" + (f": {says}" if says else "")
        marks.append(Mark(scale.x(event.t_ns), "bad" if gone else "good", title))
        if gone:
            down = down or event
        elif down and isinstance(what, IS_BACK):
            found.append(_down_bar(scale, down, event.t_ns))
            down = None
    if down:
        found.append(_down_bar(scale, down, None))
    return found, marks


def _down_bar(scale: Scale, down: Event[ServerChange], end_ns: int | None) -> Bar:
    word = "down" if isinstance(down.what, ServerDied) else "frozen"
    return _span_bar(scale, Lasted(down.t_ns, end_ns, Span()), "down", word, f"server {word}")


def _recovery(view: TrialView, scale: Scale) -> tuple[list[Bar], list[Mark]]:
    """The steps; where a person was at work, that before them, with what they asked for."""
    steps, person = _steps(view, scale), view.by_hand
    if person is None or person.begin_ns is None:
        return steps, []
    span = Lasted(person.begin_ns, person.end_ns, Span())
    tone, label = ("bad", "given up") if person.gave_up else ("step", "by hand")
    marks = [
        Mark(scale.x(e.t_ns), "hint", f"hint at {scale.ms(e.t_ns)}: {one_line(e.what.text)}")
        for e in person.hints
    ]
    for event in person.checks:
        wrong = event.what.not_right
        says = f"not right yet: {one_line(', '.join(wrong))}" if wrong else "all right"
        title = f"checked at {scale.ms(event.t_ns)}: {says}"
        marks.append(Mark(scale.x(event.t_ns), "bad" if wrong else "good", title))
    return [_span_bar(scale, span, tone, label, f"a person: {person.in_words}"), *steps], marks


def _steps(view: TrialView, scale: Scale) -> list[Bar]:
    found = []
    for span in view.steps:
        what = span.what
        tone = "skip" if what.skipped else "step" if span.ok else "bad"
        name = f"{what.n} {one_line(what.name, 80)}"
        outcome = one_line(what.skipped or what.did or what.error)
        title = f"step {name}" + (f"\n{outcome}" if outcome else "")
        found.append(_span_bar(scale, span, tone, name, title))
    return found


def _looks(view: TrialView, scale: Scale) -> list[Mark]:
    return [
        Mark(
            scale.x(event.t_ns),
            "look" if event.what.ok else "bad",
            f"look: {one_line(event.what.name)} at {scale.ms(event.t_ns)}",
        )
        for event in view.of(LookDone)
    ]


def _claims(view: TrialView, scale: Scale) -> list[Mark]:
    tones = {"held": "good", "not held": "bad"}
    found = []
    for event in view.of(ClaimAnswered):
        section, answer = event.what.section, event.what.answer
        if section == "steady_state":
            continue
        tone = tones.get(answer, "unsure")
        if section == "damage":
            tone = "damage" if answer == "held" else "unsure"
        told = f"{section}: {one_line(event.what.name, 100)}: {answer}, {scale.ms(event.t_ns)}"
        found.append(Mark(scale.x(event.t_ns), tone, told))
    return found


def _bar_lane(
    name: str, limit: int, found: Sequence[Bar], marks: Sequence[Mark] = ()
) -> Track | None:
    if not found and not marks:
        return None
    shown = sorted(found, key=lambda bar: (bar.x, -bar.w))[:limit]
    placed = place(shown)
    return Track(
        name=name,
        note="",
        y=0,
        height=(max((bar.row for bar in placed), default=0) + 1) * ROW + 10,
        bars=placed,
        marks=marks[:limit],
        hidden=len(found) - len(shown) + max(0, len(marks) - limit),
    )


def _mark_lane(name: str, marks: Sequence[Mark], limit: int) -> Track | None:
    if not marks:
        return None
    return Track(name, "", 0, ROW + 6, marks=marks[:limit], hidden=max(0, len(marks) - limit))


def _traffic(view: TrialView, scale: Scale, buckets: int) -> Track | None:
    """Answers above the base line (errors on top of successes), waiting operations below."""
    end_ns = scale.begin_ns + scale.length_ns
    ticks = [e.what for e in view.of(Tick) if scale.begin_ns <= e.what.from_ns <= end_ns]
    if not ticks:
        return None
    width = max(100_000_000, scale.length_ns / buckets)
    sums: dict[int, list[int]] = {}
    for tick in ticks:
        at = sums.setdefault(int((tick.from_ns - scale.begin_ns) // width), [0, 0, 0])
        at[0] += tick.ok
        at[1] += tick.errors
        at[2] = max(at[2], tick.waiting)
    top = max((ok + bad for ok, bad, _ in sums.values()), default=0) or 1
    most = max((waiting for *_, waiting in sums.values()), default=0)
    paths: dict[str, list[str]] = {"ok": [], "err": [], "waiting": []}
    for n, (ok, bad, waiting) in sorted(sums.items()):
        x = scale.x(scale.begin_ns + n * width) * 10
        w = max(scale.x(scale.begin_ns + (n + 1) * width) * 10 - x - 0.8, 1.2)
        up_ok = ok / top * APP_UP
        up_bad = min(max(bad / top * APP_UP, 4), APP_UP) if bad else 0
        up_ok = min(up_ok, APP_UP - up_bad)
        _box(paths["ok"], x, w, APP_UP - up_ok, up_ok)
        _box(paths["err"], x, w, APP_UP - up_ok - up_bad, up_bad)
        _box(paths["waiting"], x, w, APP_UP + 2, waiting / most * (APP_DOWN - 4) if most else 0)
    note = f"up to {top:.0f} per {duration(width / 1e6)}" + (f", {most} waiting" if most else "")
    return Track(
        name="Application",
        note=note,
        y=0,
        height=APP_UP + (APP_DOWN if most else 4) + 8,
        marks=_switches(view, scale),
        curves=[(tone, "".join(parts)) for tone, parts in paths.items() if parts],
    )


def _box(path: list[str], x: float, w: float, y: float, h: float) -> None:
    if h > 0:
        path.append(f"M{x:.1f} {y:.1f}h{w:.1f}v{h:.1f}h{-w:.1f}z")


def _switches(view: TrialView, scale: Scale) -> list[Mark]:
    return [
        Mark(scale.x(event.t_ns), "switch", f"the application became {event.what.version}")
        for event in view.of(VersionSwitched)
    ]


def _strikes(view: TrialView, scale: Scale) -> list[Mark]:
    name = one_line(view.cell.fault, 40)
    return [
        Mark(scale.x(event.t_ns), "strike", f"{name} struck at {scale.ms(event.t_ns)}")
        for event in view.of(FaultFired)
    ]


def _shade(view: TrialView, scale: Scale) -> tuple[float, float] | None:
    """From the strike until the claims held (the RTO), else to the end of the picture."""
    begin, total_ms = view.fired_ns, view.value.rto.total_ms
    if begin is None:
        return None
    left = scale.x(begin)
    right = 100.0 if total_ms is None else scale.x(begin + total_ms * 1e6)
    return (left, round(right - left, 2)) if right > left else None


def _shade_says(view: TrialView) -> str:
    total_ms = view.value.rto.total_ms
    return "" if total_ms is None else f"RTO {duration(total_ms)}"

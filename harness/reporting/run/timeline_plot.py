"""The timeline of a trial as lanes of bars and marks; numbers only, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.reporting.run.drawing import ROW, Bar, Mark, Plot, Scale, Track, place, ticks_of
from harness.reporting.run.record_view import Span, TrialView, Wait
from harness.reporting.words import duration, one_line

APP_UP, APP_DOWN = 44, 20
"""Height of the application's lane above and below its base line."""
FINE_TICKS = 24
"""Shown when the picture is stretched."""
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
        _bar_lane("Recovery", bars, _steps(view, scale)),
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


def _span_bar(scale: Scale, span: Span, tone: str, label: str, title: str) -> Bar:
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
    retried = len({s.data.get("run") for s in view.statements}) > 1
    found = []
    for span in view.statements:
        n, run = span.data.get("n"), span.data.get("run")
        error = span.data.get("error") or span.data.get("code") or ""
        tone = "good" if span.ok else "bad"
        if run not in (None, 1):
            tone = "retry" if span.ok else "bad"
        where = f"run {run}, statement {n}" if retried else f"statement {n}"
        sql = one_line(span.data.get("sql"), 200)
        title = f"{where}: {sql}" + (f"\n{one_line(error)}" if error else "")
        found.append(_span_bar(scale, span, tone, f"{n} {sql}", title))
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
        span = Span(waits[0].t_ns, waits[-1].t_ns, {})
        found.append(_span_bar(scale, span, "wait", label, f"{label} (as sampled)"))
    return found


def _server(view: TrialView, scale: Scale) -> tuple[list[Bar], list[Mark]]:
    found, down, marks = [], None, []
    for event in view.of("server", "died", "paused", "started", "resumed", "ready"):
        says = one_line(event.data.get("says"))
        marks.append(
            Mark(
                scale.x(event.t_ns),
                "bad" if event.kind in ("died", "paused") else "good",
                f"{event.kind} at {scale.ms(event.t_ns)}" + (f": {says}" if says else ""),
            )
        )
        if event.kind in ("died", "paused"):
            down = down or event
        elif down and event.kind in ("resumed", "ready"):
            found.append(_down_bar(scale, down.kind, Span(down.t_ns, event.t_ns, {})))
            down = None
    if down:
        found.append(_down_bar(scale, down.kind, Span(down.t_ns, None, {})))
    return (found, marks) if marks else ([], [])


def _down_bar(scale: Scale, kind: str, span: Span) -> Bar:
    word = "down" if kind == "died" else "frozen"
    return _span_bar(scale, span, "down", word, f"server {word}")


def _steps(view: TrialView, scale: Scale) -> list[Bar]:
    found = []
    for span in view.steps:
        skipped = span.data.get("skipped")
        tone = "skip" if skipped else "step" if span.ok else "bad"
        name = f"{span.data.get('n')} {one_line(span.data.get('name'), 80)}"
        outcome = skipped or span.data.get("did") or span.data.get("error") or ""
        title = f"step {name}" + (f"\n{one_line(outcome)}" if outcome else "")
        found.append(_span_bar(scale, span, tone, name, title))
    return found


def _looks(view: TrialView, scale: Scale) -> list[Mark]:
    return [
        Mark(
            scale.x(e.t_ns),
            "look" if e.data.get("ok", True) else "bad",
            f"look: {one_line(e.data.get('name'))} at {scale.ms(e.t_ns)}",
        )
        for e in view.of("recovery", "look")
    ]


def _claims(view: TrialView, scale: Scale) -> list[Mark]:
    tones = {"held": "good", "not held": "bad"}
    found = []
    for event in view.of("claims", "claim"):
        section, answer = event.data.get("section"), str(event.data.get("answer"))
        if section == "steady_state":
            continue
        tone = tones.get(answer, "unsure")
        if section == "damage":
            tone = "damage" if answer == "held" else "unsure"
        name = one_line(event.data.get("name"), 100)
        found.append(
            Mark(scale.x(event.t_ns), tone, f"{section}: {name}: {answer}, {scale.ms(event.t_ns)}")
        )
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
        marks=marks,
        hidden=len(found) - len(shown),
    )


def _mark_lane(name: str, marks: Sequence[Mark], limit: int) -> Track | None:
    if not marks:
        return None
    return Track(name, "", 0, ROW + 6, marks=marks[:limit], hidden=max(0, len(marks) - limit))


def _traffic(view: TrialView, scale: Scale, buckets: int) -> Track | None:
    """Answers above the base line (errors on top of successes), waiting operations below."""
    ticks = [
        e.data
        for e in view.of("application", "tick")
        if scale.begin_ns <= (e.data.get("from_ns") or 0) <= scale.begin_ns + scale.length_ns
    ]
    if not ticks:
        return None
    width = max(100_000_000, scale.length_ns / buckets)
    sums: dict[int, list[float]] = {}
    for tick in ticks:
        at = sums.setdefault(int((tick["from_ns"] - scale.begin_ns) // width), [0, 0, 0])
        at[0] += tick.get("ok") or 0
        at[1] += tick.get("errors") or 0
        at[2] = max(at[2], tick.get("waiting") or 0)
    top = max((ok + bad for ok, bad, _ in sums.values()), default=0) or 1
    most = max((waiting for *_, waiting in sums.values()), default=0)
    paths = {"ok": [], "err": [], "waiting": []}
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
        Mark(scale.x(e.t_ns), "switch", f"the application became {e.data.get('version')}")
        for e in view.of("application", "switched")
    ]


def _strikes(view: TrialView, scale: Scale) -> list[Mark]:
    name = one_line(view.cell.get("fault"), 40)
    return [
        Mark(scale.x(e.t_ns), "strike", f"{name} struck at {scale.ms(e.t_ns)}")
        for e in view.of("fault", "fired")
    ]


def _shade(view: TrialView, scale: Scale) -> tuple[float, float] | None:
    """From the strike until the claims held (the RTO), else to the end of the picture."""
    begin = view.fired_ns
    if begin is None:
        return None
    total_ms = (view.value.get("rto") or {}).get("total_ms")
    left = scale.x(begin)
    right = 100.0 if total_ms is None else scale.x(begin + total_ms * 1e6)
    return (left, round(right - left, 2)) if right > left else None


def _shade_says(view: TrialView) -> str:
    total_ms = (view.value.get("rto") or {}).get("total_ms")
    return "" if total_ms is None else f"RTO {duration(total_ms)}"

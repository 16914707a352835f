"""report.html: one page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from harness.drill.judgement import RecoveryTime
from harness.drill.results import BY_HAND, RunResult, TrialResult
from harness.record.events import ClaimAnswered, LookDone, ServerLog
from harness.reporting import Format
from harness.reporting.run.drawing import Plot
from harness.reporting.run.matrix import anchors, boards
from harness.reporting.run.outcomes import SIGNS, headline, sign, tally, wanted, worst_first
from harness.reporting.run.record_view import DEMONSTRATION, Events, TrialView
from harness.reporting.run.timeline_plot import plot
from harness.reporting.templating import asset, environment
from harness.reporting.words import one_line

FILE_NAME = "report.html"

OPEN_AT_ONCE = 8
"""Sections that stand open when the page is opened: the first that did not come out right."""
PLOTTED = 150
"""Beyond so many trials, those that came out right are told without their picture."""
SECTION_TITLES = {
    "steady_state": "Before the migration",
    "damage": "Damage, before anybody repaired",
    "verify": "After the recovery",
    "untouched": "What had to stay untouched",
}


@dataclass(frozen=True)
class Detail:
    """How much of a trial is shown; what is left out is counted on the page."""

    bars: int
    buckets: int
    rows: int
    log_lines: int
    picture: bool = True


FULL = Detail(bars=60, buckets=150, rows=20, log_lines=60)
COMPACT = Detail(bars=24, buckets=60, rows=5, log_lines=0)


@dataclass(frozen=True)
class TrialPage:
    """A trial's section: the view, its picture, and what the template would have to work out."""

    view: TrialView
    earlier: Sequence[TrialResult]
    anchor: str
    number: int
    open: bool
    detail: Detail
    plot: Plot | None
    rto_parts: Sequence[tuple[str, float, float]]
    """(part, milliseconds, percent of the whole)."""
    looks: Sequence[tuple[LookDone, int]]
    """Each with fewer rows, and how many were left out."""
    claims: Sequence[tuple[str, Sequence[ClaimAnswered]]]
    log: str
    log_left_out: int


@dataclass(frozen=True)
class Tooth:
    """A counter-check: what was wrong, and what caught it; others may have failed beside it."""

    anchor: str
    trial: TrialResult
    wrong: str
    caught: Sequence[str]
    others: Sequence[str]


def render(run: RunResult, events: Events) -> str:
    """The whole report; trials that did not come out as they should come first."""
    trials = run.last_attempts()
    found, strays = boards(run)
    names = anchors(trials)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            css=asset("style.css"),
            sign=sign,
            wanted=wanted,
            signs=list(SIGNS.values()),
            started=_moment(run.started),
            counts=tally(trials),
            total=len(trials),
            headline=headline(trials),
            attention=[(names[t.id], t) for t in worst_first(trials) if not t.as_expected],
            boards=found,
            strays=strays,
            teeth=[_tooth(t, names[t.id]) for t in trials if t.is_counter_check],
            pages=_pages(run, names, events),
            demonstration=DEMONSTRATION,
            practised=any(trial.cell.procedure == BY_HAND for trial in trials),
        )
    )


def _moment(started: str) -> str:
    try:
        moment = datetime.fromisoformat(started).astimezone(UTC)
    except ValueError:
        return one_line(started)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _tooth(trial: TrialResult, anchor: str) -> Tooth:
    cell = trial.cell
    wrong = {"nothing-done": "nobody repaired anything", "no-injection": "no fault was injected"}
    failed = trial.failed_claims
    if cell.purpose == "no-injection":
        failed = (trial.reason,)
    caught = [name for name in failed if name in cell.caught_by] or failed
    others = [name for name in failed if name not in caught]
    if not trial.as_expected:
        caught, others = [], list(failed)
    named = cell.procedure_title or cell.procedure
    return Tooth(anchor, trial, wrong.get(cell.purpose, named), caught, others)


def _pages(run: RunResult, names: Mapping[str, str], events: Events) -> Iterable[TrialPage]:
    trials = worst_first(run.last_attempts())
    for number, value in enumerate(trials, 1):
        right = value.as_expected
        yield _page(
            TrialView(value, events(value.id)),
            run.earlier(value),
            names[value.id],
            number,
            is_open=not right and number <= OPEN_AT_ONCE,
            detail=COMPACT if right else FULL,
            picture=not right or len(trials) <= PLOTTED,
        )


def _page(
    view: TrialView,
    earlier: Sequence[TrialResult],
    anchor: str,
    number: int,
    *,
    is_open: bool,
    detail: Detail,
    picture: bool,
) -> TrialPage:
    lines = "\n".join(event.what.text for event in view.of(ServerLog)).splitlines()
    shown = lines[-detail.log_lines :] if detail.log_lines else []
    return TrialPage(
        view=view,
        earlier=earlier,
        anchor=anchor,
        number=number,
        open=is_open,
        detail=detail,
        plot=plot(view, bars=detail.bars, buckets=detail.buckets) if picture else None,
        rto_parts=_rto_parts(view.value.rto),
        looks=[_shortened(event.what, detail.rows) for event in view.of(LookDone)],
        claims=[(_title(view, name), claims) for name, claims in view.claims.items()],
        log="\n".join(shown),
        log_left_out=len(lines) - len(shown),
    )


def _title(view: TrialView, section: str) -> str:
    """The heading of the claims of a section."""
    if section == "verify" and view.by_hand and view.by_hand.gave_up:
        return "After the demonstration"
    return SECTION_TITLES.get(section, section)


def _rto_parts(rto: RecoveryTime) -> list[tuple[str, float, float]]:
    parts = (("detect", rto.detect_ms), ("decide", rto.decide_ms),
             ("repair", rto.repair_ms), ("verify", rto.verify_ms))  # fmt: skip
    known = [(name, ms) for name, ms in parts if ms]
    total = sum(ms for _, ms in known)
    return [(name, ms, round(100 * ms / total, 2)) for name, ms in known]


def _shortened(look: LookDone, rows: int) -> tuple[LookDone, int]:
    return replace(look, rows=look.rows[:rows]), max(0, len(look.rows) - rows)


KIND = Format(FILE_NAME, render)

"""report.html: one page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.record.timeline import Event
from harness.reporting import Format
from harness.reporting.run.matrix import anchors, boards
from harness.reporting.run.record_view import TrialView, claim_names, settled
from harness.reporting.run.timeline_plot import Plot, plot
from harness.reporting.templating import asset, environment
from harness.reporting.words import SIGNS, headline, is_counter_check, one_line, sign, tally

FILE_NAME = "report.html"

OPEN_AT_ONCE = 8
"""Sections that stand open when the page is opened: the first that did not come out right."""
PLOTTED = 150
"""Beyond so many trials, those that came out right are told without their picture."""
PARTS = ("detect", "decide", "repair", "verify")
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
    anchor: str
    number: int
    open: bool
    detail: Detail
    plot: Plot | None
    rto_parts: Sequence[tuple[str, float, float]]
    """(part, milliseconds, percent of the whole)."""
    looks: Sequence[Mapping[str, Any]]
    claims: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    log: str
    log_left_out: int


def render(run: Mapping[str, Any], events: Callable[[str], Sequence[Event]]) -> str:
    """The whole report; trials that did not come out as they should come first."""
    run = settled({**run, "host": run.get("host") or {}})
    trials = run.get("trials") or ()
    found, strays = boards(run)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            css=asset("style.css"),
            sign=sign,
            signs=list(SIGNS.values()),
            started=_moment(run.get("started")),
            counts=tally(trials),
            total=len(trials),
            headline=headline(trials),
            attention=_attention(run),
            boards=found,
            strays=strays,
            teeth=_teeth(run),
            pages=_pages(run, events),
            section_titles=SECTION_TITLES,
            is_counter_check=is_counter_check,
        )
    )


def _moment(started: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(started)).astimezone(UTC)
    except ValueError:
        return one_line(started)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _order(run: Mapping[str, Any]) -> list[int]:
    """Places of the trials: not as expected first, the worst verdict of them first."""
    ranks = {verdict: rank for rank, verdict in enumerate(SIGNS)}
    trials = run.get("trials") or ()
    return sorted(
        range(len(trials)),
        key=lambda place: (
            bool(trials[place].get("as_expected")),
            0 if trials[place].get("as_expected") else ranks.get(trials[place].get("verdict"), 9),
            place,
        ),
    )


def _attention(run: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    names, trials = anchors(run), run.get("trials") or ()
    return [(names[n], trials[n]) for n in _order(run) if not trials[n].get("as_expected")]


def _teeth(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was wrong in each counter-check, and which claims caught it."""
    names, found = anchors(run), []
    wrong_by = {"nothing-done": "nobody repaired anything", "no-injection": "no fault was injected"}
    for place, trial in enumerate(run.get("trials") or ()):
        if not is_counter_check(trial):
            continue
        cell = trial.get("cell") or {}
        purpose = str(cell.get("purpose"))
        caught = claim_names(trial.get("failed_claims"))
        if purpose == "no-injection" and trial.get("as_expected"):
            caught = [str(trial.get("reason"))]
        found.append(
            {
                "anchor": names[place],
                "trial": trial,
                "cell": cell,
                "wrong": wrong_by.get(purpose)
                or cell.get("procedure_title")
                or cell.get("procedure"),
                "caught": caught,
            }
        )
    return found


def _pages(run: Mapping[str, Any], events: Callable[[str], Sequence[Event]]) -> Iterable[TrialPage]:
    names, trials = anchors(run), run.get("trials") or ()
    for number, place in enumerate(_order(run), 1):
        value = trials[place]
        view = TrialView(value, events(str(value.get("id", "?"))))
        as_expected = bool(value.get("as_expected"))
        yield _page(
            view,
            names[place],
            number,
            is_open=not as_expected and number <= OPEN_AT_ONCE,
            detail=COMPACT if as_expected else FULL,
            picture=not as_expected or len(trials) <= PLOTTED,
        )


def _page(
    view: TrialView, anchor: str, number: int, *, is_open: bool, detail: Detail, picture: bool
) -> TrialPage:
    log = "\n".join(str(e.data.get("text") or "") for e in view.of("trial", "log"))
    lines = log.splitlines()
    shown = lines[-detail.log_lines :] if detail.log_lines else []
    drawn = plot(view, bars=detail.bars, buckets=detail.buckets) if picture else None
    return TrialPage(
        view=view,
        anchor=anchor,
        number=number,
        open=is_open,
        detail=detail,
        plot=drawn,
        rto_parts=_rto_parts(view.value.get("rto") or {}),
        looks=[_look(look, detail.rows) for look in view.data("recovery", "look")],
        claims=[(SECTION_TITLES.get(name, name), list(c)) for name, c in view.claims.items()],
        log="\n".join(shown),
        log_left_out=len(lines) - len(shown),
    )


def _rto_parts(rto: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    parts = [(name, rto.get(f"{name}_ms")) for name in PARTS]
    total = sum(ms for _, ms in parts if ms)
    return [(name, ms, round(100 * ms / total, 2)) for name, ms in parts if ms and total]


def _look(look: Mapping[str, Any], rows: int) -> dict[str, Any]:
    found = list(look.get("rows") or ())
    return {
        "name": look.get("name"),
        "sql": look.get("sql"),
        "ok": look.get("ok", True),
        "error": look.get("error"),
        "columns": list(look.get("columns") or ()),
        "rows": [list(row) for row in found[:rows]],
        "left_out": max(0, len(found) - rows),
        "named": list(look.get("named") or ()),
        "finds": list(look.get("finds") or ()),
        "misses": list(look.get("misses") or ()),
        "teaches": look.get("teaches"),
    }


KIND = Format(FILE_NAME, render)

"""The cells of a run as one board per scenario: faults down, engines and procedures across."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness.drill.results import Missing, RunResult, TrialResult
from harness.record.events import Cell
from harness.reporting.run.outcomes import Sign, sign
from harness.reporting.words import duration, one_line

T = TypeVar("T")
Pair = tuple[str, str]


@dataclass(frozen=True)
class Pill:
    """One trial in a cell: where its section is, how it is shown."""

    anchor: str
    sign: Sign
    time: str
    title: str


@dataclass(frozen=True)
class Row:
    """A fault and the way the migration was sent."""

    fault: str
    moment: str
    mode: str
    cells: Sequence[tuple[Sequence[Pill], int | None]]
    """Per column the trials, and the number of the footnote that says why there are none."""


@dataclass(frozen=True)
class Board:
    """A scenario; ``columns`` is (engine, procedures), ``footnotes`` the reasons by number."""

    scenario: str
    title: str
    columns: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[Row]
    footnotes: Sequence[str]


@dataclass
class _Draft:
    title: str = ""
    engines: dict[str, str] = field(default_factory=dict)
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    moments: dict[str, str] = field(default_factory=dict)
    pills: dict[tuple[Pair, Pair], list[Pill]] = field(default_factory=dict)
    notes: dict[tuple[Pair, Pair], int] = field(default_factory=dict)
    footnotes: list[str] = field(default_factory=list)


def anchors(trials: Sequence[TrialResult]) -> dict[str, str]:
    """An element id for each trial, by its own id; readable, unique, stable."""
    taken: Counter[str] = Counter()
    found = {}
    for trial in trials:
        name = re.sub(r"[^A-Za-z0-9/_.-]+", "-", one_line(trial.id, 160)).strip("-")
        taken[name] += 1
        found[trial.id] = name if taken[name] == 1 else f"{name}~{taken[name]}"
    return found


def boards(run: RunResult) -> tuple[list[Board], list[tuple[str, str]]]:
    """The boards, and those not-applicable (id, reason) that belong to no cell of any."""
    drafts: dict[str, _Draft] = {}
    trials = run.last_attempts()
    names = anchors(trials)
    for trial in trials:
        _enter(drafts, trial, names[trial.id])
    strays = []
    for item in run.not_applicable:
        if not _excuse(drafts, item):
            strays.append((one_line(item.id), one_line(item.because, 400)))
    return [_finish(scenario, draft) for scenario, draft in drafts.items()], strays


def _column_of(cell: Cell) -> str:
    named = cell.purpose in ("recovery", "decoy")
    return one_line(cell.procedure if named else cell.purpose, 60)


def _enter(drafts: dict[str, _Draft], trial: TrialResult, anchor: str) -> None:
    cell = trial.cell
    draft = drafts.setdefault(one_line(cell.scenario or "?", 80), _Draft())
    draft.title = draft.title or one_line(cell.title, 120)
    engine, mode, fault = (one_line(v or "?", 60) for v in (cell.engine, cell.mode, cell.fault))
    draft.engines.setdefault(engine, one_line(trial.server.title or engine))
    draft.moments.setdefault(fault, one_line(cell.moment, 80))
    column, row = (engine, _column_of(cell)), (fault, mode)
    _once(draft.columns, column)
    _once(draft.rows, row)
    took = None if trial.is_counter_check else trial.rto.total_ms
    draft.pills.setdefault((row, column), []).append(
        Pill(
            anchor=anchor,
            sign=sign(trial.outcome),
            time="" if took is None else duration(took),
            title=f"{one_line(trial.id)}: {trial.outcome}",
        )
    )


def _excuse(drafts: dict[str, _Draft], item: Missing) -> bool:
    parts = one_line(item.id, 400).split("/")
    if len(parts) != 5 or parts[0] not in drafts:
        return False
    draft = drafts[parts[0]]
    _, engine, mode, fault, procedure = parts
    draft.engines.setdefault(engine, engine)
    _once(draft.columns, (engine, procedure))
    _once(draft.rows, (fault, mode))
    because = one_line(item.because, 400)
    _once(draft.footnotes, because)
    draft.notes[((fault, mode), (engine, procedure))] = draft.footnotes.index(because) + 1
    return True


def _once(found: list[T], item: T) -> None:
    if item not in found:
        found.append(item)


def _finish(scenario: str, draft: _Draft) -> Board:
    ordered = [c for engine in draft.engines for c in draft.columns if c[0] == engine]
    rows = [
        Row(
            fault=fault,
            moment=draft.moments.get(fault, ""),
            mode=mode,
            cells=[
                (
                    draft.pills.get(((fault, mode), column), ()),
                    draft.notes.get(((fault, mode), column)),
                )
                for column in ordered
            ],
        )
        for fault, mode in sorted(draft.rows, key=lambda row: _first(draft.rows, row[0]))
    ]
    columns = [
        (title, [procedure for engine, procedure in ordered if engine == name])
        for name, title in draft.engines.items()
    ]
    return Board(scenario, draft.title, columns, rows, draft.footnotes)


def _first(rows: Sequence[tuple[str, str]], fault: str) -> int:
    return next(n for n, row in enumerate(rows) if row[0] == fault)

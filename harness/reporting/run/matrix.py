"""The cells of a run as one board per scenario: faults down, engines and procedures across."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.reporting.words import Sign, call_it, duration, is_counter_check, one_line, sign


@dataclass(frozen=True)
class Pill:
    """One trial in a cell: where its section is, how it is shown."""

    anchor: str
    sign: Sign
    as_expected: bool
    counter_check: bool
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
    pills: dict[tuple, list[Pill]] = field(default_factory=dict)
    notes: dict[tuple, int] = field(default_factory=dict)
    footnotes: list[str] = field(default_factory=list)


def anchors(run: Mapping[str, Any]) -> dict[int, str]:
    """An element id for each trial, by its place in the run; readable, unique, stable."""
    taken: dict[str, int] = {}
    found = {}
    for place, trial in enumerate(run.get("trials") or ()):
        name = re.sub(r"[^A-Za-z0-9/_.-]+", "-", one_line(trial.get("id"), 160)).strip("-")
        taken[name] = taken.get(name, 0) + 1
        found[place] = name if taken[name] == 1 else f"{name}~{taken[name]}"
    return found


def boards(run: Mapping[str, Any]) -> tuple[list[Board], list[tuple[str, str]]]:
    """The boards, and those not-applicable (id, reason) that belong to no cell of any."""
    drafts: dict[str, _Draft] = {}
    names = anchors(run)
    for place, trial in enumerate(run.get("trials") or ()):
        _enter(drafts, trial, names[place])
    strays = []
    for item in run.get("not_applicable") or ():
        if not _excuse(drafts, item):
            strays.append((one_line(item.get("id")), one_line(item.get("because"), 400)))
    return [_finish(scenario, draft) for scenario, draft in drafts.items()], strays


def _column_of(cell: Mapping[str, Any]) -> str:
    purpose = cell.get("purpose", "recovery")
    return one_line(cell.get("procedure") if purpose in ("recovery", "decoy") else purpose, 60)


def _enter(drafts: dict[str, _Draft], trial: Mapping[str, Any], anchor: str) -> None:
    cell = trial.get("cell") or {}
    draft = drafts.setdefault(one_line(cell.get("scenario", "?"), 80), _Draft())
    draft.title = draft.title or one_line(cell.get("title"), 120)
    engine, mode, fault = (one_line(cell.get(k, "?"), 60) for k in ("engine", "mode", "fault"))
    draft.engines.setdefault(engine, one_line((trial.get("server") or {}).get("title") or engine))
    draft.moments.setdefault(fault, one_line(cell.get("moment"), 80))
    column, row = (engine, _column_of(cell)), (fault, mode)
    _once(draft.columns, column)
    _once(draft.rows, row)
    total_ms = (trial.get("rto") or {}).get("total_ms")
    draft.pills.setdefault((row, column), []).append(
        Pill(
            anchor=anchor,
            sign=sign(trial.get("verdict")),
            as_expected=bool(trial.get("as_expected")),
            counter_check=is_counter_check(trial),
            time="" if total_ms is None or is_counter_check(trial) else duration(total_ms),
            title=f"{one_line(trial.get('id'))}: {call_it(trial)}",
        )
    )


def _excuse(drafts: dict[str, _Draft], item: Mapping[str, Any]) -> bool:
    parts = one_line(item.get("id"), 400).split("/")
    if len(parts) != 5 or parts[0] not in drafts:
        return False
    draft = drafts[parts[0]]
    _, engine, mode, fault, procedure = parts
    draft.engines.setdefault(engine, engine)
    _once(draft.columns, (engine, procedure))
    _once(draft.rows, (fault, mode))
    because = one_line(item.get("because"), 400)
    _once(draft.footnotes, because)
    draft.notes[((fault, mode), (engine, procedure))] = draft.footnotes.index(because) + 1
    return True


def _once(found: list, item: Any) -> None:
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

"""sweep.json: what a program reads, and what a later sweep is compared with."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import made_up_sweep as swept
import pytest

from harness.errors import UsageError
from harness.sweep import results, threshold
from harness.sweep.results import SweepResult
from harness.sweep.verdicts import Grade


def told(result: SweepResult) -> dict:
    return json.loads(results.to_json(result))


def baseline_of(result: SweepResult, folder: Path) -> threshold.Baseline:
    path = folder / "sweep.json"
    path.write_text(results.to_json(result), "utf-8")
    return threshold.baseline(path)


def test_it_has_what_was_found_out_and_what_was_made_of_it():
    """Cells of both ways with their grades, findings, counts and the exit code."""
    result = swept.judged(swept.every_grade())
    value = told(result)
    cells = [c for m in value["migrations"] for c in (*m["cells"], *m["down_cells"])]
    assert value["cells"] == len(cells) == len(result.every_cell)
    assert Counter(value["grades"]) == Counter(cell["grade"] for cell in cells)
    assert {cell["down"] for m in value["migrations"] for cell in m["down_cells"]} == {True}
    assert value["worst"] == "fails-on-rows"
    assert value["exit_code"] == 1
    assert value["unfinished"] == ["11", "9"]
    assert {(f["migration"], f["point"], f["grade"]) for f in value["findings"]} == {
        ("", "as its own tool", "inconclusive"),
        ("2", "way back", "loses-data"),
        ("2", "all pending in one run", "fails-in-one-run"),
        ("5", "way back", "loses-data"),
        ("6", "on rows", "fails-on-rows"),
        ("6", "way back", "loses-data"),
        ("6", "rows of public.logs", "inconclusive"),
        ("6", "work of DELETE FROM users WHERE email = ''", "inconclusive"),
        ("10", "way back", "unhealed"),
        ("11", "to its end", "inconclusive"),
        ("9", "to its end", "inconclusive"),
    }
    assert value["all_pending"]["outcome"] == "fails"
    (second,) = [m for m in value["migrations"] if m["version"] == "2"]
    assert second["way_back"]["rollback"]["leads"] == "restores-schema-loses-data"
    assert second["way_back"]["rollback"]["meanwhile"] == ["public.users: 5 of 5 rows are gone"]
    assert (second["name"], second["worst"], second["atomic"]) == ("2_phone", "loses-data", False)


@pytest.mark.parametrize(
    "more, code",
    [
        ({}, 0),
        ({"crashed": "RuntimeError()", "crashed_with": 70}, 70),
        ({"interrupted": 15}, 143),
        ({"plain_for": "dbmate"}, 3),
        ({"planned": ["1", "2"]}, 3),
    ],
)
def test_its_exit_code_is_that_of_the_command(more, code):
    """A program that reads it later sees what the caller saw."""
    begin, *events = swept.all_well()
    result = swept.judged([{**begin, **more}, *events])
    value = told(result)
    assert (value["exit_code"], result.exit_code) == (code, code)
    assert {name: value[name] for name in more} == more


def test_a_baseline_made_from_it_accepts_what_it_had(tmp_path):
    """Cells of both ways and findings, bad ones and those that are not known."""
    events = [
        e for e in swept.every_grade() if e["kind"] != "broken" and e.get("migration") != "11"
    ]
    begin = {**events[0], "planned": ["1", "2", "3", "4", "5", "6", "7", "10"]}
    sweep = [begin, *events[1:]]
    first = swept.judged(sweep)
    assert (first.exit_code, bool(first.against), bool(first.unknown)) == (1, True, True)
    before = baseline_of(first, tmp_path)
    assert before.grades["2", "way back"] is Grade.LOSES_DATA
    assert before.grades["1", "down-before-1:session-kill"] is Grade.SELF_HEALS
    again = swept.judged(sweep, baseline=before.grades)
    assert (again.exit_code, again.against, again.unknown) == (0, (), ())


def test_a_baseline_accepts_nothing_that_got_worse(tmp_path):
    """A finding that is new counts, as a cell does."""
    before = baseline_of(swept.judged(swept.all_well()), tmp_path)
    begin, *events = swept.all_well()
    lie = swept.way_down("schema-differs", schema=["new: table x"])
    worse = [{**e, "rollback": lie} if e["kind"] == "way-back" else e for e in events]
    assert swept.judged(swept.all_well(), baseline=before.grades).exit_code == 0
    result = swept.judged([begin, *worse], baseline=before.grades)
    assert [(f.migration, f.point) for f in result.against] == [("1", "way back")]
    assert result.exit_code == 1


OLD = {
    "run": "20250101-000000-0a0b0c0d",
    "cells": 2,
    "grades": {"needs-hand-work": 1, "inconclusive": 1},
    "migrations": [
        {
            "version": "2",
            "cells": [
                {"point": "before-4:session-kill", "grade": "needs-hand-work"},
                {"point": "inside-5:query-cancel", "grade": "inconclusive"},
            ],
        }
    ],
}
"""What an earlier version wrote, but for what nobody compares."""


def test_one_of_an_earlier_version_is_a_baseline_still(tmp_path):
    """It has neither findings nor cells of a way down: what it does not tell is new."""
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(OLD), "utf-8")
    assert threshold.baseline(path).grades == {
        ("2", "before-4:session-kill"): Grade.HAND_WORK,
        ("2", "inside-5:query-cancel"): Grade.INCONCLUSIVE,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"migrations": [1]}',
        '{"migrations": [{"version": "1", "cells": [{"point": "a"}]}]}',
        '{"migrations": [{"version": "1", "cells": [{"point": "a", "grade": "fine"}]}]}',
        '{"migrations": [], "findings": [{"migration": "1"}]}',
        '{"migrations": [], "findings": 3}',
    ],
)
def test_what_is_none_is_refused(text, tmp_path):
    """By its name; nothing is compared with nothing."""
    path = tmp_path / "sweep.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"sweep\.json is no sweep\.json of an earlier sweep"):
        threshold.baseline(path)

"""Whether a sweep is good enough for CI: by a grade, or by what an earlier sweep had; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.sweep.verdicts import HARM, Grade

FAIL, INCONCLUSIVE_EXIT, NOTHING = 1, 3, 5
Baseline = Mapping[tuple[str, str], Grade]
"""The grade of each cell, by version and point."""


def baseline(path: Path) -> Baseline:
    """The grade of each cell in an earlier sweep.json. UsageError if it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {
            (migration["version"], cell["point"]): Grade(cell["grade"])
            for migration in found["migrations"]
            for cell in migration["cells"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no sweep.json of an earlier sweep: {error}") from error


def judged(result: Mapping[str, Any], limit: Grade, before: Baseline | None) -> dict[str, Any]:
    """The result with the cells that count against it, and the exit code.

    Without a baseline a cell counts if its grade is ``limit`` or worse; with one, if it is that bad
    and worse than it was, or new and that bad. A cell that was not struck is never green: the exit
    code tells it, unless the baseline has it so, too.
    """
    against, unknown = [], []
    for migration in result["migrations"]:
        for cell in migration["cells"]:
            told = {"migration": migration["version"], "point": cell["point"]}
            grade = Grade(cell["grade"])
            had = (before or {}).get((migration["version"], cell["point"]))
            if grade is Grade.INCONCLUSIVE:
                if had is not grade:
                    unknown.append(told)
            elif _harm(grade) >= _harm(limit) and (had is None or _harm(grade) > _harm(had)):
                against.append(told)
    return {
        **result,
        "fail_on": limit,
        "baseline": before is not None,
        "against": against,
        "unknown": unknown,
        "exit_code": _exit_code(result, against, unknown),
    }


def _exit_code(result: Mapping[str, Any], against: list[Any], unknown: list[Any]) -> int:
    if against or result["broken"]:
        return FAIL
    if not result["cells"]:
        return NOTHING
    return INCONCLUSIVE_EXIT if unknown else 0


def _harm(grade: Grade) -> int:
    """From 0, harmless; what is not known has none."""
    return HARM.index(grade) if grade in HARM else -1

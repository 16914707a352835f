"""Whether a sweep is good enough for CI: by a grade, or by what an earlier sweep had; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.sweep.verdicts import HARM, Grade

FAIL, INCONCLUSIVE_EXIT, NOTHING = 1, 3, 5


def baseline(path: Path) -> dict[tuple[str, str], Grade]:
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


def judged(
    result: Mapping[str, Any], limit: Grade, before: Mapping[tuple[str, str], Grade] | None
) -> dict[str, Any]:
    """The result with the cells that count against it, and the exit code.

    Without a baseline a cell counts if its grade is ``limit`` or worse; with one, if it is that bad
    and worse than it was, or new and that bad.
    """
    against = []
    for migration in result["migrations"]:
        for cell in migration["cells"]:
            grade = Grade(cell["grade"])
            if grade is Grade.INCONCLUSIVE or _harm(grade) < _harm(limit):
                continue
            had = (before or {}).get((migration["version"], cell["point"]))
            if before is None or had is None or _harm(grade) > _harm(had):
                against.append({"migration": migration["version"], "point": cell["point"]})
    return {
        **result,
        "fail_on": limit,
        "baseline": before is not None,
        "against": against,
        "exit_code": _exit_code(result, against),
    }


def _exit_code(result: Mapping[str, Any], against: list[Any]) -> int:
    if against or result["broken"]:
        return FAIL
    if not result["cells"]:
        return NOTHING
    struck = sum(count for grade, count in result["grades"].items() if grade != "inconclusive")
    return 0 if struck else INCONCLUSIVE_EXIT


def _harm(grade: Grade) -> int:
    return HARM.index(grade)

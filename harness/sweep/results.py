"""From the record of a sweep to what reports tell; pure, and the same however often it is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.sweep.verdicts import Grade, worst


def of(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Fold the events: the header, and for each migration its rows, states and cells.

    Of two records of one cell, as an interrupted run may leave, the last counts.
    """
    header: dict[str, Any] = {}
    refused: dict[str, str] = {}
    migrations: dict[str, dict[str, Any]] = {}
    for event in events:
        kind, facts = event["kind"], {k: v for k, v in event.items() if k != "kind"}
        if kind == "header":
            header = {**header, **facts}
            continue
        if kind == "seeding":
            refused = facts["refused"]
            continue
        own = migrations.setdefault(
            facts["migration"], {"cells": {}, "healings": {}, "finished": False, "broken": ""}
        )
        if kind == "reference":
            own["reference"] = facts
        elif kind == "cell":
            own["cells"][facts["point"]] = facts
        elif kind == "healing":
            own["healings"][facts["state"]] = {"probes": [], "gone": {}, **facts}
        elif kind == "broken":
            own["broken"] = facts["says"]
        elif kind == "finished":
            own["finished"] = True
    told = [_migration(version, own) for version, own in migrations.items()]
    counts = Counter(cell["grade"] for m in told for cell in m["cells"])
    grades = [Grade(grade) for grade in counts]
    return {
        **header,
        "migrations": told,
        "cells": sum(counts.values()),
        "grades": {grade: counts[grade] for grade in Grade if grade in counts},
        "worst": worst(grades),
        "states": dict(Counter(_plain(c["left"]["name"]) for m in told for c in m["cells"])),
        "unexplained": sum(
            not c["left"]["explained"] for m in told for c in m["cells"] if not c["missed"]
        ),
        "seed_refused": refused,
        "broken": [m["version"] for m in told if m["broken"]],
    }


def _migration(version: str, own: dict[str, Any]) -> dict[str, Any]:
    reference = own.get("reference", {})
    cells = []
    for cell in own["cells"].values():
        healing = own["healings"].get(cell["state"], {})
        grade = (
            Grade.INCONCLUSIVE if cell["missed"] else Grade(healing.get("grade", "inconclusive"))
        )
        heals = next((a for a in healing.get("attempts", ()) if a["healed"]), None)
        cells.append({**cell, "grade": grade, "heals": heals["name"] if heals else ""})
    struck = [cell for cell in cells if not cell["missed"]]
    return {
        "version": version,
        "name": reference.get("name", version),
        "files": reference.get("files", []),
        "rows": reference.get("rows", []),
        "states": reference.get("states", []),
        "statements": reference.get("statements", 0),
        "volatile": reference.get("volatile", {}),
        "filled": reference.get("filled", []),
        "fails_with_rows": reference.get("fails_with_rows", ""),
        "removes": reference.get("removes", {}),
        "down": reference.get("down", False),
        "healings": list(own["healings"].values()),
        "cells": cells,
        "worst": worst([cell["grade"] for cell in cells]),
        "atomic": bool(struck) and all(map(_is_whole, struck)),
        "finished": own["finished"],
        "broken": own["broken"],
    }


def _is_whole(cell: Mapping[str, Any]) -> bool:
    return cell["left"]["name"] in ("before", "after")


def _plain(name: str) -> str:
    """The family of a state's name: counts would be as many as there are migrations."""
    if "debris" in name:
        return "k of n, and debris"
    return "k of n" if " of " in name else name


def as_json(result: Mapping[str, Any]) -> str:
    """The result as it is written to ``sweep.json``."""
    return json.dumps(result, indent=1, default=str) + "\n"

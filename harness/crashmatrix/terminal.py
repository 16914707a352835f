"""A sweep as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(result: Mapping[str, Any]) -> str:
    """What was found, the worst first."""
    lines = [
        f"{result['cells']} crash points of {len(result['migrations'])} migrations, "
        f"{result['tool']}, {result['engine']} {result['server_version']}"
    ]
    lines += [f"  {count:>6}  {grade}" for grade, count in result["grades"].items()]
    return "\n".join(lines)

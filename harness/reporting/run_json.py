"""run.json: the run as it is, for programs; every other report can be made from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.timeline import Event

FILE_NAME = "run.json"


def render(run: Mapping[str, Any], events: Callable[[str], Sequence[Event]]) -> str:
    """ASCII only, so that neither a half surrogate pair nor a control character can break it."""
    return json.dumps(run, indent=1, default=str) + "\n"

"""The one way to wait: poll, with a deadline, on the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from harness.errors import DeadlineExceeded

POLL_S = 0.005


def until(what: str, deadline_s: float, check: Callable[[], Any], poll_s: float = POLL_S) -> Any:
    """The first true answer of ``check``; DeadlineExceeded naming ``what`` after ``deadline_s``."""
    end = time.monotonic() + deadline_s
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"waited {deadline_s:g} s for {what}")
        time.sleep(poll_s)

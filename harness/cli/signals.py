"""TERM, HUP and INT become an exception, so that every ``finally`` runs and nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IMPATIENCE = 3


@contextmanager
def as_interrupts() -> Iterator[None]:
    """The first signal raises Interrupted in the main thread; the third ends the process hard."""
    received: list[int] = []

    def handle(signum: int, _frame: FrameType | None) -> None:
        received.append(signum)
        if len(received) == 1:
            raise Interrupted(signum)
        if len(received) >= IMPATIENCE:
            os.write(2, b"mdrill: ended at once; `mdrill gc` removes what is left\n")
            os._exit(128 + signum)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)

"""TERM, HUP and INT become an exception, so that every ``finally`` runs and nothing is left."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from harness.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ANSWERS = (
    b"\nmdrill: stopping; everything that was started is being removed\n",
    b"\nmdrill: still removing what was started; once more ends at once\n",
    b"\nmdrill: ended at once; `mdrill gc` removes what is left\n",
)
"""What the first, the second and the third signal are told."""


class _Handler:
    """Counts the signals: the first raises, the second is only answered, the third ends."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.postponing = False

    def __call__(self, signum: int, _frame: FrameType | None) -> None:
        self.received.append(signum)
        if signum == signal.SIGHUP:
            _let_go_of_terminal()
        with suppress(OSError):
            os.write(2, ANSWERS[min(len(self.received), len(ANSWERS)) - 1])
        if len(self.received) >= len(ANSWERS):
            os._exit(128 + signum)
        if len(self.received) == 1 and not self.postponing:
            raise Interrupted(signum)


_handler = _Handler()


@contextmanager
def as_interrupts() -> Iterator[None]:
    """The first signal raises Interrupted in the main thread; the third ends the process hard."""
    before = {number: signal.signal(number, _handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def postponed() -> Iterator[None]:
    """Finish the block first: a signal that comes meanwhile raises Interrupted at its end."""
    already = bool(_handler.received)
    _handler.postponing = True
    try:
        yield
    finally:
        _handler.postponing = False
    if _handler.received and not already:
        raise Interrupted(_handler.received[0])


def _let_go_of_terminal() -> None:
    """A terminal that hung up fails every write; what is still said goes nowhere instead."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(fd).st_mode):
                os.dup2(nowhere, fd)
    os.close(nowhere)

"""The process of an emulated tool: forked from one prepared process, told what to do by a pipe."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from types import ModuleType

from harness.errors import DeadlineExceeded
from harness.ports import Order
from harness.tools import emulation
from harness.tools.emulation import Ended, Fact, Job

DIE_DEADLINE_S = 10.0

_REAPING = threading.Lock()
"""Whenever multiprocessing starts a child it asks after all others, and a child's status can be
read once only: of two threads that ask, one is told that it has ended with 255."""


@cache
def _processes() -> ForkServerContext:
    """Forks of one prepared process: a tenth of the cost of a new interpreter.

    It is prepared with all that we have imported, and clears away behind itself.
    """
    context = multiprocessing.get_context("forkserver")
    imported = sorted(m for m in sys.modules if m.startswith("harness."))
    context.set_forkserver_preload([*imported, "harness.tools.forkserver_end"])
    return context


@contextmanager
def _no_main_module() -> Iterator[None]:
    """A child runs the program's main module again, for what it might be asked to run from there.

    We never do, and it takes a second where that module is our command line.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class ToolProcess:
    """One run of an emulated tool; facts come by :meth:`next`, in the order of their telling."""

    def __init__(self, job: Job) -> None:
        context = _processes()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=emulation.main, args=(job, theirs), daemon=True)
        with _REAPING, _no_main_module():
            self._process.start()
        theirs.close()
        pid = self._process.pid
        assert pid is not None
        self.pid: int = pid

    def status(self) -> int | None:
        """Its exit status (negative: the signal it died of); None while it is there."""
        with _REAPING:
            return self._process.exitcode

    def signal(self, signum: int) -> None:
        """Send it a signal; nothing happens if it has ended."""
        with suppress(ProcessLookupError):
            if self.status() is None:
                os.kill(self.pid, signum)

    def next(self, deadline_s: float | None = None) -> Fact | None:
        """The next fact; None once it will tell no more. DeadlineExceeded after ``deadline_s``."""
        try:
            if not self._pipe.poll(deadline_s):
                raise DeadlineExceeded(f"the tool told nothing within {deadline_s:g} s")
            fact: Fact = self._pipe.recv()
            return fact
        except (EOFError, OSError):
            return None

    def order(self, order: Order) -> None:
        """Let it go on; nothing happens if it has ended."""
        with suppress(OSError):
            self._pipe.send(order)

    def wait(self, deadline_s: float) -> int:
        """Its exit status. At the deadline it is killed, and DeadlineExceeded raised."""
        if self._gone(deadline_s):
            status = self.status()
            assert status is not None
            return status
        self.signal(signal.SIGKILL)
        self._gone(DIE_DEADLINE_S)
        raise DeadlineExceeded(f"the tool did not end within {deadline_s:g} s")

    def _gone(self, deadline_s: float) -> bool:
        return bool(wait([self._process.sentinel], deadline_s)) and self.status() is not None

    def last_words(self) -> Ended | None:
        """How it ended, as it told it itself; None if it could not any more."""
        while (fact := self.next(0.0 if self.status() is None else DIE_DEADLINE_S)) is not None:
            if isinstance(fact, Ended):
                return fact
        return None

    def close(self) -> None:
        """Leave nothing of it behind; safe to call twice."""
        self.signal(signal.SIGKILL)
        self._gone(DIE_DEADLINE_S)
        self._pipe.close()

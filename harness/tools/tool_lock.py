"""The lock by which runs of one emulated tool shut each other out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness.errors import DatabaseError
from harness.ports import Rows
from harness.tools.adapter import Emulation, filled

LOCKED = "locked"
"""The code of a run that finds the tool's lock taken."""

Run = Callable[[str], Rows]


@contextmanager
def taken(
    emulation: Emulation,
    values: Mapping[str, Any],
    run: Run,
    give_up: Callable[[str], None],
) -> Iterator[None]:
    """While it is held, if the tool has one. DatabaseError if it is not to be had.

    ``give_up`` ends the process, where its query has waited for too long.
    """
    if not emulation.lock:
        yield
        return
    _take(emulation, filled(emulation.lock, values), run, give_up)
    try:
        yield
    finally:
        if emulation.unlock:
            try:
                run(filled(emulation.unlock, values))
            except DatabaseError as error:
                if not error.lost:
                    raise


def _take(emulation: Emulation, ask: str, run: Run, give_up: Callable[[str], None]) -> None:
    end = time.monotonic() + emulation.lock_timeout_s
    patience = threading.Timer(emulation.lock_timeout_s, give_up, args=(emulation.lock_says,))
    patience.daemon = True
    if emulation.lock_timeout_s and not emulation.lock_every_s:
        patience.start()
    try:
        while not run(ask).scalar() and not emulation.lock_waits:
            if not emulation.lock_every_s or time.monotonic() >= end:
                raise DatabaseError(LOCKED, emulation.lock_says)
            time.sleep(emulation.lock_every_s)
    finally:
        patience.cancel()

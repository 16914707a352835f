"""What the process says to whoever called it: the one table of exit codes.

A signal ends it with 128 and its number, as shells have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of ``mdrill``; :data:`MEANINGS` has them in words."""

    GREEN = 0
    RED = 1
    USAGE = 2
    UNKNOWN = 3
    MACHINE = 4
    NOTHING = 5
    BUG = 70


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.GREEN: "proved",
    ExitCode.RED: "proved wrong: a FAIL, or a sweep that is not good enough",
    ExitCode.USAGE: "usage, or an invalid file",
    ExitCode.UNKNOWN: "not proved: INCONCLUSIVE, or a sweep that does not know everything",
    ExitCode.MACHINE: "the machine: no engine, image or disk; ERROR, ABORTED",
    ExitCode.NOTHING: "nothing selected, nothing swept",
    ExitCode.BUG: "a bug of ours",
}
OF_A_SIGNAL = 128


def in_words() -> str:
    """The table on a few lines, for the end of a help page."""
    told = [f"{code.value} {meaning}" for code, meaning in MEANINGS.items()]
    return "Exit codes: " + " · ".join([*told, "130, 143, 129 interrupted"]) + "."

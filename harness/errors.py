"""Every exception the harness raises on purpose.

::

    DrillError                    exit code 70
    ├── UsageError                2   the command line asks for something that does not exist
    ├── ScenarioError             2   a YAML file is not a valid scenario or drill
    ├── NothingSelected           5   the filters leave no trial to run
    ├── EnvironmentProblem        4   no engine, image, binary, disk: the machine is at fault
    │   ├── GuardRefused          4   a connection reached a server this run did not start
    │   ├── ServerLost            4   a server that should be up does not answer
    │   └── DeadlineExceeded      4   something waited for did not come in time
    ├── DatabaseError             70  the server answered with an error: evidence, no failure
    ├── StepFailed                70  a step of a procedure did not do what it says
    │   └── NotTaken              70  it is not taken here, and may be well
    ├── Missed                    70  a fault did not strike, so nothing may be concluded from it
    └── Interrupted               130 / 143 / 129

The exit code travels with the class, so no caller maps exceptions to codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

OF_A_SIGNAL = 128
"""A signal ends the process with this and its number, as shells have it."""


class ExitCode(IntEnum):
    """What the process says to whoever called it: the one table of exit codes.

    :data:`MEANINGS` has them in words.
    """

    GREEN = 0
    RED = 1
    USAGE = 2
    UNKNOWN = 3
    MACHINE = 4
    NOTHING = 5
    BUG = 70


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.GREEN: "proved",
    ExitCode.RED: "proved wrong: a FAIL, a sweep that is not good enough, a backup not usable",
    ExitCode.USAGE: "usage, or an invalid file",
    ExitCode.UNKNOWN: "not proved: INCONCLUSIVE, or a sweep that does not know everything",
    ExitCode.MACHINE: "the machine: no engine, image or disk; ERROR, ABORTED",
    ExitCode.NOTHING: "nothing selected, nothing swept",
    ExitCode.BUG: "a bug of ours",
}


class DrillError(Exception):
    """The root; catching it catches everything this package raises on purpose."""

    exit_code: int = ExitCode.BUG


class UsageError(DrillError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file: where, what was found, what was wanted, the next move."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class ScenarioError(DrillError):
    """A YAML file is not valid; carries all of its problems, not only the first."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NothingSelected(DrillError):
    """The filters leave no trial to run: an empty run must never look green."""

    exit_code = ExitCode.NOTHING


class EnvironmentProblem(DrillError):
    """The machine is at fault (no engine, image, binary, disk), not what was tested."""

    exit_code = ExitCode.MACHINE


class GuardRefused(EnvironmentProblem):
    """A connection reached a server that this run did not start; nothing was sent to it."""


class ServerLost(EnvironmentProblem):
    """A server that should be up does not answer, or its connection broke."""


class DeadlineExceeded(EnvironmentProblem):
    """Something that was waited for did not come in time."""


class DatabaseError(DrillError):
    """The server answered with an error.

    ``code`` is the SQLSTATE (PostgreSQL) or the errno as text (MySQL, MariaDB). ``lost`` is
    True when the connection broke and there was no answer: then nothing may be concluded
    about what the statement did.
    """

    def __init__(self, code: str, message: str, *, lost: bool = False) -> None:
        self.code = code
        self.message = message
        self.lost = lost
        super().__init__(f"{code}: {message}" if code else message)


class StepFailed(DrillError):
    """A step of a procedure did not do what it says."""


class NotTaken(StepFailed):
    """Something is not taken as it is, or not by this server; nothing is said against it."""


class Missed(DrillError):
    """A fault did not strike: its moment never came, or nothing was there to be struck."""


class Interrupted(DrillError):
    """A signal asked the run to stop; ``exit_code`` is 128 + its number."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        self.exit_code = OF_A_SIGNAL + signum
        super().__init__(f"interrupted by signal {signum}")


def exit_code_of(error: BaseException) -> int:
    """The exit code that an exception stands for; that of a bug for one that nobody planned."""
    return error.exit_code if isinstance(error, DrillError) else ExitCode.BUG


def exit_codes_in_words() -> str:
    """The table of exit codes on a few lines, for the end of a help page."""
    told = [f"{code.value} {meaning}" for code, meaning in MEANINGS.items()]
    return "Exit codes: " + " · ".join([*told, "130, 143, 129 interrupted"]) + "."

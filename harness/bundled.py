"""Where the files that are not Python live: in the checkout, or bundled inside the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.errors import EnvironmentProblem

PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT = {"scenarios": "scenarios", "drills": "drills", "templates": "reports/templates"}


def is_ours(file: str) -> bool:
    """True for a scenario file that comes with the project, False for a user's own."""
    return Path(file).resolve().parent == folder("scenarios").resolve()


def folder(name: Literal["scenarios", "drills", "templates"]) -> Path:
    """The folder of that name, the checkout's before the wheel's.

    The checkout is recognised by its ``pyproject.toml`` beside the package, so that a stray
    ``scenarios`` folder in site-packages is never taken for ours.
    """
    root = PACKAGE.parent
    beside = root / _IN_CHECKOUT[name]
    if (root / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    bundled = PACKAGE / "_bundled" / name
    if bundled.is_dir():
        return bundled
    raise EnvironmentProblem(
        f"no {name} folder: looked for {beside} and {bundled}; "
        "the installation is incomplete, install migration-drill again"
    )

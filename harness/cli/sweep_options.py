"""What the command line of ``mdrill sweep`` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.cli.folder_commands import FolderOptions


@dataclass(frozen=True, kw_only=True)
class SweepOptions(FolderOptions):
    """What the command line says."""

    ways: tuple[str, ...]
    jobs: int
    resume: Path | None
    fail_on: str
    baseline: Path | None
    exhaustive: bool = False
    budget: str | None = None
    no_cache: bool = False

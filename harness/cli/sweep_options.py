"""What the command line of ``mdrill sweep`` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SweepOptions:
    """What the command line says."""

    path: Path | None
    tool: str | None
    layout: str | None
    program: str | None
    engine: str | None
    backend: str
    image: tuple[str, ...]
    range_: str | None
    only: tuple[str, ...]
    ways: tuple[str, ...]
    rows: int
    jobs: int
    seed_sql: Path | None
    seed_dump: Path | None
    out: Path | None
    resume: Path | None
    fail_on: str
    baseline: Path | None
    junit: Path | None
    as_json: bool
    exhaustive: bool = False
    since: str | None = None
    placeholder: tuple[str, ...] = ()
    budget: str | None = None
    no_cache: bool = False

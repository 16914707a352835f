"""Fixtures: a world of its own for each test, and the arguments that choose a backend."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mdrill_world import World, engines_of


@pytest.fixture
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="mdl-", dir="/tmp"))
    folder.chmod(0o755)
    made = World(folder)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def on(request: pytest.FixtureRequest) -> list[str]:
    """Arguments that choose a backend, and an engine of each family that it has."""
    names = engines_of(request.param)
    return ["--backend", request.param, *(f"--engine={name}" for name in names)]


@pytest.fixture
def here() -> list[str]:
    """Arguments for the cheapest real server: PostgreSQL as a process of this machine."""
    engines_of("local")
    return ["--backend", "local", "--engine", "postgres"]

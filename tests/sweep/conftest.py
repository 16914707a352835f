"""Fixtures: an engine, and a sweep of a folder that several tests ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest
from places import SEED, WHOLE, backend_of
from swept import ENGINES, Outcome, arguments, run, write


@pytest.fixture(params=ENGINES, scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine of which this machine has a server."""
    backend_of(request.param)
    return request.param


@pytest.fixture(params=ENGINES if WHOLE else sorted(Random(SEED).sample(ENGINES, 2)))
def some_engine(request: pytest.FixtureRequest) -> str:
    """Two of them, drawn, for what takes long; all if the whole is asked for."""
    backend_of(request.param)
    return request.param


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Outcome]:
    """Sweeps files on an engine; once for the same question."""
    known: dict[object, Outcome] = {}

    def ask(files: Mapping[str, str], engine: str, *more: str) -> Outcome:
        question = (tuple(files.items()), engine, more)
        if question not in known:
            place: Path = tmp_path_factory.mktemp("sweep")
            folder = write(place / "migrations", files)
            known[question] = run(*arguments(folder, engine, place / "out", *more))
        return known[question]

    return ask

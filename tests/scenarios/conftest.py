"""One server of every engine on every backend that this machine has, for all trials."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from harness import catalog
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.errors import EnvironmentProblem
from harness.lane import Lane

BACKENDS = {"local": LocalBackend, "docker": DockerBackend}


@pytest.fixture(scope="session")
def lane_of() -> Iterator[Callable[[str, str], Lane]]:
    """The lane of an engine on a backend, started when it is first asked for."""
    lanes: dict[tuple[str, str], Lane | str] = {}

    def give(engine: str, backend: str) -> Lane:
        key = (engine, backend)
        if key not in lanes:
            lanes[key] = _open(engine, backend)
        lane = lanes[key]
        if isinstance(lane, str):
            pytest.skip(lane)
        return lane

    yield give
    for lane in lanes.values():
        if isinstance(lane, Lane):
            lane.close()


def _open(engine: str, backend: str) -> Lane | str:
    chosen = catalog.engine(engine)
    source = BACKENDS[backend](f"tests-{secrets.token_hex(4)}")
    problem = source.available() or source.cannot_run(chosen.recipe)
    if problem:
        return f"no {chosen.title} on the {backend} backend here: {problem.partition('. ')[0]}"
    try:
        return Lane(source, chosen)
    except EnvironmentProblem as error:
        return f"no {chosen.title} on the {backend} backend here: {error}".partition("\n")[0]

"""One server of every engine on every backend that this machine has, for all trials."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import places
import pytest

from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.drill.drill_server import DrillServer
from harness.errors import EnvironmentProblem

BACKENDS = {"local": LocalBackend, "docker": DockerBackend}


class Lanes:
    """Starts the lane of an engine on a backend when it is first asked for, and keeps it."""

    def __init__(self) -> None:
        self.opened: dict[tuple[str, str], DrillServer | str] = {}

    def __call__(self, engine: str, backend: str) -> DrillServer:
        key = (engine, backend)
        if key not in self.opened:
            self.opened[key] = _open(engine, backend)
        lane = self.opened[key]
        if isinstance(lane, str):
            pytest.skip(lane)
        return lane

    def forget(self, engine: str, backend: str) -> None:
        """Close it, so that the next one to ask gets a new server."""
        lane = self.opened.pop((engine, backend), None)
        if isinstance(lane, DrillServer):
            lane.close()


@pytest.fixture(scope="session")
def lane_of() -> Iterator[Lanes]:
    """One server for each engine and backend, gone after the last test."""
    lanes = Lanes()
    yield lanes
    for key in tuple(lanes.opened):
        lanes.forget(*key)


def _open(engine: str, backend: str) -> DrillServer | str:
    chosen = places.engine(engine)
    source = BACKENDS[backend](f"tests-{secrets.token_hex(4)}")
    problem = source.available() or source.cannot_run(chosen.recipe)
    if problem:
        return f"no {chosen.title} on the {backend} backend here: {problem.partition('. ')[0]}"
    try:
        return DrillServer(source, chosen)
    except EnvironmentProblem as error:
        return f"no {chosen.title} on the {backend} backend here: {error}".partition("\n")[0]

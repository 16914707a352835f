"""Where an engine can be had on this machine: each once in full, a second time as a sample.

What a server does follows from its engine, and hardly from who started it; so of the tests on an
engine's second backend only a share is run, drawn by ``MDRILL_SEED``, and so of each slow matrix
(``pytest.mark.matrix(of=3)``: one case in three). ``MDRILL_WHOLE=1`` (``make whole``) runs them
all.

``MDRILL_VERSIONS=postgres:17,mariadb:10.11`` puts those versions in the place of the engines' usual
ones.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

import pytest

from harness import registry
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.ports import Engine

SEED = os.environ.get("MDRILL_SEED", "20")
WHOLE = bool(os.environ.get("MDRILL_WHOLE"))
SHARE = 8
"""One of so many tests is drawn."""
VERSIONS = {
    name.partition(":")[0]: name for name in os.environ.get("MDRILL_VERSIONS", "").split(",")
}


def label(engine: str) -> str:
    """The engine by the name with which its version is asked for, if one is."""
    return VERSIONS.get(engine, engine)


def engine(name: str) -> Engine:
    """The engine in the version to be tested."""
    return registry.engine(label(name))


@cache
def backend_of(name: str) -> str:
    """Where a server of the engine, with client programs, can be had on this machine; a skip if
    nowhere.
    """
    recipe, docker = engine(name).recipe, DockerBackend("tests")
    if docker.available() is None and docker.image_here(recipe):
        return "docker"
    if LocalBackend("tests").cannot_run(recipe) is None:
        return "local"
    pytest.skip(f"no server of {name} on this machine")


def local(name: str) -> Engine:
    """The engine, where this machine has its programs; a skip if not."""
    found = engine(name)
    if problem := LocalBackend("tests").cannot_run(found.recipe):
        pytest.skip(problem)
    return found


@cache
def marks(name: str, backend: str) -> tuple[pytest.MarkDecorator, ...]:
    """What a test on that backend is marked with."""
    if backend != "docker":
        return ()
    local = LocalBackend("tests").cannot_run(engine(name).recipe) is None
    return (pytest.mark.docker, pytest.mark.second) if local else (pytest.mark.docker,)


def both(engines: Iterable[str]) -> Iterator[Any]:
    """A parameter for each engine on each backend."""
    for engine in engines:
        for backend in ("local", "docker"):
            place = (engine, backend)
            yield pytest.param(place, id=f"{engine}-{backend}", marks=marks(*place))


def is_drawn(test: str) -> bool:
    """Whether a test of a second backend is run."""
    return WHOLE or _number(test) % SHARE == 0


def drawn(tests: Collection[str], of: int) -> frozenset[str]:
    """Of the cases of one slow matrix those that are run: one in ``of``, and one at least."""
    count = len(tests) if WHOLE else math.ceil(len(tests) / of)
    return frozenset(sorted(tests, key=_number)[:count])


def _number(test: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{SEED} {test}".encode()).digest()[:4])

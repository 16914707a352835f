"""Where an engine can be had on this machine: each once in full, a second time as a sample.

What a server does follows from its engine, and hardly from who started it; so of the tests on an
engine's second backend only a share is run, drawn by ``MDRILL_SEED``. ``MDRILL_WHOLE=1`` (``make
whole``) runs them all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest

from harness import registry
from harness.backends.local import LocalBackend

SEED = os.environ.get("MDRILL_SEED", "20")
WHOLE = bool(os.environ.get("MDRILL_WHOLE"))
SHARE = 8
"""One of so many tests is drawn."""


@cache
def marks(engine: str, backend: str) -> tuple[pytest.MarkDecorator, ...]:
    """What a test on that backend is marked with."""
    if backend != "docker":
        return ()
    local = LocalBackend("tests").cannot_run(registry.engine(engine).recipe) is None
    return (pytest.mark.docker, pytest.mark.second) if local else (pytest.mark.docker,)


def both(engines: Iterable[str]) -> Iterator[Any]:
    """A parameter for each engine on each backend."""
    for engine in engines:
        for backend in ("local", "docker"):
            place = (engine, backend)
            yield pytest.param(place, id=f"{engine}-{backend}", marks=marks(*place))


def is_drawn(test: str) -> bool:
    """Whether a test of a second backend is run."""
    number = int.from_bytes(hashlib.sha256(f"{SEED} {test}".encode()).digest()[:4])
    return WHOLE or number % SHARE == 0

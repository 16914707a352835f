"""Which versions of an engine can be had on this machine, and how."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.ports import Engine

PROGRAMS = "programs of this machine"


@dataclass(frozen=True)
class Found:
    """One engine on one backend: what would run, or what is missing and what mends it."""

    engine: Engine
    runs: str = ""
    missing: str = ""
    remedy: str = ""


def build_command(engine: Engine) -> str:
    """How a person builds its stand-in."""
    return f"mdrill images build {engine.label}"


def of(engine: Engine) -> list[Found]:
    """Every version that is on this machine or that a stand-in can be built of, the oldest first.

    Nothing is pulled or built.
    """
    docker, local = DockerBackend("versions"), LocalBackend("versions")
    images = docker.versions_here(engine.recipe) if docker.available() is None else {}
    found = []
    for version in sorted({*engine.recipe.suites, *images}, key=_in_order):
        one = engine.at(version)
        runs = images.get(version, "")
        if not runs and local.available() is None and local.cannot_run(one.recipe) is None:
            runs = PROGRAMS
        found.append(Found(one, runs, remedy="" if runs else build_command(one)))
    return found


def in_words(found: Sequence[Found]) -> str:
    """Each with where it is or what brings it: ``postgres:15 (here)``."""
    return ", ".join(f"{f.engine.label} ({'here' if f.runs else f'`{f.remedy}`'})" for f in found)


def _in_order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))

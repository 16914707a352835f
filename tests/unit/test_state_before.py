"""A state that was kept is thrown away for what is wrong with it, and for nothing else."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import registry
from harness.cache import STATES, Cache
from harness.errors import EnvironmentProblem, Interrupted
from harness.ports import Recipe
from harness.sweep.state_before import Origin, StateBefore
from harness.testing import FakeBackend


class Ending(FakeBackend):
    """A backend on which every start ends in the same way."""

    error: BaseException = EnvironmentProblem("it does not start")

    def what_runs(self, recipe: Recipe) -> str:
        return ""

    def start_on(self, recipe: Recipe, fill: Callable[[Path], bool]) -> Any:
        raise self.error


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def before(tmp_path: Path, told: list[str]) -> StateBefore:
    kept = Cache(tmp_path / "cache")
    kept.keep_note(STATES, "key", {"snapshot": {}, "origin": {}})
    return StateBefore(kept, "key", "7", Origin("run"), told.append)


def started(before: StateBefore, error: BaseException) -> object:
    backend = Ending()
    backend.error = error
    return before.server(backend, registry.engine("postgres"))


def test_one_that_does_not_start_is_thrown_away(before, told):
    """The sweep goes on without it, and says so."""
    assert started(before, EnvironmentProblem("it does not start")) is None
    assert before.kept.kept() == []
    assert told == [
        "the state before 7 that was kept is not used, and is made anew: it does not start"
    ]


def test_a_person_who_interrupts_is_obeyed(before, told):
    """That says nothing of the state: it stays."""
    with pytest.raises(Interrupted):
        started(before, Interrupted(signal.SIGINT))
    assert len(before.kept.kept()) == 1
    assert told == []


def test_one_that_a_restart_changes_is_not_tried(before):
    before.kept.discard(STATES, "key")
    before.kept.keep_note(STATES, "key", {"moves": "a setting"})
    assert started(before, AssertionError("it was tried")) is None

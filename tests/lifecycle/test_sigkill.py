"""The harness itself is killed: `gc` removes what it left, `report` tells what had happened.

MDRILL_SIGKILLS says how many random moments are tried (default 4); MDRILL_SIGKILL_SEED repeats
a series.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess

import pytest
from mdrill_world import engines_of, until

MOMENTS = int(os.environ.get("MDRILL_SIGKILLS", "4"))
DRAWN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
"""All workers of one run draw the same tests."""
SEED = os.environ.get("MDRILL_SIGKILL_SEED") or DRAWN[:6]
LATEST_S = 8


@pytest.mark.parametrize("moment", range(MOMENTS), ids=lambda number: f"{SEED}-{number}")
def test_killed_at_any_moment_it_can_be_cleared_and_told(world, moment):
    """SIGKILL at a random moment of a run; the moment is drawn from the seed in the test's id."""
    backend = ("local", "docker")[moment % 2]
    names = [f"--engine={name}" for name in engines_of(backend)]
    process = world.drill("partial-failure", "--backend", backend, *names)
    after_s = random.Random(f"{SEED}-{moment}").uniform(0, LATEST_S)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=after_s)
    world.take_note()
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=10) == -signal.SIGKILL

    code, said, _ = world.run("gc")
    assert code == 0, said
    until(f"nothing to be left after {after_s:.2f} s: {world.leftovers()}", _none_left(world), 15)
    for run in world.runs():
        _is_told(world, run)
    assert world.told_secrets() == []


def _none_left(world):
    return lambda: not world.leftovers()


def _is_told(world, run):
    """The report says of each trial that had ended what it was, and calls the last cut off."""
    if not (run / "header.json").exists():
        assert list(run.glob("*/events.jsonl")) == []
        return
    ended = {
        value["id"]: value["verdict"]
        for value in (json.loads(path.read_text("utf-8")) for path in run.glob("*/trial.json"))
    }
    begun = [path for path in run.glob("*/events.jsonl") if path.stat().st_size > 500]
    code, _, errors = world.run("report", str(run))
    assert code == 0, errors
    result = world.result(run)
    told = {trial["id"]: trial["verdict"] for trial in result["trials"]}
    assert {name: told.get(name) for name in ended} == ended
    assert {told[name] for name in told.keys() - ended.keys()} <= {"ABORTED", "PASS"}
    assert len(told) >= len(begun)
    assert result["verdict"] == "ABORTED"
    assert len(told) + len(result["unfinished"]) == len(result["planned"])
    assert (run / "report.html").stat().st_size > 1000


def test_gc_never_touches_a_living_run(world, on):
    """Of two runs one is killed: `gc` clears that one, and the other goes on to its end."""
    killed = world.drill("partial-failure", *on)
    until("the first run at work", lambda: world.reached("migrate_under_fault"))
    dead = world.runs()[0]
    living = world.drill("partial-failure", "--only", "*/autocommit/client-killed-*", *on)
    until("the second run at work", lambda: _at_work(world, dead))
    killed.kill()
    killed.wait(timeout=10)
    code, said, _ = world.run("gc")
    assert code == 0
    assert living.poll() is None, "the second run ended before `gc` did: it proves nothing"
    assert world.containers(dead.name) == []
    assert "0 removed" not in said
    assert living.wait(timeout=200) == 0, living.said("stderr")
    until("nothing to be left", _none_left(world), 15)


def _at_work(world, other):
    return any(run != other and list(run.glob("*/events.jsonl")) for run in world.runs())

"""A signal in the middle of a run: it ends soon, tells what was done, and leaves nothing."""

from __future__ import annotations

import signal
import time

import pytest
from mdrill_world import until

MOMENTS = [
    (signal.SIGTERM, "provision"),
    (signal.SIGINT, "migrate_under_fault"),
    (signal.SIGHUP, "recover"),
]
"""Each signal in another phase of a trial."""


def test_nothing_is_left_after_success(world, on):
    """A run that ends well removes every container, volume, process and folder of its own."""
    process = world.drill("slow-index", "--only", "*/drop-the-index", *on)
    until("a trial to be verified", lambda: world.reached("verify") or process.poll() is not None)
    world.take_note()
    assert process.wait(timeout=200) == 0
    assert world.leftovers() == []
    assert world.told_secrets() == []


@pytest.mark.parametrize("signum, phase", MOMENTS, ids=lambda value: str(value).split(".")[-1])
def test_a_signal_ends_the_run_and_leaves_nothing(world, on, signum, phase):
    """Ctrl-C, TERM and HUP: exit code 128 + n, reports of what was done, nothing left behind."""
    process = world.drill("partial-failure", *on)
    until(f"the phase {phase}", lambda: world.reached(phase))
    world.take_note()
    process.send_signal(signum)
    assert process.wait(timeout=90) == 128 + signum
    assert world.leftovers() == []

    result = world.result()
    assert result["exit_code"] == 128 + signum
    assert result["verdict"] == "ABORTED"
    assert result["unfinished"] != []
    assert {trial["verdict"] for trial in result["trials"]} <= {"PASS", "ABORTED"}
    assert "ABORTED" in (world.runs()[0] / "report.html").read_text("utf-8")
    assert world.secrets != set()
    assert world.told_secrets() == []


def test_the_second_signal_is_answered_and_the_third_ends_at_once(world, here):
    """A person who presses Ctrl-C again and again is told what it does, and `gc` does the rest."""
    process = world.drill("partial-failure", *here)
    until("a migration under way", lambda: world.reached("migrate_under_fault"))
    for line in ("stopping", "still removing"):
        process.send_signal(signal.SIGINT)
        until(f"the answer {line!r}", lambda line=line: line in process.said("stderr"), 10)
        if process.poll() is not None:
            pytest.skip("everything was removed before the second signal came")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert "`mdrill gc` removes what is left" in process.said("stderr")
    assert not (world.runs()[0] / "run.json").exists()
    assert world.run("gc")[0] == 0
    until("what was started to be gone", lambda: not world.leftovers(), 20)


def test_a_signal_while_a_server_starts_leaves_nothing(world, on):
    """There is no moment at which a server is there and nobody knows that it is ours."""
    process = world.drill("partial-failure", *on)
    until(
        "the first sign of a server",
        lambda: any(world.tmp.glob("mdrill-server-*")) or world.containers(),
    )
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    assert world.leftovers() == [], f"after {time.monotonic() - begun:.1f} s"

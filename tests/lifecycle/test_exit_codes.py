"""What a program that calls ``mdrill`` can rely on: exit codes, JSON, JUnit, plain lines."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest
from mdrill_world import until

from harness import bundled

STORY = bundled.folder("scenarios") / "5-slow-index.yaml"
CHEAP = ("--only", "*/drop-the-index")
COLOUR = re.compile(r"\x1b\[[0-9;]*?(3|4|9)[0-9]")


@pytest.fixture
def story(world):
    """A scenario file of one's own: ours, with some of its words replaced."""

    def write(old, new):
        text = STORY.read_text("utf-8")
        assert old in text
        path = world.folder / "my-story.yaml"
        path.write_text(text.replace(old, new), "utf-8")
        return str(path)

    return write


def run(world, here, *arguments, **options):
    return world.run("run", *arguments, *here, "--out", str(world.out), **options)


def test_pass_is_0_with_json_on_stdout_and_junit_in_a_file(world, here):
    """stdout holds run.json and nothing else; what a person reads is on stderr."""
    junit = world.folder / "deep" / "junit.xml"
    code, said, told = run(world, here, "slow-index", *CHEAP, "--json", "--junit", str(junit))
    assert code == 0, told
    assert json.loads(said) == world.result()
    assert world.result()["exit_code"] == 0
    suite = ElementTree.parse(junit).getroot()
    assert int(suite.get("tests")) == 1
    assert int(suite.get("failures")) == 0
    assert "backend: local processes (asked for)" in told


def test_a_failed_recovery_is_1_and_its_line_repeats_it(world, here, story):
    """The line after ``again:`` names the trial and its seed."""
    wrong = story(
        "postgres: DROP INDEX CONCURRENTLY idx_events_created", "postgres: ANALYZE events"
    )
    code, said, told = run(world, here, wrong, *CHEAP)
    assert code == 1, told
    (trial,) = world.result()["trials"]
    assert trial["verdict"] == "FAIL"
    assert f"again: {trial['rerun']}" in said
    assert f"--trial-seed {trial['cell']['seed']}" in trial["rerun"]


def test_the_line_after_again_runs_that_very_trial(world, here):
    """Also when the trial was a decoy, which only a special drill runs."""
    assert run(world, here, "slow-index", "--only", "*/analyze-only")[0] == 0
    (trial,) = world.result()["trials"]
    words = trial["rerun"].split()
    assert words[0] == "mdrill"
    code, _, told = world.run(*words[1:], "--out", str(world.out))
    assert code == 0, told
    (again,) = world.result()["trials"]
    assert again["cell"] == trial["cell"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("slow-indx",), "slow-index"),
        (("slow-index", "--image", "postgres"), "ENGINE=IMAGE"),
        (("slow-index", "--shard", "3/2"), "--shard"),
        (("slow-index", "--rows", "many"), "--rows"),
    ],
    ids=["scenario", "image", "shard", "rows"],
)
def test_a_wrong_command_line_is_2(world, here, arguments, words):
    """One message, on stderr, that says what was wanted."""
    code, said, told = run(world, here, *arguments)
    assert (code, said) == (2, "")
    assert words in told
    assert "Traceback" not in told


def test_an_invalid_file_is_2_with_every_problem(world, here, story):
    """Each problem with the file's name and line, all at once."""
    wrong = story("exists: false", "exsts: no")
    code, _, told = run(world, here, wrong)
    assert code == 2
    assert len(re.findall(r"my-story\.yaml:\d+: ", told)) >= 3
    assert "exists" in told


def test_a_red_baseline_is_3(world, here, story):
    """Where the steady state does not hold, nothing is proved: INCONCLUSIVE."""
    red = story("index: events.idx_events_created\n    exists: false\n\nmigration",
                "index: events.idx_events_created\n\nmigration")  # fmt: skip
    code, _, told = run(world, here, red, *CHEAP, "--attempts", "1")
    assert code == 3, told
    assert world.result()["trials"][0]["reason"] == "baseline_red"


def test_a_tooth_that_bites_is_0(world, here):
    """A fault left out must be INCONCLUSIVE: a run that finds just that has succeeded."""
    code, _, told = run(world, here, "slow-index", "--only", "*/no-injection")
    assert code == 0, told
    assert world.result()["trials"][0]["verdict"] == "INCONCLUSIVE"


def test_a_folder_that_cannot_be_made_is_4(world, here):
    """One message, before any server is started."""
    (world.folder / "file").touch()
    code, _, told = world.run("run", "slow-index", *here, "--out", str(world.folder / "file/out"))
    assert code == 4
    assert "cannot make the run folder" in told
    assert "Traceback" not in told
    assert world.leftovers() == []


@pytest.mark.parametrize("size, full_at", [(16, "drop-the-index"), (64, "")], ids=["soon", "late"])
def test_a_full_disk_is_4_and_leaves_nothing(world, here, size, full_at):
    """One message that names the file and the reason, whether the record or a report met it."""
    with small_disk(world.folder / "out", size):
        code, _, told = run(world, here, "slow-index", *CHEAP)
        assert code == 4, told
        assert told.splitlines()[-1].startswith("mdrill: cannot ")
        assert "No space left on device" in told
        assert full_at in told.splitlines()[-1]
        assert "Traceback" not in told
        assert world.leftovers() == []


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip("a small file system can be mounted only by root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_nothing_selected_is_5(world, here):
    """An empty run never looks green; what there is, is shown."""
    code, _, told = run(world, here, "slow-index", "--only", "no-such-trial")
    assert code == 5
    assert "slow-index/postgres/" in told


def test_a_bug_of_ours_is_70_and_the_rest_is_still_written(world, here):
    """A trial that breaks the harness ends the run; the record and the reports are there."""
    (world.folder / "sitecustomize.py").write_text(
        "import harness.drill.trial\n"
        "def broken(self):\n"
        "    raise KeyError('a bug put in by a test')\n"
        "harness.drill.trial.TrialRun.diagnose = broken\n"
    )
    code, _, told = run(world, here, "slow-index", *CHEAP, env={"PYTHONPATH": str(world.folder)})
    assert code == 70
    assert "this is a bug of ours" in told
    assert (world.runs()[-1] / "report.html").exists()
    assert world.leftovers() == []


def test_without_a_terminal_there_is_one_plain_line_for_each_trial(world, here):
    """No escape codes, no progress bar: a log can be read."""
    code, said, told = run(world, here, "slow-index")
    assert code == 0
    ids = world.result()["planned"]
    assert len(ids) == 2
    assert "\x1b" not in said + told
    for name in ids:
        assert len([line for line in told.splitlines() if name in line]) == 1
        assert len([line for line in said.splitlines() if name in line]) == 1


def test_no_color_is_respected_on_a_terminal(world, here):
    """Colours are for those who did not refuse them."""
    assert COLOUR.search(_on_terminal(world, here, {"TERM": "xterm-256color"}))
    assert not COLOUR.search(_on_terminal(world, here, {"NO_COLOR": "1", "TERM": "xterm"}))


def _on_terminal(world, here, environment):
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    process = world.start(
        *("run", "slow-index", *CHEAP, *here, "--out", str(world.out)),
        pipes=False,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    said = b""

    def ended():
        nonlocal said
        try:
            while chunk := os.read(ours, 65536):
                said += chunk
        except OSError:
            return process.poll() is not None
        return True

    until("the end of the run", ended)
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return said.decode()


def test_without_docker_auto_takes_local_processes_and_says_so(world):
    """One line tells which backend, and why not the other."""
    code, _, told = world.run(
        *("run", "slow-index", *CHEAP, "--engine", "postgres", "--out", str(world.out)),
        env={"DOCKER_HOST": f"unix://{world.folder}/nobody.sock"},
    )
    assert code == 0, told
    first = told.splitlines()[0]
    assert first.startswith("backend: local processes (no Docker engine answers at unix://")
    assert world.result()["backend"] == "local"

"""What an earlier version left is read still: judged again, and told in every format of today."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

OLD = Path(__file__).parents[1] / "fixtures" / "old-runs"
MDRILL = [sys.executable, "-c", "from harness.cli import main; main()"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of three trials: two recoveries that passed, and a decoy that was caught."""
    return Path(shutil.copytree(OLD / "run", tmp_path / "run"))


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """A sweep of one migration, from before ways down were executed."""
    return Path(shutil.copytree(OLD / "sweep", tmp_path / "sweep"))


def mdrill(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1"}
    words = [*MDRILL, *map(str, arguments)]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_run_is_told_again_in_every_format(run):
    """With the verdicts that it had, by the names that they have today."""
    done = mdrill("report", run)
    assert done.returncode == 0, done.stderr
    assert "PASS: 3 trials" in done.stdout
    names = {"header.json", "run.json", "report.html", "summary.md", "junit.xml", "postmortem.md"}
    assert {path.name for path in run.iterdir() if path.is_file()} == names
    told = json.loads((run / "run.json").read_text("utf-8"))
    assert [(t["id"].split("/", 3)[3], t["verdict"], t["outcome"]) for t in told["trials"]] == [
        ("session-killed-after-1/complete-what-is-missing", "PASS", "PASS"),
        ("session-killed-after-1/retry-as-is", "FAIL", "CAUGHT"),
        ("session-killed-inside-2/undo-and-retry", "PASS", "PASS"),
    ]
    assert (told["counts"], told["verdict"]) == ({"PASS": 2, "CAUGHT": 1}, "PASS")
    assert (told["exit_code"], told["unfinished"]) == (0, [])
    recovered = {t["outcome"]: t["rto"]["total_ms"] is not None for t in told["trials"]}
    assert recovered == {"PASS": True, "CAUGHT": False}
    cases = Xml.parse(run / "junit.xml").getroot()
    assert [cases.get(name) for name in ("tests", "failures", "errors")] == ["5", "0", "0"]
    page = (run / "report.html").read_text("utf-8")
    assert page.count('<figure class="tl">') == 3
    assert "run the same migration again" in page


def test_a_run_is_judged_again(run):
    """The exit code is that of the verdict; one that lacks a trial is not whole."""
    assert mdrill("replay", run).returncode == 0
    header = json.loads((run / "header.json").read_text("utf-8"))
    header["planned"].append("partial-failure/mysql/autocommit/session-killed-inside-2/other")
    (run / "header.json").write_text(json.dumps(header), "utf-8")
    done = mdrill("replay", run)
    assert (done.returncode, "ABORTED: 3 trials" in done.stdout) == (4, True)
    assert "1 never run" in done.stdout


def test_a_trial_is_told_event_by_event(run):
    """Each event on a line, and what came of it on the last."""
    trial = "partial-failure/mysql/autocommit/session-killed-after-1/retry-as-is"
    done = mdrill("replay", run, "--trial", trial)
    lines = done.stdout.splitlines()
    events = (run / trial.replace("/", ".") / "events.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(events) + 1
    assert lines[-1].startswith("CAUGHT: Recovery: step 'run the same migration again'")
    assert done.returncode == 0


def test_a_sweep_is_told_again_in_every_format(sweep):
    """With the grades that it had; it does not claim what nobody looked at then."""
    done = mdrill("report", sweep)
    assert done.returncode == 0, done.stderr
    assert "22 crash points of 1 migration" in done.stdout
    names = {"header.json", "sweep.jsonl", "sweep.json", "sweep.html", "sweep.md", "plan.md",
             "plan-evidence.md", "readiness.md", "junit.xml"}  # fmt: skip
    assert {path.name for path in sweep.iterdir()} == names
    told = json.loads((sweep / "sweep.json").read_text("utf-8"))
    assert told["grades"] == {"self-heals": 5, "needs-tool-repair": 17}
    assert (told["cells"], told["against"], told["unfinished"]) == (22, [], [])
    assert [(f["point"], f["grade"]) for f in told["findings"]] == [("way back", "inconclusive")]
    page = (sweep / "sweep.html").read_text("utf-8")
    assert "sent SIGKILL to the tool" in page
    assert "injector: injector" not in page
    readiness = (sweep / "readiness.md").read_text("utf-8")
    assert "- [ ] **Have I tested rollback locally?**" in readiness
    assert "- [ ] **Is rollback actually possible?" in readiness
    assert '- [x] **What\'s my "oh shit" plan?**' in readiness
    root = Xml.parse(sweep / "junit.xml").getroot()
    assert len(list(root.iter("failure"))) == 0
    assert [
        case.get("name") for case in root.iter("testcase") if case.find("error") is not None
    ] == ["way back [MySQL]"]


def test_a_sweep_is_judged_again(sweep):
    """Nothing counts against it, and where its way down leads is not known."""
    done = mdrill("replay", sweep)
    assert done.returncode == 3
    assert "not everything is known: 0 findings against it" in done.stdout


def test_a_sweep_is_compared_with_the_file_that_it_wrote_itself(sweep, tmp_path):
    """Then all that is not known was not known before."""
    mdrill("report", sweep)
    shutil.copy(sweep / "sweep.json", tmp_path / "baseline.json")
    header = json.loads((sweep / "header.json").read_text("utf-8"))
    header["sweep"]["baseline"] = str(tmp_path / "baseline.json")
    (sweep / "header.json").write_text(json.dumps(header), "utf-8")
    assert mdrill("replay", sweep).returncode == 0

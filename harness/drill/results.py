"""The values of ``trial.json`` and ``run.json``, folded from records. Pure."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.drill.verdict import EXIT_CODES, Verdict, judge, merge
from harness.errors import DrillError
from harness.record.timeline import Event


def of_trial(events: Sequence[Event], attempt: int = 1) -> dict[str, Any]:
    """A verdict with everything it was folded from (docs/record.md, trial.json)."""
    judgement = judge(events)
    cell = _data(events, "cell")
    server = _data(events, "facts")
    clock = _data(events, "clock")
    return {
        "id": cell.get("id", ""),
        "verdict": str(judgement.verdict),
        "counts_as": str(judgement.counts_as),
        "reason": judgement.reason,
        "sentence": judgement.sentence,
        "expected": str(judgement.expected),
        "as_expected": judgement.as_expected,
        "criteria": [{"name": g.name, "met": g.met, "says": g.says} for g in judgement.criteria],
        "rto": dict(judgement.rto),
        "rpo": dict(judgement.rpo),
        "cell": cell,
        "server": server,
        "failed_claims": list(judgement.failed_claims),
        "rerun": rerun_line(cell, server),
        "attempt": attempt,
        "started": clock.get("wall", ""),
        "took_ms": (events[-1].t_ns / 1e6) if events else 0.0,
    }


def _data(events: Sequence[Event], kind: str) -> dict[str, Any]:
    return next((dict(event.data) for event in events if event.kind == kind), {})


def rerun_line(cell: Mapping[str, Any], server: Mapping[str, Any]) -> str:
    """One shell line that runs this very trial again."""
    words = ["mdrill", "run"]
    if cell.get("own_file"):
        words.append(cell["own_file"])
    words += ["--only", cell.get("id", "").partition("@")[0]]
    if cell.get("engine"):
        words += ["--engine", cell["engine"]]
    if cell.get("seed") is not None:
        words += ["--trial-seed", str(cell["seed"])]
    if cell.get("rows"):
        words += ["--rows", str(cell["rows"])]
    if server.get("backend"):
        words += ["--backend", server["backend"]]
    if server.get("backend") == "docker":
        words += ["--image", f"{server['engine']}={server['image']}"]
    return shlex.join(words)


def of_run(header: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole run in the order it was planned; the last attempt of each trial counts."""
    order = {identity: n for n, identity in enumerate(header.get("planned", ()))}
    trials = sorted(trials, key=lambda t: (order.get(t["id"], len(order)), t["attempt"]))
    last = {trial["id"]: trial for trial in trials}
    verdict = merge(Verdict(trial["counts_as"]) for trial in last.values())
    servers = {
        (t["server"].get("engine"), t["server"].get("digest")): t["server"]
        for t in trials
        if t["server"]
    }
    unfinished = [i for i in header.get("planned", ()) if i not in last]
    interrupted = header.get("interrupted")
    if unfinished and verdict is not Verdict.FAIL:
        verdict = Verdict.ABORTED
    return {
        **header,
        "servers": list(servers.values()),
        "trials": trials,
        "unfinished": unfinished,
        "counts": dict(Counter(trial["verdict"] for trial in last.values())),
        "verdict": str(verdict),
        "exit_code": 128 + interrupted if interrupted else EXIT_CODES[verdict],
    }


def as_json(value: Mapping[str, Any]) -> str:
    """For a file that people may open."""
    return json.dumps(value, indent=1, default=str)


def exit_code_of(error: BaseException) -> int:
    """The exit code an exception stands for; 70 for one that nobody planned."""
    return error.exit_code if isinstance(error, DrillError) else 70

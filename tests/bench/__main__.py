"""``make bench``: our trial against a fresh container for each trial, in one interleaved run.

Prints medians with their quartiles and the ratio; writes ``reports/out/bench/<time>.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from harness import bundled, catalog, loading, plan, results
from harness.backends.docker import DockerBackend
from harness.lane import Lane
from harness.model import Drill, Trial
from harness.trial import TrialRun

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import naive  # noqa: E402 - a neighbour of this file, found once its folder is on the path

CELLS = {
    "session kill": "session-killed-after-1",
    "server kill": "server-killed-after-1",
}
ENGINES = ("postgres", "mysql")
SCENARIO = "2-partial-failure.yaml"


def main() -> int:
    """Run the rounds and tell; 0 if every trial came out as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    backend = DockerBackend("bench")
    problem = backend.available()
    if problem:
        print(f"bench: containers are what is compared, and there are none: {problem}")
        return 4
    lanes, setup = {}, {}
    try:
        for name in ENGINES:
            begun = time.monotonic()
            lanes[name] = Lane(backend, catalog.engine(name))
            for fault in CELLS.values():
                _ours(lanes[name], fault)  # prepares the template and the control run
            setup[name] = time.monotonic() - begun
        times = _measure(lanes, rounds)
    finally:
        for lane in lanes.values():
            lane.close()
    _tell(times, setup, lanes, rounds)
    return 0


def _measure(lanes: dict[str, Lane], rounds: int) -> dict[tuple[str, str], dict[str, list[float]]]:
    times: dict[tuple[str, str], dict[str, list[float]]] = {}
    for _ in range(rounds):
        for engine, lane in lanes.items():
            for cell, fault in CELLS.items():
                found = times.setdefault((engine, cell), {"naive": [], "ours": []})
                kill_server = cell == "server kill"
                image = lane.facts.image
                found["naive"].append(naive.trial(engine, image, lane, kill_server=kill_server))
                found["ours"].append(_ours(lane, fault))
                print(".", end="", flush=True)
    print()
    return times


def _ours(lane: Lane, fault: str) -> float:
    trial = _cell(lane.engine.name, fault)
    begun = time.monotonic()
    result = results.of_trial(TrialRun(trial, lane).run().events())
    took = time.monotonic() - begun
    if result["verdict"] != "PASS":
        raise SystemExit(f"bench: {trial.id} is {result['verdict']}: {result['sentence']}")
    return took


def _cell(engine: str, fault: str) -> Trial:
    story = loading.load_scenario(bundled.folder("scenarios") / SCENARIO)
    drill = Drill("bench", "bench", modes=("autocommit",), faults=(fault,), recoveries="first")
    return plan.make(drill, (story,), (catalog.engine(engine),), 1).trials[0]


def _tell(times: dict, setup: dict[str, float], lanes: dict[str, Lane], rounds: int) -> None:
    rows = []
    for (engine, cell), found in times.items():
        ratios = [n / o for n, o in zip(found["naive"], found["ours"], strict=True)]
        rows.append(
            {
                "engine": f"{lanes[engine].engine.title} {lanes[engine].facts.version}",
                "cell": cell,
                "naive_s": _spread(found["naive"]),
                "ours_s": _spread(found["ours"]),
                "ratio": _spread(ratios),
            }
        )
    print(f"{'engine':<32}{'cell':<14}{'fresh container':>18}{'mdrill':>12}{'ratio':>8}")
    for row in rows:
        print(
            f"{row['engine']:<32}{row['cell']:<14}{row['naive_s']['median']:>16.2f} s"
            f"{row['ours_s']['median']:>10.2f} s{row['ratio']['median']:>7.1f}x"
            f"   ({row['ratio']['least']:.1f} to {row['ratio']['most']:.1f})"
        )
    for engine, seconds in setup.items():
        title = lanes[engine].engine.title
        print(f"{title}: {seconds:.2f} s once, for the server, its templates and controls")
    record = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "cores": os.cpu_count(),
        "platform": platform.system(),
        "setup_s": setup,
        "rows": rows,
    }
    out = Path("reports/out/bench")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(f"wrote {path}")


def _spread(values: list[float]) -> dict[str, float]:
    quarters = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return {
        "median": statistics.median(values),
        "q1": quarters[0],
        "q3": quarters[2],
        "least": min(values),
        "most": max(values),
    }


if __name__ == "__main__":
    sys.exit(main())

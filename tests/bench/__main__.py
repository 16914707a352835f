"""``make bench``: our trials and sweeps against a fresh server for each, in one interleaved run.

Prints medians with their quartiles and the ratios; writes ``reports/out/bench/<time>.json``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import folders
import naive
import sweeps
import table
from fresh import FreshContainer, FreshProcess

from harness import bundled, loading
from harness.cli import selection
from harness.drill import plan, results
from harness.drill.drill_server import DrillServer
from harness.drill.trial import TrialRun
from harness.errors import DrillError
from harness.model import Drill, Scenario, Trial
from harness.ports import Backend, Engine
from harness.record.events import Phase
from harness.record.timeline import told

SCENARIO = "2-partial-failure.yaml"
CELLS = {"session kill": "session-killed-after-1", "server kill": "server-killed-after-1"}
OUT = Path("reports/out/bench")


@dataclass
class Cell:
    """One fault on one engine, every way of running it, and what each has taken so far."""

    lane: DrillServer
    name: str
    trial: Trial
    ways: dict[str, Callable[[], float]]
    times: dict[str, list[float]] = field(default_factory=dict)
    phases: list[dict[str, float]] = field(default_factory=list)

    def round(self, number: int) -> None:
        """Every way once; the order moves on from round to round."""
        ways = list(self.ways.items())
        first = number % len(ways)
        for way, run in ways[first:] + ways[:first]:
            self.times.setdefault(way, []).append(run())
            print(".", end="", file=sys.stderr, flush=True)

    def ours(self) -> float:
        """Seconds for our trial, judged; SystemExit unless it passes."""
        begun = time.monotonic()
        events = TrialRun(self.trial, self.lane).run().events()
        result = results.of_trial(events)
        took = time.monotonic() - begun
        if result.verdict != "PASS":
            raise SystemExit(f"bench: {self.trial.id}: {result.verdict}: {result.sentence}")
        ends = [event.what for event in told(events, Phase) if event.edge == "end"]
        self.phases.append({phase.phase: (phase.took_ns or 0) / 1e6 for phase in ends})
        return took

    def row(self) -> dict[str, Any]:
        times = {way: self.times[way] for way in self.ways}
        names = self.phases[0]
        return {
            "engine": self.lane.engine.title,
            "cell": self.name,
            "trial": self.trial.id,
            **table.compared(times),
            "phases_ms": {n: statistics.median(p[n] for p in self.phases) for n in names},
        }


def main() -> int:
    """Run the rounds and tell; 0 if every trial, of either side, came out as it should."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--engine", action="append", choices=("postgres", "mysql"))
    parser.add_argument("--backend", default="auto", choices=("auto", "docker", "local"))
    parser.add_argument("--only", choices=("trials", "sweeps", "folders", "flat"))
    parser.add_argument("--migrations", type=int, default=30, help="in the folder that is swept")
    asked = parser.parse_args()
    wanted = asked.engine or ["postgres", "mysql"]
    try:
        backend, why = selection.backend(asked.backend, "bench", wanted, {})
        engines, notes = selection.engines(wanted, backend, {}, asked=bool(asked.engine))
    except DrillError as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return problem.exit_code
    print("\n".join([why, *notes]))
    scenario = loading.load_scenario(bundled.folder("scenarios") / SCENARIO)
    if asked.only in (None, "trials"):
        _trials(engines, backend, scenario, asked.rounds)
    if asked.only in (None, "sweeps"):
        _sweeps(engines, backend, scenario, asked.rounds)
    if asked.only in (None, "folders"):
        _folders(engines, backend, asked.migrations, max(1, asked.rounds // 3))
    if asked.only in (None, "flat"):
        _flat(engines, backend, scenario)
    return 0


def _trials(engines: Sequence[Engine], backend: Backend, scenario: Scenario, rounds: int) -> None:
    with ExitStack() as lanes:
        once, cells = {}, []
        for engine in engines:
            begun = time.monotonic()
            lane = DrillServer(backend, engine)
            lanes.callback(lane.close)
            own = [_cell(lane, backend, scenario, name) for name in CELLS]
            own[0].ours()  # makes the template and the control run, which all trials share
            own[0].phases.clear()
            once[engine.title] = time.monotonic() - begun
            cells += own
        for number in range(rounds):
            for cell in cells:
                cell.round(number)
        print(file=sys.stderr)
        _tell(cells, once, rounds)


def _sweeps(engines: Sequence[Engine], backend: Backend, scenario: Scenario, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        benches = []
        for engine in engines:
            image = backend.image_here(engine.recipe) if backend.name == "docker" else ""
            folder = sweeps.written(scenario, engine, Path(place) / engine.name)
            ways = {
                way: partial(_naive, start, engine, scenario)
                for way, start in _fresh(engine, backend, image).items()
            }
            benches.append(sweeps.SweepBench(engine, backend, folder, ways))
        for _ in range(rounds):
            for bench in benches:
                bench.round()
                print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        rows = [row for bench in benches for row in bench.rows()]
        print("\n".join(table.lines(rows)))
        print(f"wrote {table.write(OUT, {'rounds': rounds, 'sweeps': rows})}")


def _naive(start: Callable[[], Any], engine: Engine, scenario: Scenario, server: bool) -> float:
    return naive.trial(start, engine, scenario, kill_server=server)


def _folders(engines: Sequence[Engine], backend: Backend, count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        every = []
        for engine in engines:
            (own := Path(place) / engine.name).mkdir()
            every += folders.benches(engine, backend, own, count)
        for _ in range(rounds):
            for bench in every:
                bench.round()
                print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        rows = [bench.row() for bench in every]
    print("\n".join(table.lines(rows)))
    print(f"wrote {table.write(OUT, {'rounds': rounds, 'migrations': count, 'folders': rows})}")


def _flat(engines: Sequence[Engine], backend: Backend, scenario: Scenario) -> None:
    found = {}
    for engine in engines:
        with tempfile.TemporaryDirectory() as place:
            found[engine.title] = sweeps.flat(engine, backend, scenario, Path(place))
        for name, value in found[engine.title].items():
            print(f"{engine.title:<12}{name:<28}{value:8.2f}")
    print(f"wrote {table.write(OUT, {'flat': found})}")


def _cell(lane: DrillServer, backend: Backend, scenario: Scenario, name: str) -> Cell:
    engine = lane.engine
    drill = Drill("bench", "bench", modes=("autocommit",), faults=(CELLS[name],))
    trial = plan.make(drill, (scenario,), (engine,), 1).trials[0]
    cell = Cell(lane, name, trial, {})
    for way, start in _fresh(engine, backend, lane.facts.image).items():
        kill_server = trial.fault.id == CELLS["server kill"]
        cell.ways[way] = partial(naive.trial, start, engine, scenario, kill_server=kill_server)
    cell.ways[table.OURS] = cell.ours
    return cell


def _fresh(engine: Engine, backend: Backend, image: str) -> dict[str, Callable[[], Any]]:
    """The ways to have a fresh server, by the name under which the table shows them."""
    if backend.name == "local":
        return {"fresh server": partial(FreshProcess, engine, backend)}
    ways = {"fresh container": partial(FreshContainer, engine, image, initialise=False)}
    if image == engine.recipe.stand_in:
        made = partial(FreshContainer, engine, image, initialise=True)
        ways["fresh container, initialises"] = made
    return ways


def _tell(cells: list[Cell], once: dict[str, float], rounds: int) -> None:
    rows = [cell.row() for cell in cells]
    servers = [vars(lane.facts) for lane in dict.fromkeys(cell.lane for cell in cells)]
    print("\n".join(table.lines(rows)))
    for title, seconds in once.items():
        print(f"{title}: besides, {seconds:.2f} s once for the server, template, control, 1 trial")
    print("phases of our trial, median ms:", *table.phases(rows), sep="\n")
    record = {"rounds": rounds, "servers": servers, "once_s": once, "cells": rows}
    print(f"wrote {table.write(OUT, record)}")


if __name__ == "__main__":
    sys.exit(main())

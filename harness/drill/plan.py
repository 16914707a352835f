"""A drill and its scenarios become trials. Pure: nothing runs here, and nothing is dropped.

A cell that cannot be had (this engine, this mode, this moment) becomes ``NotApplicable`` with
its reason, so that a report can show it.
"""

from __future__ import annotations

import fnmatch
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.errors import NothingSelected, Problem, ScenarioError
from harness.model import (
    Drill,
    Fault,
    NotApplicable,
    Procedure,
    Purpose,
    Scenario,
    Trial,
    words_of,
)
from harness.ports import Capability, Engine

CANNOT: Mapping[Capability, str] = {
    Capability.KILL: "a server of this backend cannot be killed and started again on its data",
    Capability.PAUSE: "a server of this backend cannot be frozen",
    Capability.TOOLS: "the engine's client programs cannot be run beside a server of this backend",
}


@dataclass(frozen=True)
class TrialPlan:
    """The trials to run, in order, and the cells that cannot be had."""

    trials: tuple[Trial, ...]
    not_applicable: tuple[NotApplicable, ...]


@dataclass(frozen=True)
class Cell:
    """One scenario on one engine in one mode with one fault, before a procedure is chosen."""

    scenario: Scenario
    engine: Engine
    mode: str
    fault: Fault
    can: frozenset[Capability]
    """What a server of the backend can do."""

    @property
    def id(self) -> str:
        return f"{self.scenario.id}/{self.engine.label}/{self.mode}/{self.fault.id}"

    @property
    def words(self) -> frozenset[str]:
        return words_of(self.engine.name, self.engine.traits, self.mode)


def make(
    drill: Drill,
    scenarios: Sequence[Scenario],
    engines: Sequence[Engine],
    seed: int,
    can: frozenset[Capability] = frozenset(Capability),
) -> TrialPlan:
    """Every trial of the drill. NothingSelected if that is none at all.

    ``can`` is what a server of the backend can do.
    """
    trials: list[Trial] = []
    missing: list[NotApplicable] = []
    for cell in _cells(drill, scenarios, engines, can):
        reason = _why_not(cell)
        if reason:
            missing.append(NotApplicable(cell.id, reason))
            continue
        for trial in _trials_of(cell, drill, missing):
            own_seed = seed ^ zlib.crc32(trial.id.encode())
            trials.append(
                replace(
                    trial,
                    seed=own_seed,
                    rows=drill.rows,
                    objectives=drill.objectives or cell.scenario.objectives,
                )
            )
    if drill.pick is not None:
        chosen = random.Random(seed).sample(range(len(trials)), min(drill.pick, len(trials)))
        trials = [trials[i] for i in sorted(chosen)]
    trials = [replace(t, round=n) for n in range(1, drill.repeat + 1) for t in trials]
    if not trials:
        raise NothingSelected(f"drill {drill.id!r} selects no trial")
    return TrialPlan(tuple(trials), tuple(missing))


def only(plan: TrialPlan, patterns: Sequence[str]) -> TrialPlan:
    """The trials whose id matches one of the shell patterns, or begins with it.

    A pattern that is itself the id of a trial selects that trial alone, in all its rounds.
    """
    if not patterns:
        return plan
    exact = {trial.id.partition("@")[0] for trial in plan.trials} & set(patterns)

    def wanted(identity: str) -> bool:
        return identity.partition("@")[0] in exact or any(
            fnmatch.fnmatch(identity, p) or identity.startswith(p)
            for p in patterns
            if p not in exact
        )

    trials = tuple(trial for trial in plan.trials if wanted(trial.id))
    if not trials:
        known = sorted({trial.id for trial in plan.trials})
        raise NothingSelected(
            f"no trial matches {', '.join(patterns)}; there are {len(known)}, for instance\n  "
            + "\n  ".join(known[:8])
        )
    return TrialPlan(trials, tuple(cell for cell in plan.not_applicable if wanted(cell.id)))


def shard(plan: TrialPlan, index: int, of: int) -> TrialPlan:
    """Every ``of``-th trial, beginning with the ``index``-th (from 1)."""
    trials = plan.trials[index - 1 :: of]
    if not trials:
        raise NothingSelected(f"shard {index}/{of} is empty: there are {len(plan.trials)} trials")
    return TrialPlan(trials, plan.not_applicable)


def _cells(
    drill: Drill,
    scenarios: Sequence[Scenario],
    engines: Sequence[Engine],
    can: frozenset[Capability],
) -> Iterator[Cell]:
    for engine in engines:
        for scenario in scenarios:
            for mode in scenario.migration.modes:
                for fault in scenario.faults:
                    if _chosen(drill.modes, mode) and _chosen(drill.faults, fault.id):
                        yield Cell(scenario, engine, mode, fault, can)


def _chosen(wanted: Iterable[str], name: str) -> bool:
    return any(word == "all" or fnmatch.fnmatch(name, word) for word in wanted)


def _why_not(cell: Cell) -> str:
    """One sentence on why the cell cannot be had; "" if it can."""
    fault, moment = cell.fault, cell.fault.at
    if not fault.scope.covers(cell.words, fault.id):
        return fault.because or f"the fault is for: {', '.join(fault.scope.where)}"
    needed = fault.kind.needs | ({Capability.TOOLS} if cell.scenario.given.backup else set())
    for lacking in sorted(needed - cell.can):
        return CANNOT[lacking]
    if cell.mode == "autocommit-off" and "transactional-ddl" in cell.engine.traits:
        return "without autocommit a driver sends BEGIN here, and that is one-transaction"
    last = len(cell.scenario.migration.statements)
    if cell.mode == "whole-file" and ((moment.before or 1) > 1 or (moment.after or last) < last):
        return "the whole file travels as one message, so there is no place between its statements"
    if not any(damage.scope.covers(cell.words, fault.id) for damage in cell.scenario.damage):
        raise ScenarioError(
            [
                Problem(
                    cell.scenario.file,
                    fault.line,
                    f"no damage is declared for {cell.id}: say under damage: what must be seen "
                    "broken there, or limit the fault with where:",
                )
            ]
        )
    return ""


def _trials_of(cell: Cell, drill: Drill, missing: list[NotApplicable]) -> Iterator[Trial]:
    def trial(purpose: Purpose, procedure: Procedure | None) -> Trial:
        return Trial(cell.scenario, cell.engine.label, cell.mode, cell.fault, procedure, purpose)

    def applicable(procedures: Iterable[Procedure]) -> Iterator[Procedure]:
        for procedure in procedures:
            if procedure.scope.covers(cell.words, cell.fault.id):
                yield procedure
            else:
                because = procedure.because or _scope_in_words(procedure)
                missing.append(NotApplicable(f"{cell.id}/{procedure.id}", because))

    recoveries = list(applicable(cell.scenario.recoveries))
    chosen = {"all": recoveries, "first": recoveries[:1], "none": []}[drill.recoveries]
    yield from (trial("recovery", procedure) for procedure in chosen)
    if drill.decoys == "all" or drill.teeth:
        yield from (trial("decoy", p) for p in applicable(cell.scenario.decoys))
    if drill.teeth:
        yield trial("nothing-done", None)
        yield trial("no-injection", recoveries[0] if recoveries else None)


def _scope_in_words(procedure: Procedure) -> str:
    parts = []
    if procedure.scope.where:
        parts.append(f"is for {', '.join(procedure.scope.where)}")
    if procedure.scope.faults:
        parts.append(f"is for the faults {', '.join(procedure.scope.faults)}")
    return f"{procedure.id} {' and '.join(parts)}"

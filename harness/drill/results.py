"""The values of ``trial.json`` and ``run.json``, folded from records. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.drill.judgement import (
    EXIT_CODES,
    Criterion,
    Losses,
    RecoveryTime,
    Verdict,
    merge,
)
from harness.drill.verdict import judge
from harness.errors import OF_A_SIGNAL
from harness.record import timeline
from harness.record.events import Cell, Clock, ServerUsed
from harness.record.run_folder import RunFolder, as_json
from harness.record.timeline import Event, first, structured

BY_HAND = "by-hand"
"""The procedure of a trial that a person repairs."""


@dataclass(frozen=True)
class TrialResult:
    """A verdict with everything it was folded from (docs/record.md, trial.json)."""

    id: str
    verdict: str
    outcome: str
    """What it is called: the verdict, or of a counter-check CAUGHT or NOT CAUGHT."""
    counts_as: str
    reason: str
    sentence: str
    expected: str
    as_expected: bool
    criteria: tuple[Criterion, ...]
    rto: RecoveryTime
    rpo: Losses
    cell: Cell
    server: ServerUsed
    failed_claims: tuple[str, ...]
    rerun: str
    attempt: int
    started: str
    took_ms: float

    @property
    def is_counter_check(self) -> bool:
        """Whether it tests the drill and not a recovery: decoy, nothing done, no injection."""
        return self.cell.purpose != "recovery"


@dataclass(frozen=True)
class Missing:
    """A cell that cannot be had, and why."""

    id: str = "?"
    because: str = ""


@dataclass(frozen=True)
class Host:
    """The machine that drilled."""

    cores: int | None = None
    platform: str = ""


@dataclass(frozen=True)
class RunHeader:
    """What is known of a run before its first trial (docs/record.md, header.json).

    ``took_ms`` and ``interrupted``, the number of a signal, are added at its end.
    """

    run: str = ""
    drill: str = ""
    title: str = ""
    teeth: bool = False
    started: str = ""
    version: str = ""
    backend: str = ""
    backend_because: str = ""
    notes: tuple[str, ...] = ()
    seed: int | None = None
    host: Host = field(default_factory=Host)
    command: str = ""
    planned: tuple[str, ...] = ()
    not_applicable: tuple[Missing, ...] = ()
    took_ms: float | None = None
    interrupted: int | None = None


@dataclass(frozen=True)
class RunResult(RunHeader):
    """A run with its verdict (docs/record.md, run.json)."""

    servers: tuple[ServerUsed, ...] = ()
    trials: tuple[TrialResult, ...] = ()
    """One for each attempt, in the order in which they were planned."""
    unfinished: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """By outcome; last attempts only."""
    verdict: str = "INCONCLUSIVE"
    exit_code: int = EXIT_CODES[Verdict.INCONCLUSIVE]

    def last_attempts(self) -> list[TrialResult]:
        """The one of each trial that counts, in order."""
        last: dict[str, TrialResult] = {}
        for trial in self.trials:
            last.pop(trial.id, None)
            last[trial.id] = trial
        return list(last.values())

    def earlier(self, trial: TrialResult) -> list[TrialResult]:
        """The attempts before."""
        return [t for t in self.trials if t.id == trial.id and t.attempt < trial.attempt]


def of_trial(events: Sequence[Event[Any]], attempt: int = 1) -> TrialResult:
    """Judge one trial by its events alone."""
    judgement = judge(events)
    cell, server = first(events, Cell) or Cell(), first(events, ServerUsed) or ServerUsed()
    return TrialResult(
        id=cell.id,
        verdict=str(judgement.verdict),
        outcome=judgement.outcome,
        counts_as=str(judgement.counts_as),
        reason=judgement.reason,
        sentence=judgement.sentence,
        expected=str(judgement.expected),
        as_expected=judgement.as_expected,
        criteria=judgement.criteria,
        rto=judgement.rto,
        rpo=judgement.rpo,
        cell=cell,
        server=server,
        failed_claims=judgement.failed_claims,
        rerun=rerun_line(cell, server),
        attempt=attempt,
        started=(first(events, Clock) or Clock()).wall,
        took_ms=events[-1].t_ns / 1e6 if events else 0.0,
    )


def rerun_line(cell: Cell, server: ServerUsed) -> str:
    """One shell line that runs this very trial again."""
    by_hand = cell.procedure == BY_HAND
    words = ["mdrill", "practice", cell.own_file or cell.scenario] if by_hand else ["mdrill", "run"]
    if cell.own_file and not by_hand:
        words.append(cell.own_file)
    identity = cell.id.partition("@")[0]
    words += ["--only", identity.rpartition("/")[0] if by_hand else identity]
    if cell.engine:
        words += ["--engine", cell.engine]
    if cell.seed is not None and not by_hand:
        words += ["--trial-seed", str(cell.seed)]
    if cell.rows:
        words += ["--rows", str(cell.rows)]
    if server.backend:
        words += ["--backend", server.backend]
    if server.backend == "docker":
        words += ["--image", f"{server.engine}={server.image}"]
    return shlex.join(words)


def of_run(header: RunHeader, trials: Iterable[TrialResult]) -> RunResult:
    """The whole run in the order it was planned; the last attempt of each trial counts."""
    order = {identity: n for n, identity in enumerate(header.planned)}
    in_order = tuple(sorted(trials, key=lambda t: (order.get(t.id, len(order)), t.attempt)))
    last = {trial.id: trial for trial in in_order}
    verdict = merge(Verdict(trial.counts_as) for trial in last.values())
    unfinished = tuple(identity for identity in header.planned if identity not in last)
    if unfinished and verdict is not Verdict.FAIL:
        verdict = Verdict.ABORTED
    stopped = header.interrupted
    used = [trial.server for trial in in_order if trial.server != ServerUsed()]
    return RunResult(
        **vars(header),
        servers=tuple({(server.engine, server.digest): server for server in used}.values()),
        trials=in_order,
        unfinished=unfinished,
        counts=dict(Counter(trial.outcome for trial in last.values())),
        verdict=str(verdict),
        exit_code=OF_A_SIGNAL + stopped if stopped else EXIT_CODES[verdict],
    )


def of_folder(folder: RunFolder) -> RunResult:
    """The run's result from the events alone, also when the run was killed."""
    header = structured(RunHeader, folder.header())
    trials = [of_trial(timeline.read(path), attempt) for path, attempt in folder.attempts()]
    return of_run(header, [trial for trial in trials if trial.id])


def to_json(result: TrialResult | RunResult) -> str:
    """The text of ``trial.json`` or ``run.json``."""
    return as_json(asdict(result))

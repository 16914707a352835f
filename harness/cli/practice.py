"""``mdrill practice``: the harness breaks it, a person repairs it, the harness judges."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.cli import selection
from harness.cli.explain import procedure
from harness.cli.running import (
    ONE_TRIAL,
    RunOptions,
    Site,
    choose_site,
    finish,
    open_record,
    with_options,
)
from harness.cli.signals import postponed
from harness.drill import plan, results, standing_claims
from harness.drill.ask import find
from harness.drill.drill_server import DrillServer
from harness.drill.procedure import follow
from harness.drill.trial import TrialRun
from harness.errors import DrillError, Interrupted
from harness.model import ATOMIC, Claim, Drill, Trial, words_of
from harness.ports import Address, Answer, Finding
from harness.record.run_folder import RunFolder, write_atomically

COMMANDS = "[c]heck my repair   [h]int   [s]ymptoms   [g]ive up"
RECENT_S = 2
NOT_REPAIRED = 1
FOUND_LIMIT = 160


@click.command(short_help="Repair a broken database by hand, on the clock.")
@click.argument("name", metavar="SCENARIO | FILE.yaml")
@with_options(*ONE_TRIAL)
def practice(name: str, options: RunOptions) -> int:
    """Run a scenario to its broken state and let a person repair it, on the clock.

    The exit code is 0 only if the person repaired it. Giving up, and the end of the input,
    show the recovery, run it, and end with 1.
    """
    begun = time.monotonic()
    drill, scenarios = selection.what((name,))
    site = choose_site(options.engine or drill.engines[:1], options)
    drill = replace(Drill("practice", f"Practice: {name}"), recoveries="first", rows=options.rows)
    seed = selection.seed(options.seed)
    every = plan.only(plan.make(drill, scenarios, site.engines, seed), options.only)
    trial = _chosen(every.trials, site)
    folder, header = open_record(site, drill, seed, plan.TrialPlan((trial,), ()), options)
    conversation = Conversation(trial, err=options.as_json)
    stopped: BaseException | None = None
    done: list[dict[str, Any]] = []
    try:
        _hold(conversation, site, folder, done)
    except BaseException as error:
        stopped = error
    with postponed():
        header["took_ms"] = (time.monotonic() - begun) * 1000
        code = finish(folder, header, done, stopped, options)
    conversation.farewell(done[-1])
    return code or (0 if conversation.repaired else NOT_REPAIRED)


def _chosen(trials: Sequence[Trial], site: Site) -> Trial:
    """The first trial in which something is left half done: there is more to learn from it.

    Its time is a person's, so no objective is set to it.
    """
    engines = {engine.name: engine for engine in site.engines}

    def leaves_nothing(trial: Trial) -> bool:
        return ATOMIC in words_of(trial.engine, engines[trial.engine].traits, trial.mode)

    chosen = sorted(trials, key=leaves_nothing)[0]
    return replace(chosen, objectives=replace(chosen.objectives, rto_s=None))


def _hold(
    conversation: Conversation, site: Site, folder: RunFolder, done: list[dict[str, Any]]
) -> None:
    """Run the trial with the person in the place of its procedure; its result joins ``done``."""
    trial = conversation.trial
    engine = next(engine for engine in site.engines if engine.name == trial.engine)
    conversation.tell("Preparing a server and breaking it; this takes a few seconds.")
    lane = DrillServer(site.backend, engine, site.images.get(engine.name))
    where = folder.trial_folder(trial.id)
    run = TrialRun(trial, lane, where, by_hand=conversation)
    try:
        run.run()
    finally:
        lane.close()
        result = results.of_trial(run.timeline.events())
        done.append(result)
        write_atomically(where / "trial.json", results.as_json(result))


class Conversation:
    """What is said and asked while a person repairs; called in place of the procedure."""

    def __init__(self, trial: Trial, err: bool = False) -> None:
        """``err`` keeps stdout free for what a program reads."""
        self.trial = trial
        self.repaired = False
        self.took_s = 0.0
        self.tell = partial(click.echo, err=err)
        self._hints = list(trial.scenario.hints)
        self._begun = 0.0

    def __call__(self, run: TrialRun) -> None:
        self._begun = time.monotonic()
        self._symptoms(run)
        while True:
            word = self._ask()
            if word is None or word.startswith("g"):
                return self._give_up(run)
            if word.startswith("c"):
                if self._check(run):
                    return self._note_repair(run)
            elif word.startswith("h"):
                self.tell(self._hints.pop(0) if self._hints else "There are no more hints.")
            elif word.startswith("s"):
                self._symptoms(run)

    def farewell(self, result: dict[str, Any]) -> None:
        """The last words: how long it took, and whether it is right."""
        if not self.repaired:
            self.tell(f"Not repaired by hand; given up after {self.took_s:.0f} s.")
        elif result["verdict"] == "PASS":
            self.tell(f"Repaired by hand in {self.took_s:.0f} s.")
        else:
            self.tell(f"Checked after {self.took_s:.0f} s, and still wrong: {result['sentence']}")

    def _ask(self) -> str | None:
        """The next command in lower case; None at the end of the input."""
        self.tell(f"\n{COMMANDS}")
        self.tell("> ", nl=False)
        line = sys.stdin.readline()
        if not line:
            self.tell("(end of input)")
            return None
        return line.strip().lower()

    def _symptoms(self, run: TrialRun) -> None:
        scenario = self.trial.scenario
        story = " ".join((scenario.symptoms or scenario.story).split())
        self.tell(f"\n{scenario.title}\n\n{story}")
        for line in _pulse(run):
            self.tell(line)
        self.tell("\nConnect in another terminal with\n")
        for line in _client_lines(run):
            self.tell(f"  {line}")

    def _check(self, run: TrialRun) -> bool:
        """Ask every claim that the verdict will ask; tell which of them do not hold yet."""
        wrong = 0
        for claim in _claims(run):
            finding = _find(run, claim)
            held = finding.answer is Answer.HELD
            wrong += not held
            says = "" if held else f": found {finding.found}, wanted {finding.wanted}"
            self.tell(f"  {'✓' if held else '✗'} {claim.name}{says[:FOUND_LIMIT]}")
        waited = time.monotonic() - self._begun
        self.tell(f"{wrong} not right yet, after {waited:.0f} s." if wrong else "All is right.")
        return wrong == 0

    def _note_repair(self, run: TrialRun) -> None:
        self.repaired, self.took_s = True, time.monotonic() - self._begun
        with run.timeline.span("recovery", "step", n=1, name="by hand", verb="by-hand") as found:
            found["did"] = f"a person repaired it in {self.took_s:.0f} s"
        run.timeline.add("recovery", "repaired-by-hand", took_s=self.took_s)

    def _give_up(self, run: TrialRun) -> None:
        self.took_s = time.monotonic() - self._begun
        self.tell("This would have been the recovery, and it is run now:\n")
        self.tell(procedure(self.trial.procedure))
        run.timeline.add("recovery", "given-up", took_s=self.took_s)
        follow(self.trial.procedure, run.target, run.words, self.trial.fault.id)


def _claims(run: TrialRun) -> Iterator[Claim]:
    """What will be verified at the end, in the same words."""
    scenario = run.trial.scenario
    ledger = [standing_claims.LEDGER] if scenario.app and scenario.app.ledger else []
    for claim in (*scenario.verify, *ledger, *standing_claims.afterwards(scenario, run.left_alone)):
        if claim.scope.covers(run.words, run.trial.fault.id):
            yield claim


def _find(run: TrialRun, claim: Claim) -> Finding:
    """The claim's finding; while the person has the server down, it cannot be answered."""
    try:
        return find(run.target, claim)
    except Interrupted:
        raise
    except DrillError as error:
        return Finding(Answer.UNANSWERABLE, str(error), "an answer")


def _pulse(run: TrialRun) -> Iterator[str]:
    """How the application fares at this moment."""
    if run.target.app is None:
        return
    now = run.timeline.now_ns()
    seen = run.target.app.traffic(max(0, now - RECENT_S * 1_000_000_000))
    yield (
        f"\nThe application in the last {RECENT_S} s: {seen.ok} operations went through, "
        f"{seen.errors} failed, {seen.waiting} are waiting"
        + (f" (the longest for {seen.longest_wait_ms / 1000:.1f} s)." if seen.waiting else ".")
    )
    if seen.first_error:
        yield f"Its log says: {seen.first_error}"


def _client_lines(run: TrialRun) -> Iterator[str]:
    """How a person connects, with a client that is there."""
    server, connector = run.lane.server, run.engine.connector
    address, database = server.address(), run.target.database
    line = connector.client_line(address, database)
    program = next(word for word in shlex.split(line) if "=" not in word)
    beside = Path(server.facts.image).with_name(program)
    container = getattr(server, "container_id", "")
    if shutil.which(program):
        yield line
    elif beside.is_absolute() and beside.exists():
        yield line.replace(f" {program} ", f" {shlex.quote(str(beside))} ", 1)
    elif container:
        inside = Address(address.host, run.engine.recipe.port, address.user, address.password)
        yield f"docker exec -it {container[:12]} env {connector.client_line(inside, database)}"
    else:
        yield f"{line}    (the program {program} is not on this machine)"

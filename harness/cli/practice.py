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
from harness.drill import plan, results
from harness.drill.drill_server import DrillServer
from harness.drill.handwork import Handwork
from harness.drill.judgement import GAVE_UP
from harness.drill.results import TrialResult
from harness.drill.trial import TrialRun
from harness.model import ATOMIC, Drill, Procedure, Trial, words_of
from harness.ports import Address, Answer
from harness.record.run_folder import RunFolder, write_atomically

COMMANDS = "[c]heck my repair   [h]int   [s]ymptoms   [g]ive up"
RECENT_S = 2
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
    every = plan.only(
        plan.make(drill, scenarios, site.engines, seed, site.backend.capabilities), options.only
    )
    trial, recovery = _by_hand(_chosen(every.trials, site))
    folder, header = open_record(site, drill, seed, plan.TrialPlan((trial,), ()), options)
    conversation = Conversation(trial, recovery, err=options.as_json)
    stopped: BaseException | None = None
    done: list[TrialResult] = []
    try:
        _hold(conversation, site, folder, done)
    except BaseException as error:
        stopped = error
    with postponed():
        header = replace(header, took_ms=(time.monotonic() - begun) * 1000)
        code = finish(folder, header, done, stopped, options)
    conversation.farewell(done[-1])
    return code


def _chosen(trials: Sequence[Trial], site: Site) -> Trial:
    """The first trial in which something is left half done: there is more to learn from it.

    Its time is a person's, so no objective is set to it.
    """
    engines = {engine.label: engine for engine in site.engines}

    def leaves_nothing(trial: Trial) -> bool:
        engine = engines[trial.engine]
        return ATOMIC in words_of(engine.name, engine.traits, trial.mode)

    chosen = sorted(trials, key=leaves_nothing)[0]
    return replace(chosen, objectives=replace(chosen.objectives, rto_s=None))


def _by_hand(trial: Trial) -> tuple[Trial, Procedure]:
    """The trial with a person in the place of its procedure, and that procedure."""
    assert trial.procedure is not None
    nobody = Procedure(results.BY_HAND, (), title="A person, by hand")
    return replace(trial, procedure=nobody), trial.procedure


def _hold(
    conversation: Conversation, site: Site, folder: RunFolder, done: list[TrialResult]
) -> None:
    """Run the trial with the person in the place of its procedure; its result joins ``done``."""
    trial = conversation.trial
    engine = next(engine for engine in site.engines if engine.label == trial.engine)
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
        write_atomically(where / "trial.json", results.to_json(result))


class Conversation:
    """What is said and asked while a person repairs; called in place of the procedure."""

    def __init__(self, trial: Trial, recovery: Procedure, err: bool = False) -> None:
        """``err`` keeps stdout free for what a program reads."""
        self.trial = trial
        self.tell = partial(click.echo, err=err)
        self._recovery = recovery
        self._hints = list(trial.scenario.hints)
        self._took_s = 0.0

    def __call__(self, run: TrialRun) -> None:
        handwork = Handwork(run)
        self._symptoms(run)
        try:
            while True:
                word = self._ask()
                if word is None or word.startswith("g"):
                    return self._give_up(handwork)
                if word.startswith("c"):
                    if self._check(handwork):
                        return handwork.repaired()
                elif word.startswith("h"):
                    self._hint(handwork)
                elif word.startswith("s"):
                    self._symptoms(run)
        finally:
            self._took_s = handwork.took_s

    def farewell(self, result: TrialResult) -> None:
        """The last words: how long it took, and whether it is right."""
        if result.verdict == "PASS":
            self.tell(f"Repaired by hand in {self._took_s:.0f} s.")
        elif result.reason == GAVE_UP:
            self.tell(f"Not repaired by hand; given up after {self._took_s:.0f} s.")
        else:
            self.tell(f"Checked after {self._took_s:.0f} s, and still wrong: {result.sentence}")

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

    def _hint(self, handwork: Handwork) -> None:
        if not self._hints:
            self.tell("There are no more hints.")
            return
        text = self._hints.pop(0)
        handwork.hint(text)
        self.tell(text)

    def _check(self, handwork: Handwork) -> bool:
        """Tell which of the claims do not hold yet."""
        found = handwork.check()
        for claim, finding in found:
            held = finding.answer is Answer.HELD
            says = "" if held else f": found {finding.found}, wanted {finding.wanted}"
            self.tell(f"  {'✓' if held else '✗'} {claim.name}{says[:FOUND_LIMIT]}")
        wrong = sum(finding.answer is not Answer.HELD for _, finding in found)
        waited = f"after {handwork.took_s:.0f} s"
        self.tell(f"{wrong} not right yet, {waited}." if wrong else "All is right.")
        return wrong == 0

    def _give_up(self, handwork: Handwork) -> None:
        self.tell("This would have been the recovery, and it is run now:\n")
        self.tell(procedure(self._recovery))
        handwork.give_up(self._recovery)


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

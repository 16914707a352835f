"""``mdrill practice``: the harness breaks it, a person repairs it, the harness judges."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from harness import plan, results
from harness.cli import choosing
from harness.cli.prose import procedure
from harness.cli.rendering import render_all
from harness.cli.running import Options, with_options
from harness.lane import Lane
from harness.model import Drill, Trial
from harness.ports import Answer
from harness.procedure import follow
from harness.questions import find
from harness.reporting import terminal
from harness.store import RunFolder, new_run_id, write_atomically
from harness.trial import TrialRun

COMMANDS = "[c]heck  [h]int  [s]ymptoms  [g]ive up"


@click.command()
@click.argument("name", metavar="SCENARIO | FILE.yaml")
@with_options
def practice(name: str, options: Options) -> int:
    """Run a scenario to its broken state and let a person repair it, on the clock."""
    drill, scenarios = choosing.what((name,))
    run_id = new_run_id()
    backend, why = choosing.backend(options.backend, run_id)
    choosing.say(why)
    engines, notes = choosing.engines(options.engine or drill.engines[:1], backend)
    for note in notes:
        choosing.say(note)
    first = replace(Drill("practice", f"Practice: {name}"), recoveries="first")
    seed = choosing.seed(options.seed)
    planned = plan.only(plan.make(first, scenarios, engines[:1], seed), options.only)
    trial = planned.trials[0]
    folder = RunFolder.create(choosing.out_folder(options.out), run_id)
    header = {
        "run": run_id,
        "drill": "practice",
        "title": first.title,
        "backend": backend.name,
        "seed": seed,
        "planned": [trial.id],
        "not_applicable": [],
        "command": f"mdrill practice {name}",
    }
    folder.write_header(header)
    lane = Lane(backend, engines[0], choosing.images(options.image).get(engines[0].name))
    try:
        run = TrialRun(trial, lane, folder.trial_folder(trial.id), by_hand=_Session(trial, lane))
        result = results.of_trial(run.run().events())
    finally:
        lane.close()
    write_atomically(folder.trial_folder(trial.id) / "trial.json", results.as_json(result))
    whole = results.of_run(header, [result])
    render_all(folder, whole, options.junit)
    click.echo(terminal.text(whole))
    return whole["exit_code"]


class _Session:
    """The conversation with the person, in place of the procedure."""

    def __init__(self, trial: Trial, lane: Lane) -> None:
        self.trial = trial
        self.lane = lane
        self.hints = list(trial.scenario.hints)

    def __call__(self, run: TrialRun) -> None:
        begun = time.monotonic()
        self._symptoms(run)
        while True:
            click.echo(f"\n{COMMANDS}")
            word = click.prompt("", prompt_suffix="> ", default="c", show_default=False).strip()
            if word.startswith("c") and self._repaired(run):
                click.echo(f"Repaired after {time.monotonic() - begun:.0f} s.")
                run.timeline.add("recovery", "repaired-by-hand", took_s=time.monotonic() - begun)
                return
            if word.startswith("h"):
                click.echo(self.hints.pop(0) if self.hints else "There are no more hints.")
            elif word.startswith("s"):
                self._symptoms(run)
            elif word.startswith("g"):
                click.echo(f"Given up after {time.monotonic() - begun:.0f} s. The recovery:\n")
                click.echo(procedure(self.trial.procedure))
                run.timeline.add("recovery", "given-up", took_s=time.monotonic() - begun)
                follow(self.trial.procedure, run.target, run.words, self.trial.fault.id)
                return

    def _symptoms(self, run: TrialRun) -> None:
        scenario, database = self.trial.scenario, run.target.database
        click.echo(f"\n{scenario.title}\n{scenario.symptoms or scenario.story}\n")
        click.echo("Connect in another terminal with")
        click.echo(f"  {self.lane.engine.connector.client_line(self._address(), database)}")

    def _address(self):
        return self.lane.server.address()

    def _repaired(self, run: TrialRun) -> bool:
        """Ask every verify claim; tell what is still wrong."""
        scenario, wrong = self.trial.scenario, 0
        for claim in scenario.verify:
            if not claim.scope.covers(run.words, self.trial.fault.id):
                continue
            finding = find(run.target, claim)
            held = finding.answer is Answer.HELD
            wrong += not held
            click.echo(f"  {'✓' if held else '✗'} {claim.name}: found {finding.found}")
        return wrong == 0

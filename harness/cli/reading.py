"""Commands that run nothing: ``list``, ``explain``, ``validate``, ``schema``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness import bundled, loading, registry
from harness.cli import selection, sweep_selection
from harness.cli.explain import explanation
from harness.drill import plan
from harness.errors import Problem, ScenarioError
from harness.model import Drill


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@click.option("--trials", is_flag=True, help="Every trial's id, for --only.")
@click.option("--tools", is_flag=True, help="The migration tools that a sweep knows.")
def list_(as_json: bool, trials: bool, tools: bool) -> int:
    """The drills and the scenarios."""
    if tools:
        return _list_tools(as_json)
    scenarios, drills = selection.scenarios(), selection.drills()
    if trials:
        everything = Drill("all", "all", engines=tuple(registry.engines()), teeth=True)
        made = plan.make(everything, scenarios, tuple(registry.engines().values()), 0)
        for trial in made.trials:
            click.echo(trial.id)
        return 0
    if as_json:
        value = {
            "drills": [{"id": d.id, "title": d.title} for d in drills],
            "scenarios": [{"id": s.id, "title": s.title, "source": s.source} for s in scenarios],
        }
        click.echo(json.dumps(value, indent=1))
        return 0
    width = max(map(len, [*(drill.id for drill in drills), *(story.id for story in scenarios)]))
    click.echo("Drills (mdrill run NAME)")
    for drill in drills:
        click.echo(f"  {drill.id:<{width}} {drill.title}")
    click.echo("\nScenarios (mdrill run NAME, mdrill practice NAME, mdrill explain NAME)")
    for scenario in scenarios:
        click.echo(f"  {scenario.id:<{width}} {scenario.title}")
    return 0


def _list_tools(as_json: bool) -> int:
    """The migration tools: what each reads, where it works, and whether it can be run here."""
    here = Path.cwd()
    known = [
        (tool, tool.how == "emulated" or bool(sweep_selection.program(tool.program, here)))
        for tool in loading.our_tools().values()
    ]
    if as_json:
        kept = ("id", "title", "how", "layouts", "engines")
        told = [{**{k: getattr(tool, k) for k in kept}, "here": is_here} for tool, is_here in known]
        click.echo(json.dumps(told, indent=1))
        return 0
    click.echo("Migration tools (mdrill sweep FOLDER --tool NAME, or --tool FILE.yaml)")
    for tool, is_here in known:
        how = "what it sends" if tool.how == "emulated" else "the program"
        missing = "" if is_here else ", which is not on PATH"
        click.echo(f"  {tool.id:<24} {', '.join(tool.engines)} · {how}{missing}")
    return 0


@click.command(short_help="Tell a scenario in prose, commands included.")
@click.argument("name", metavar="SCENARIO | FILE.yaml")
def explain(name: str) -> int:
    """A scenario in prose: its story, what strikes, what is done, what PASS will mean."""
    _, scenarios = selection.what((name,))
    for scenario in scenarios:
        click.echo(explanation(scenario))
    return 0


@click.command(short_help="Check scenario files; all problems at once.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> int:
    """Check scenario files (default: ours) and tell all problems at once. Needs no server."""
    problems: list[Problem] = []
    count = 0
    paths = files or tuple(sorted(bundled.folder("scenarios").glob("*.yaml")))
    for path in paths:
        try:
            scenario = loading.load_scenario(path)
            everything = Drill(scenario.id, "", engines=tuple(registry.engines()), teeth=True)
            made = plan.make(everything, (scenario,), tuple(registry.engines().values()), 0)
            click.echo(f"{path}: valid, {len(made.trials)} trials")
            count += 1
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    click.echo(f"{count} valid")
    return 0


@click.command()
@click.option("--write", is_flag=True, help="Write scenarios/scenario.schema.json.")
def schema(write: bool) -> int:
    """The JSON Schema of scenario files, for editors."""
    text = json.dumps(loading.schema(), indent=2) + "\n"
    if write:
        path = bundled.folder("scenarios") / "scenario.schema.json"
        path.write_text(text, encoding="utf-8")
        click.echo(f"wrote {path}")
    else:
        click.echo(text, nl=False)
    return 0

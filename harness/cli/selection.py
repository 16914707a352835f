"""What the arguments mean: which scenarios, which drill, which backend, which engines."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from harness import bundled, loading, registry
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.cli import versions
from harness.errors import EnvironmentProblem, UsageError
from harness.model import Drill, Scenario
from harness.ports import Backend, Engine

FAMILY = {"mysql": "mariadb"}
"""Who stands in, under its own name, for an engine of ours that nobody asked for by name."""


def scenarios(folder: Path | None = None) -> tuple[Scenario, ...]:
    """Every scenario of a folder, or of ours."""
    return loading.load_all(folder or bundled.folder("scenarios"))


def drills() -> tuple[Drill, ...]:
    """Every drill of ours."""
    return loading.load_drills(bundled.folder("drills"))


def what(names: Sequence[str]) -> tuple[Drill, tuple[Scenario, ...]]:
    """A drill and the scenarios it may choose from.

    A name is a drill, a scenario, or a YAML file of a scenario; several scenarios may be named
    together. UsageError lists what there is.
    """
    known_drills = {drill.id: drill for drill in drills()}
    if not names:
        names = ("quick",)
    if len(names) == 1 and names[0] in known_drills:
        drill = known_drills[names[0]]
        return drill, _of_drill(drill)
    chosen = tuple(_scenario(name, known_drills) for name in names)
    return Drill("chosen", "Chosen on the command line"), chosen


def _of_drill(drill: Drill) -> tuple[Scenario, ...]:
    known = {scenario.id: scenario for scenario in scenarios()}
    if "all" in drill.scenarios:
        return tuple(known.values())
    for name in drill.scenarios:
        if name not in known:
            raise UsageError(f"{drill.file}: " + registry.unknown("scenario", name, known))
    return tuple(known[name] for name in drill.scenarios)


def _scenario(name: str, known_drills: dict[str, Drill]) -> Scenario:
    if name.endswith((".yaml", ".yml")) or os.sep in name:
        return loading.load_scenario(Path(name))
    known = {scenario.id: scenario for scenario in scenarios()}
    if name not in known:
        raise UsageError(registry.unknown("drill or scenario", name, {**known, **known_drills}))
    return known[name]


def backend(
    name: str, run_id: str, wanted: Sequence[str], images: Mapping[str, str]
) -> tuple[Backend, str]:
    """The backend and one line on why it.

    ``auto`` takes Docker if its daemon answers and an image of every wanted engine is there or
    can be pulled, else local processes. A name may have a version: ``postgres:17``. ``images`` are
    those asked for by name; only Docker can run them.
    """
    docker, local = DockerBackend(run_id), LocalBackend(run_id)
    if name == "local":
        return local, "backend: local processes (asked for)"
    problem = docker.available()
    if name == "docker" or images:
        if problem:
            move = "start Docker, or use --backend local" + (" without --image" if images else "")
            raise EnvironmentProblem(f"{problem}; {move}")
        return docker, f"backend: docker ({'asked for' if name == 'docker' else 'for --image'})"
    if problem is None:
        recipes = (registry.engine(name).recipe for name in wanted)
        problem = next(filter(None, map(docker.cannot_run, recipes)), None)
    if problem is None:
        return docker, "backend: docker (its daemon answers and every image can be had)"
    return local, f"backend: local processes ({problem})"


def engines(
    names: Sequence[str], chosen: Backend, images: Mapping[str, str], *, asked: bool
) -> tuple[tuple[Engine, ...], list[str]]:
    """The engines to run, and a line for each that another of its family stands in for.

    What a person ``asked`` for by name is run or refused: EnvironmentProblem with the next move. An
    engine with an image of its own in ``images`` is taken as it is.
    """
    found: dict[str, Engine] = {}
    notes = []
    for name in names:
        engine = registry.engine(name)
        problem = None if engine.name in images else chosen.cannot_run(engine.recipe)
        if problem and engine.recipe.asked:
            there = versions.in_words(versions.of(engine))
            raise EnvironmentProblem(
                f"{engine.label} cannot be had: {problem}. There are: {there}; and, where a "
                f"registry answers, official images (`docker pull {engine.recipe.image}`)"
            )
        if problem and engine.name in FAMILY:
            kin = registry.engine(FAMILY[engine.name])
            if chosen.cannot_run(kin.recipe) is None:
                if asked:
                    raise EnvironmentProblem(
                        f"{problem}. {kin.title} is here and is another engine: to run on it, "
                        f"name it (--engine {kin.name})"
                    )
                notes.append(f"{problem}; running {kin.title} in its place, under its own name")
                engine, problem = kin, None
        if problem:
            raise EnvironmentProblem(problem)
        found[engine.label] = engine
    return tuple(found.values()), notes


def named(words: Sequence[str]) -> tuple[str, ...]:
    """The engines of ``--engine postgres:15,postgres:17 --engine mariadb``, each once."""
    found = [name.strip() for word in words for name in word.split(",")]
    return tuple(dict.fromkeys(filter(None, found)))


def images(pairs: Sequence[str]) -> dict[str, str]:
    """``--image postgres=postgres:17`` as a mapping by engine."""
    found = {}
    for pair in pairs:
        engine, equals, image = pair.partition("=")
        if not equals or not image:
            raise UsageError(f"--image wants ENGINE=IMAGE, found {pair!r}")
        registry.engine(engine)
        found[engine] = image
    return found


def seed(given: int | None) -> int:
    """The seed of every choice in a run; drawn and told when none is given."""
    return given if given is not None else secrets.randbelow(2**31)


def out_folder(given: Path | None) -> Path:
    """Where run folders go: ``reports/out`` in a checkout, else ``mdrill-out``."""
    if given is not None:
        return given
    beside = bundled.folder("templates").parent
    return beside / "out" if beside.name == "reports" else Path("mdrill-out")


def shard(text: str | None) -> tuple[int, int] | None:
    """``2/5`` as (2, 5)."""
    if text is None:
        return None
    index, slash, of = text.partition("/")
    if not (slash and index.isdigit() and of.isdigit() and 1 <= int(index) <= int(of)):
        raise UsageError(f"--shard wants i/n with 1 <= i <= n, found {text!r}")
    return int(index), int(of)


def say(line: str) -> None:
    """A line for the person, on stderr, so that stdout stays what a program reads."""
    click.echo(line, err=True)

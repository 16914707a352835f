"""YAML files become scenarios and drills; all problems are told at once, each with its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness import bundled
from harness.errors import Problem, ScenarioError
from harness.loading import alerts, checks, shapes, tool_checks, yaml_nodes
from harness.loading.decode import Decoder, ms_of
from harness.loading.schema import schema
from harness.loading.shapes import Invalid
from harness.model import Drill, Scenario
from harness.tools.adapter import Adapter

__all__ = [
    "load_all",
    "load_drill",
    "load_drills",
    "load_scenario",
    "load_tool",
    "ms_of",
    "our_tools",
    "schema",
]

Check = Callable[[yaml_nodes.Mapping, checks.Complain], None]
NUMBER = re.compile(r"(\d+)[-_]")


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file; its id is the file's name. ScenarioError with all problems."""
    made: Scenario = _load(path, shapes.SCENARIO, checks.scenario, sha256=True)
    return alerts.spread(made)


def load_drill(path: Path) -> Drill:
    """The drill in a file; its id is the file's name. ScenarioError with all problems."""
    made: Drill = _load(path, shapes.DRILL, checks.drill)
    return made


def load_tool(path: Path) -> Adapter:
    """The migration tool in a file; its id is the file's name. ScenarioError with all problems."""
    made: Adapter = _load(path, shapes.TOOL, tool_checks.tool)
    return made


def load_all(folder: Path) -> tuple[Scenario, ...]:
    """Every scenario of a folder in the order of their numbers; one error for all files."""
    return _load_folder(folder, load_scenario)


def load_drills(folder: Path) -> tuple[Drill, ...]:
    """Every drill of a folder; one error for all files."""
    return _load_folder(folder, load_drill)


@cache
def our_tools() -> Mapping[str, Adapter]:
    """Every migration tool that comes with the project, by its id."""
    return {
        tool.id: tool for tool in _load_folder(bundled.PACKAGE / "tools" / "adapters", load_tool)
    }


def id_of(path: Path) -> str:
    """A file's name without its leading number and its extension."""
    return NUMBER.sub("", path.stem, count=1) if NUMBER.match(path.stem) else path.stem


def _load_folder(folder: Path, load: Callable[[Path], Any]) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for path in sorted((p for p in folder.iterdir() if p.suffix in (".yaml", ".yml")), key=_order):
        try:
            item = load(path)
        except ScenarioError as error:
            problems.extend(error.problems)
            continue
        if item.id in found:
            message = f"found the id '{item.id}' again; {found[item.id].file} has it already"
            problems.append(Problem(str(path), 1, message))
        found[item.id] = item
    if problems:
        raise ScenarioError(problems)
    return tuple(found.values())


def _order(path: Path) -> tuple[int, str]:
    number = NUMBER.match(path.stem)
    return (int(number[1]) if number else 10**9, path.name)


def _load(path: Path, shape: shapes.Shape, check: Check, *, sha256: bool = False) -> Any:
    file = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ScenarioError([Problem(file, 1, f"cannot be read: {error.strerror}")]) from error
    root, problems = yaml_nodes.parse(raw, file)
    decoder = Decoder(file)
    decoder.problems = [*problems, *checks.file_id(id_of(path), file)]
    made: Any = None
    if isinstance(root, yaml_nodes.Mapping):
        more = {"id": id_of(path), "file": file}
        if sha256:
            more["sha256"] = hashlib.sha256(raw).hexdigest()
        made = decoder.record(root, shape, **more)
        check(root, decoder.complain)
    elif not problems:
        found = yaml_nodes.describe(root) if root else "an empty file"
        decoder.complain(1, f"found {found}, wanted a mapping of a {shape.name}")
    if decoder.problems:
        raise ScenarioError(sorted(decoder.problems, key=lambda problem: problem.line))
    if made is None or isinstance(made, Invalid):
        raise AssertionError(f"{file} was refused without a word")
    return made

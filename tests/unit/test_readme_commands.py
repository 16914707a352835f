"""What the documents tell a reader to type exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from harness.cli import mdrill, selection

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "scenarios/README.md")
FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
YAML_RUN = re.compile(r"^\s*- run: (.*)$", re.MULTILINE)
INLINE = re.compile(r"`((?:mdrill|make) [^`]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
GOALS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def lines() -> list[tuple[str, str]]:
    """Every command of every document, with the document's name."""
    found = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        blocks = "\n".join(FENCE.findall(text)).splitlines()
        said = [*blocks, *YAML_RUN.findall(text), *INLINE.findall(text)]
        found += [(name, line) for line in dict.fromkeys(said) if line.strip()]
    return found


def wrong_with(line: str) -> str:
    """What a reader who types this line would stumble over; "" if nothing."""
    words = [word for word in shlex.split(line) if word != "…"]
    if words[0] == "uvx":
        words = words[1:]
    if words[0] == "make":
        return "" if set(words[1:]) <= GOALS else f"make knows no {words[1:]}"
    if words[0] == "pip":
        return "" if words[1:] == ["install", "migration-drill"] else "it installs something else"
    if words[0] not in ("mdrill", "migration-drill"):
        return f"{words[0]} is no command of ours"
    return wrong_with_arguments(words[1:])


def wrong_with_arguments(words: list[str]) -> str:
    """The same for what stands after ``mdrill``: command, options, names of drills and stories."""
    words = [word.partition("|")[0] for word in words]
    command: click.Command = mdrill
    while isinstance(command, click.Group):
        if not words:
            return "" if command.invoke_without_command else "a command is missing"
        name = words.pop(0)
        if name not in command.commands:
            return f"there is no command {name}"
        command = command.commands[name]
    try:
        context = command.make_context(command.name, words)
    except click.UsageError as error:
        return error.format_message()
    return wrong_names(context.params)


def wrong_names(arguments: dict) -> str:
    """Names of drills and scenarios that do not exist; files and placeholders may be anybody's."""
    given = arguments.get("names") or (arguments.get("name"),)
    known = {drill.id for drill in selection.drills()}
    known |= {scenario.id for scenario in selection.scenarios()}
    unknown = [
        name
        for name in given
        if name and name not in known and not name.endswith((".yaml", ".yml"))
    ]
    return f"there is no {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("document, line", lines())
def test_a_command_in_a_document_exists(document: str, line: str):
    """A tired reader copies it, and it is understood: command, options, drill, make goal."""
    assert wrong_with(line) == "", f"{document} says: {line}"


@pytest.mark.parametrize(
    "line",
    [
        "mdrill runn quick",
        "mdrill run quick --decoy-s",
        "mdrill run no-such-drill",
        "mdrill practice",
        "make everything",
        "frobnicate",
    ],
)
def test_a_wrong_command_would_be_seen(line: str):
    """The check itself can fail."""
    assert wrong_with(line) != ""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str):
    """Every relative link is a file or a folder of this project."""
    path = ROOT / document
    targets = LINK.findall(path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_trap_of_the_readme_is_a_decoy():
    """A row of the table of traps names a scenario and a decoy that is in it."""
    text = (ROOT / "README.md").read_text("utf-8").split("## Traps it catches")[1].split("\n## ")[0]
    decoys = {
        scenario.id: {decoy.id for decoy in scenario.decoys} for scenario in selection.scenarios()
    }
    named = [
        (scenario, decoy)
        for scenarios, decoy in re.findall(r"\| ((?:`[\w-]+`(?:, )?)+): `([\w-]+)` \|", text)
        for scenario in re.findall(r"`([\w-]+)`", scenarios)
    ]
    assert len(named) >= text.count("\n| ") - 1
    assert [pair for pair in named if pair[1] not in decoys.get(pair[0], ())] == []


def test_every_procedure_of_the_coverage_exists():
    """docs/seed-coverage.md names no procedure, fault or scenario that is gone."""
    text = (ROOT / "docs" / "seed-coverage.md").read_text("utf-8")
    known = {"switch-app"}
    for scenario in selection.scenarios():
        known |= {scenario.id, *scenario.migration.modes}
        known |= {item.id for item in (*scenario.recoveries, *scenario.decoys, *scenario.faults)}
    known |= {drill.id for drill in selection.drills()}
    named = set(re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", text))
    assert named - known == set()

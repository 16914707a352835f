"""Files that are no SQL yet: templates that something else fills in before a tool is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.errors import Problem, ScenarioError
from harness.layouts._values import Migration, Script

MARKS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<%=.*?%>|\$\{[^}\s]+\}", re.DOTALL)
"""Of Go, Jinja, ERB, and of shells and Maven."""
NO_CODE = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|(?P<tag>\$\w*\$).*?(?P=tag)", re.DOTALL
)
"""Texts, names and comments, in which such marks are only letters."""


def refuse(migrations: Sequence[Migration]) -> None:
    """ScenarioError with file and line of each mark that no server understands."""
    problems = [
        problem
        for migration in migrations
        for script in (migration.up, migration.down)
        if script is not None
        for problem in _problems(script)
    ]
    if problems:
        raise ScenarioError(problems)


def _problems(script: Script) -> Iterator[Problem]:
    text = NO_CODE.sub(_blank, script.text)
    found = MARKS.search(text)
    if found is None:
        return
    line = script.line + text.count("\n", 0, found.start())
    mark = " ".join(found[0].split())[:60]
    says = f"{mark} is of a template, and no SQL: render it first, and sweep what comes of it"
    yield Problem(script.file, line, says)


def _blank(found: re.Match[str]) -> str:
    """As many lines, so that those of the marks stay true."""
    return "\n" * found[0].count("\n") or " "

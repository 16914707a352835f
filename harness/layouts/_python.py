"""What a Python file says in its assignments, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.layouts._folder import Folder


@dataclass(frozen=True)
class Assigned:
    """A literal value and its line; ``known`` is False for what only running it would tell."""

    value: Any
    line: int
    known: bool = True


def assigned(body: Iterable[ast.stmt]) -> dict[str, Assigned]:
    """The names assigned in a body, each with its last value."""
    found = {}
    for statement in body:
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign):
            targets, value = [statement.target], statement.value
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                found[target.id] = _value(value, statement.lineno)
    return found


def _value(value: ast.expr, line: int) -> Assigned:
    try:
        return Assigned(ast.literal_eval(value), line)
    except ValueError:
        return Assigned(None, line, known=False)


def parsed(folder: Folder, name: str) -> ast.Module:
    """The file's syntax tree; a complaint and an empty one if it is no Python."""
    try:
        return ast.parse(folder.text(name).removeprefix("\ufeff"))
    except (SyntaxError, ValueError) as wrong:
        line = getattr(wrong, "lineno", None) or 1
        folder.complain(name, f"is no Python 3: {getattr(wrong, 'msg', wrong)}", line)
        return ast.Module([], [])

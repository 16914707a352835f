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
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = _value(statement)
    return found


def _value(statement: ast.Assign | ast.AnnAssign) -> Assigned:
    try:
        return Assigned(ast.literal_eval(statement.value), statement.lineno)
    except ValueError:
        return Assigned(None, statement.lineno, known=False)


def parsed(folder: Folder, name: str) -> ast.Module:
    """The file's syntax tree; a complaint and an empty one if it is no Python."""
    try:
        return ast.parse(folder.text(name).removeprefix("\ufeff"))
    except (SyntaxError, ValueError) as wrong:
        line = getattr(wrong, "lineno", None) or 1
        folder.complain(name, f"is no Python 3: {getattr(wrong, 'msg', wrong)}", line)
        return ast.Module([], [])

"""Bodies of stored programs: one statement to a server, and several to a client without DELIMITER.

MySQL's server and programs that send it a whole file know where a body ends. Its client cuts at the
first semicolon, and what it sends then is no SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.errors import Problem, ScenarioError
from harness.layouts._values import Migration, Script
from harness.sqltext import Dialect


def known(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """The migrations, for a tool that sends bodies as they are."""

    def of(script: Script | None) -> Script | None:
        return replace(script, bodies=True) if script else None

    return tuple(replace(m, up=of(m.up), down=of(m.down)) for m in migrations)


def refuse(migrations: Sequence[Migration], dialect: Dialect, tool: str) -> None:
    """ScenarioError with file and line of each body that the tool, by its title, would cut up."""
    problems = [
        problem
        for migration in migrations
        for script in (migration.up, migration.down)
        if script is not None and not script.whole
        for problem in _problems(script, dialect, tool)
    ]
    if problems:
        raise ScenarioError(problems)


def _problems(script: Script, dialect: Dialect, tool: str) -> Iterator[Problem]:
    pieces = script.cut(dialect)
    for whole in replace(script, bodies=True).cut(dialect):
        inside = [piece for piece in pieces if whole.start <= piece.start < whole.end]
        if len(inside) > 1:
            line = inside[0].line + inside[0].text.count("\n")
            yield Problem(
                script.file,
                whole.line,
                f"found the body of a stored program without DELIMITER, wanted one that {tool} "
                f"does not cut: it ends at the semicolon in line {line}, which the server refuses. "
                "Next: --tool whole-file, if what runs your migrations sends a file as one "
                "message; else write DELIMITER around it",
            )

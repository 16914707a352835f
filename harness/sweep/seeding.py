"""Rows of the user's own: SQL that is run before the first migration that finds its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import sqltext
from harness.errors import DatabaseError, UsageError
from harness.ports import Session


class Seed:
    """Statements that bring rows.

    Each is tried before each migration until the server takes it, since its table may be made by a
    later one; after that it is not run again, as its rows are taken along.
    """

    def __init__(self, statements: Sequence[sqltext.Statement]) -> None:
        self._all = tuple(statements)
        self._waiting = self._all
        self.refused: dict[str, str] = {}
        """``file:line`` of each that no state has taken so far → what the server said last."""

    def begin(self) -> None:
        """The rows are gone: all of them wait again."""
        self._waiting = self._all

    def plant(self, session: Session) -> None:
        """Try what waits, in its order."""
        left = []
        for statement in self._waiting:
            place = f"{statement.file}:{statement.line}"
            try:
                session.run(statement.text)
            except DatabaseError as error:
                if error.lost:
                    raise
                left.append(statement)
                self.refused[place] = str(error)
            else:
                self.refused.pop(place, None)
        self._waiting = tuple(left)


def seed(path: Path | None, dialect: sqltext.Dialect) -> Seed | None:
    """The statements of a file; UsageError or ScenarioError if it cannot be read as SQL."""
    if path is None:
        return None
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as SQL: {error}") from error
    statements = sqltext.split(text, dialect, str(path))
    if not statements:
        raise UsageError(f"{path} has no SQL statement; wanted INSERTs or the like")
    return Seed(statements)

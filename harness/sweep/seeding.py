"""Rows of the user's own: SQL to run, or a dump to start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import DatabaseError, UsageError
from harness.ports import Session


def from_file(path: Path | None) -> Callable[[Session], None] | None:
    """Runs the file's SQL as one message, once for each state that is prepared."""
    if path is None:
        return None
    text = _text(path)

    def seed(session: Session) -> None:
        try:
            session.run_file(text)
        except DatabaseError as error:
            raise UsageError(f"{path}: the server refuses it: {error}") from error

    return seed


def dump(path: Path | None) -> bytes | None:
    """The bytes of a dump, read before any server is started."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as SQL: {error}") from error

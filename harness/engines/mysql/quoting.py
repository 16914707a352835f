"""How names and values are written in the SQL of MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def name(text: str) -> str:
    """An identifier in backticks."""
    return "`" + text.replace("`", "``") + "`"


def names(texts: Iterable[str]) -> str:
    """Several identifiers, separated by commas."""
    return ", ".join(name(text) for text in texts)


def value(given: Any) -> str:
    """A literal; numbers bare, NULL for None, everything else as quoted text."""
    if given is None:
        return "NULL"
    if isinstance(given, bool | int):
        return str(int(given))
    return "'" + str(given).replace("\\", "\\\\").replace("'", "''") + "'"

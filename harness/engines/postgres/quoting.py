"""How names and values are written in PostgreSQL's SQL."""

from __future__ import annotations

from typing import Any


def name(text: str) -> str:
    """An identifier in double quotes."""
    return '"' + text.replace('"', '""') + '"'


def table(text: str) -> str:
    """A table of schema ``public``, whatever the session's search path says."""
    return f"public.{name(text)}"


def names(texts: tuple[str, ...] | list[str]) -> str:
    """Several identifiers, separated by commas."""
    return ", ".join(name(text) for text in texts)


def value(given: Any) -> str:
    """A literal; numbers bare, NULL for None, everything else as quoted text."""
    if given is None:
        return "NULL"
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int):
        return str(given)
    quoted = str(given).replace("'", "''")
    if "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"

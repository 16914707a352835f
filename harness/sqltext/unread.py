"""What a statement runs that its own words do not tell; pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.sqltext.words import tokens

PROGRAMS = ("CALL", "EXECUTE", "PREPARE")
KNOWN_CALLS = frozenset(
    {
        *("setval", "nextval", "set_config", "pg_notify", "pg_sleep", "sleep", "get_lock"),
        *("release_lock", "pg_advisory_lock", "pg_advisory_unlock", "pg_advisory_xact_lock"),
        *("count", "max", "min", "sum", "coalesce", "now", "concat", "lower", "upper", "cast"),
        *("version", "database", "current_database", "to_regclass", "exists", "in", "if", "ifnull"),
    }
)
"""Functions that no row of a table is lost by, and words that stand before a parenthesis."""


def unread(words: Sequence[str], text: str, dialect: str) -> str:
    """What of it is run unseen, "" if nothing is: a stored program, SQL that is made at run
    time, a function that a SELECT calls.
    """
    first = words[0].upper() if words else ""
    if first in PROGRAMS:
        return f"{first} {' '.join(words[1:3])}".strip()
    if first == "DO":
        inside = tokens(text.replace("$", " "), dialect)
        return "EXECUTE in a DO block" if any(w.upper() == "EXECUTE" for w in inside) else ""
    if first == "SELECT":
        return next((f"SELECT {name}()" for name in _calls(words) if name not in KNOWN_CALLS), "")
    return ""


def _calls(words: Sequence[str]) -> list[str]:
    """The functions that are called, without their schema."""
    opens = (at for at in range(1, len(words)) if words[at] == "(")
    return [words[at - 1].strip('"`').lower() for at in opens if words[at - 1][:1].isidentifier()]

"""Which objects belong to which tables, as their names and definitions tell it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from harness.ports.contents import Counter

ABOUT = re.compile(r"(?:grant|comment|label of \S+) on ")
"""What is said of another object, which follows by its kind and name."""

PART = re.compile(
    r"(?:(?:foreign )?table(?: column| constraint)?|(?:materialized )?view(?: column)?"
    r"|column(?: order)?|index|constraint|partition|period|histogram|trigger|rule|policy) (.*)",
    re.DOTALL,
)
"""Kinds that have a table's name, or stand in one; a program of that name is another thing."""

TELLS = {
    "index": (" USING ", (" ON {} USING ", " ON ONLY {} USING ")),
    "sequence": ("OWNED BY ", ("OWNED BY {}.",)),
    "statistics": (" FROM ", (" FROM {} ",)),
}
"""Kinds whose names do not tell the table: what their definitions have if they tell one, and how.
A definition that tells none leaves the custom that the name begins with the table's."""


def hidden_with(
    tables: Collection[str],
    objects: Mapping[str, str],
    counters: Mapping[str, Counter],
    everything: Collection[str],
) -> frozenset[str]:
    """Those of the objects that are the tables, their parts, or said of these.

    ``everything`` are all tables there are: an index is named after the longest that fits.
    """
    named_after = {
        key
        for key, told in objects.items()
        if key.partition(" ")[0] in TELLS and _of_one(key, told, tables, counters, everything)
    }
    return frozenset(key for key in objects if _about(key) in named_after or _is_part(key, tables))


def _about(key: str) -> str:
    """The object of which something is said, else itself; a server quotes names in what it says."""
    rest, said = ABOUT.subn("", key, count=1)
    return rest.replace('"', "").replace("statistics object ", "statistics ") if said else key


def _of_one(
    key: str,
    told: str,
    tables: Collection[str],
    counters: Mapping[str, Counter],
    everything: Collection[str],
) -> bool:
    kind, _, name = key.partition(" ")
    mark, forms = TELLS[kind]
    plain = told.replace('"', "")
    if mark in plain:
        return any(form.format(table) in plain for table in tables for form in forms)
    if name in counters and counters[name].column:
        return counters[name].column.rpartition(".")[0] in tables
    fits = [table for table in everything if name.startswith((f"{table}_", f"{table}."))]
    return max(fits, key=len, default="") in tables


def _is_part(key: str, tables: Collection[str]) -> bool:
    """Whether an object is one of the tables, or by its name a part of one.

    >>> _is_part("column public.changes.id", {"public.changes"})
    True
    >>> _is_part("column changes.tags", {"tags"})
    False
    >>> _is_part("comment on trigger at on public.changes", {"public.changes"})
    True
    """
    match = PART.fullmatch(_about(key))
    if match is None:
        return False
    name = match[1]
    return any(
        name == table or name.startswith(f"{table}.") or name.endswith(f" on {table}")
        for table in tables
    )

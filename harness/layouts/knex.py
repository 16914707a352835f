"""Knex: ``20240101120000_name.js`` with an exported ``up``; run in the order of names.

The version is the whole file name with its extension, as in ``knex_migrations.name``. ``up`` and
``down`` are None: only Knex can run them.
Facts: https://knexjs.org/guide/migrations.html
"""

from __future__ import annotations

import re

from harness.layouts._folder import Folder, counted
from harness.layouts._values import Kind, Migration

_FILE = re.compile(r"\d{8,14}_.+\.(?:js|ts|cjs|mjs|coffee)", re.ASCII)
_MARK = re.compile(r"\bup\b[^\n]*\bknex\b|\bknex\b[^\n]*\bKnex\b", re.IGNORECASE)
_UP = re.compile(
    r"\bup\s*(?:[:=]\s*)?(?:async\b\s*)?(?:function\b\s*\w*\s*)?\(?\s*([A-Za-z_$][\w$]*)", re.ASCII
)
_USED = r"(?<![\w$.]){}\s*(?:\(|\.\s*(?:schema|raw|transaction|fn)\b)"


def _names(folder: Folder) -> tuple[str, ...]:
    files = (n for n in folder.files if _FILE.fullmatch(n) and not n.endswith(".d.ts"))
    return tuple(files)


def matches(folder: Folder) -> str | None:
    """Evidence: how many files take a knex."""
    marked = [name for name in _names(folder) if _takes_knex(folder.glance(name))]
    return f"{counted(len(marked), 'file')} with up(knex)" if marked else None


def _takes_knex(text: str) -> bool:
    """Whether an ``up`` takes something called knex, or uses it as only a knex is used."""
    return bool(_MARK.search(text)) or any(
        re.search(_USED.format(re.escape(found[1])), text[found.end() :])
        for found in _UP.finditer(text)
        if found[1] != "pgm"
    )


def read(folder: Folder) -> tuple[Migration, ...]:
    """By file name; see the module's docstring."""
    return tuple(
        Migration(name, name.rpartition(".")[0], None, None, (folder.shown(name),))
        for name in _names(folder)
    )


KIND = Kind("knex", "Knex", "20240101120000_name.js with up(knex)", matches, read)

"""Drizzle: ``meta/_journal.json`` lists ``<tag>.sql`` files in their order.

The version is the entry's ``when``, as in the table's ``created_at``. What stands between two
``--> statement-breakpoint`` marks goes to the server as one message, which is one statement here
too. Nothing goes back. Files that the journal does not list are left out.
Facts: https://github.com/drizzle-team/drizzle-orm/blob/main/drizzle-orm/src/migrator.ts
"""

from __future__ import annotations

import json
from typing import Any

from harness.layouts._folder import Folder, counted, left_out
from harness.layouts._pairs import told_twice
from harness.layouts._values import Kind, Migration, Script

_JOURNAL = "meta/_journal.json"
_BREAKPOINT = "--> statement-breakpoint"


def matches(folder: Folder) -> str | None:
    """Evidence: the journal and how much it lists."""
    if not folder.has(_JOURNAL):
        return None
    try:
        entries = json.loads(folder.glance(_JOURNAL))["entries"]
        listed = {f"{entry['tag']}.sql" for entry in entries}
    except (ValueError, KeyError, TypeError):
        return _JOURNAL
    others = [name for name in folder.sql_files if name not in listed]
    told = counted(len(listed), "entry", "entries")
    return f"{_JOURNAL} with {told}{left_out(others, 'not in the journal')}"


def read(folder: Folder) -> tuple[Migration, ...]:
    """By the journal; see the module's docstring."""
    migrations, seen = [], dict[str, str]()
    for entry in _entries(folder):
        tag, when = entry.get("tag"), entry.get("when")
        if not isinstance(tag, str) or not isinstance(when, int):
            folder.complain(_JOURNAL, f"found the entry {entry}, wanted a tag and a when")
            continue
        file, version = f"{tag}.sql", str(when)
        if not folder.has(file):
            folder.complain(_JOURNAL, f"lists {tag}, and there is no {folder.shown(file)}")
            continue
        first = seen.setdefault(version, file)
        if first != file:
            told_twice(folder, file, version, first)
        migrations.append(
            Migration(version, tag, _script(folder, file), None, _files(folder, file))
        )
    return tuple(migrations)


def _files(folder: Folder, file: str) -> tuple[str, ...]:
    return (folder.shown(file), folder.shown(_JOURNAL))


def _entries(folder: Folder) -> list[dict[str, Any]]:
    try:
        entries = json.loads(folder.text(_JOURNAL))["entries"]
    except json.JSONDecodeError as wrong:
        folder.complain(_JOURNAL, f"is no JSON: {wrong.msg}", wrong.lineno)
        return []
    except (KeyError, TypeError):
        entries = None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        folder.complain(_JOURNAL, "found no list under 'entries'; generate the journal again")
        return []
    return entries


def _script(folder: Folder, file: str) -> Script:
    text = folder.text(file)
    spans, at = [], 0
    while (end := text.find(_BREAKPOINT, at)) >= 0:
        spans.append((at, end))
        at = end + len(_BREAKPOINT)
    return Script(folder.shown(file), 1, text, whole=(*spans, (at, len(text))), only_whole=True)


KIND = Kind("drizzle", "Drizzle", "meta/_journal.json and 0000_name.sql", matches, read)

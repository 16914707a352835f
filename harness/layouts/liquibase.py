"""Liquibase: a changelog in XML, YAML, JSON or formatted SQL; each changeset is a migration.

The version is ``author:id``, as Liquibase writes it in messages; the table has them in two columns.
The order is that of the files' names and of the changesets in each, which is right for one file and
for ``includeAll``; a changelog that includes others in another order runs them in that one. ``up``
and ``down`` are None: only Liquibase can run them, since what a changeset does depends on its
contexts, labels and preconditions.
Facts: https://docs.liquibase.com/concepts/changelogs/home.html,
https://docs.liquibase.com/concepts/changelogs/sql-format.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.layouts._folder import Folder, counted, line_at
from harness.layouts._pairs import told_twice
from harness.layouts._values import Kind, Migration

_SQL_MARK = re.compile(r"\A\ufeff?\s*--\s*liquibase\s+formatted\s+sql\b", re.IGNORECASE)
_MARK = re.compile(r"<(?:\w+:)?databaseChangeLog\b|^\s*\"?databaseChangeLog\"?\s*:", re.MULTILINE)
_SQL = re.compile(r"^\s*--\s*changeset\s+([^:\s]+):(\S+)", re.MULTILINE | re.IGNORECASE)
_XML = re.compile(r"<(?:\w+:)?changeSet\b([^>]*)>", re.DOTALL)
_ENTRY = re.compile(r"[\"']?changeSet[\"']?\s*:")
_FIELD = re.compile(r"\b(id|author)[\"']?\s*[:=]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,}\"'>]+))")


def _names(folder: Folder) -> tuple[str, ...]:
    sql = folder.marked((n for n in folder.tree if n.endswith(".sql")), _SQL_MARK)
    other = (n for n in folder.tree if n.endswith((".xml", ".yaml", ".yml", ".json")))
    return tuple(sorted((*sql, *folder.marked(other, _MARK))))


def matches(folder: Folder) -> str | None:
    """Evidence: how many files are changelogs."""
    names = _names(folder)
    return counted(len(names), "changelog") if names else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By file and by place in it; see the module's docstring."""
    seen: dict[tuple[str, str], str] = {}
    migrations = []
    for name in _names(folder):
        for version, line in _changesets(folder, name):
            place = f"{name}:{line}"
            first = seen.setdefault((name, version), place)
            if first != place:
                told_twice(folder, name, version, first)
            stem = name.rpartition("/")[2].rpartition(".")[0]
            files = (folder.shown(name),)
            migrations.append(Migration(version, f"{stem} {version}", None, None, files))
    return tuple(migrations)


def _changesets(folder: Folder, name: str) -> Iterator[tuple[str, int]]:
    text = folder.text(name)
    if name.endswith(".sql"):
        for found in _SQL.finditer(text):
            yield f"{found[1]}:{found[2]}", line_at(text, found.start(1))
        return
    pattern = _XML if name.endswith(".xml") else _ENTRY
    starts = list(pattern.finditer(text))
    for number, found in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        part = found[1] if pattern is _XML else text[found.end() : end]
        fields: dict[str, str] = {}
        for one in _FIELD.finditer(part):
            fields.setdefault(one[1], one[2] or one[3] or one[4] or "")
        line = line_at(text, found.start())
        if len(fields) < 2:
            folder.complain(name, "found a changeSet without an id and an author; add them", line)
        yield f"{fields.get('author', '')}:{fields.get('id', '')}", line


KIND = Kind("liquibase", "Liquibase", "a databaseChangeLog", matches, read)

"""Alembic: Python files with ``revision`` and ``down_revision``, in no order but that of the graph.

The folder is the one with the files, or the environment with ``versions/`` in it. The version is
the revision; each comes after its ``down_revision`` (several for a merge) and its ``depends_on``.
More than one head is told, since ``alembic upgrade head`` refuses it. Files are parsed and never
run. ``up`` and ``down`` are None: only Alembic can run them.
Facts: https://alembic.sqlalchemy.org/en/latest/branches.html,
https://github.com/sqlalchemy/alembic/blob/main/alembic/script/base.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.layouts._folder import Folder, counted, some
from harness.layouts._graph import in_order
from harness.layouts._pairs import told_twice
from harness.layouts._python import assigned, parsed
from harness.layouts._values import Kind, Migration

_MARK = re.compile(r"^\ufeff?down_revision\b", re.MULTILINE)


@dataclass(frozen=True)
class _Revision:
    file: str
    line: int
    revision: str
    after: tuple[str, ...]
    depends_on: tuple[str, ...]


def _names(folder: Folder) -> tuple[str, ...]:
    here = [name for name in folder.files if name.endswith(".py")]
    if "versions" in folder.folders:
        here += [f"versions/{name}" for name in folder.sub("versions").files if _is_python(name)]
    return folder.marked(here, _MARK)


def _is_python(name: str) -> bool:
    return name.endswith(".py") and not name.startswith("__init__")


def matches(folder: Folder) -> str | None:
    """Evidence: how many files have a down_revision."""
    names = _names(folder)
    return f"{counted(len(names), 'file')} *.py with down_revision" if names else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By the graph of revisions; see the module's docstring."""
    found: dict[str, _Revision] = {}
    for name in _names(folder):
        one = _revision(folder, name)
        if one is None:
            continue
        first = found.setdefault(one.revision, one)
        if first is not one:
            told_twice(folder, name, one.revision, first.file)
    full = {name: name for name in found}
    for one in found.values():
        for need in (*one.after, *one.depends_on):
            if _resolved(need, full) is None:
                folder.complain(
                    one.file,
                    f"found revision {need!r} before this one, and no file has it",
                    one.line,
                )
    needs = {
        name: [r for need in (*one.after, *one.depends_on) if (r := _resolved(need, full))]
        for name, one in found.items()
    }
    order, circle = in_order(needs)
    for name in circle:
        folder.complain(found[name].file, f"revision {name} comes after itself, in a circle")
    _check_heads(folder, found, full)
    return tuple(_migration(folder, found[name]) for name in order)


def _resolved(need: str, names: dict[str, str]) -> str | None:
    """A revision by its name or by the beginning of it, as Alembic takes it."""
    if need in names:
        return need
    fitting = [name for name in names if name.startswith(need)] if len(need) > 3 else []
    return fitting[0] if len(fitting) == 1 else None


def _check_heads(folder: Folder, found: dict[str, _Revision], full: dict[str, str]) -> None:
    followed = {_resolved(need, full) for one in found.values() for need in one.after}
    heads = sorted(name for name in found if name not in followed)
    if len(heads) > 1 and not folder.problems:
        folder.complain(
            found[heads[0]].file,
            f"found {len(heads)} heads ({some(heads)}), which 'alembic upgrade head' refuses: "
            "join them (alembic merge heads)",
            found[heads[0]].line,
        )


def _revision(folder: Folder, name: str) -> _Revision | None:
    problems = len(folder.problems)
    values = assigned(parsed(folder, name).body)
    if len(folder.problems) > problems:
        return None
    revision = values.get("revision")
    if revision is None or not isinstance(revision.value, str):
        folder.complain(name, 'found no revision = "…" beside down_revision; write its text')
        return None
    lists = []
    for key in ("down_revision", "depends_on"):
        one = values.get(key)
        if one is not None and not one.known:
            folder.complain(name, f"found a {key} that is no plain text; write its text", one.line)
        lists.append(_listed(one.value if one else None))
    line = values["down_revision"].line if "down_revision" in values else revision.line
    return _Revision(name, line, revision.value, *lists)


def _listed(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, tuple | list | set) else (value,)
    return tuple(one for one in values if isinstance(one, str))


def _migration(folder: Folder, one: _Revision) -> Migration:
    stem = one.file.rpartition("/")[2].removesuffix(".py")
    return Migration(one.revision, stem, None, None, (folder.shown(one.file),))


KIND = Kind("alembic", "Alembic", "*.py with revision and down_revision", matches, read)

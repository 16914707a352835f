"""Flyway: ``V1.2__name.sql``, undone by ``U1.2__name.sql``, and ``R__name.sql`` at the end.

Files in the folder and all its folders count. A version is numbers with dots or single underscores
between; it is compared number by number, so 1.0 and 1 and 01 are one. The table holds the version
as it is written, with dots. Repeatable ones run last, by description; the table has no version for
them, so ours is the stem of their file. ``<file>.conf`` beside a script may say
``executeInTransaction=false``. Callbacks, baselines and Java migrations are left out.
Facts: https://documentation.red-gate.com/fd/migrations-271585107.html,
https://documentation.red-gate.com/fd/flyway-execute-in-transaction-setting-277578997.html,
https://github.com/flyway/flyway (MigrationVersion.java, ResourceNameParser.java)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.layouts._folder import Folder, counted, left_out
from harness.layouts._pairs import Half, paired, told_twice, whole_file
from harness.layouts._values import Kind, Migration

_VERSIONED = re.compile(r"([VU])(\d+(?:[._]\d+)*)(?:__(.*))?\.sql", re.ASCII | re.DOTALL)
_REPEATABLE = re.compile(r"R__(.*)\.sql", re.DOTALL)
_JAVA = re.compile(r"[VUR][\d._]*__.*\.(java|class|kt|groovy)", re.ASCII)
_NO_TRANSACTION = re.compile(r"^[ \t]*executeInTransaction[ \t]*=[ \t]*false[ \t]*$", re.M | re.I)


def matches(folder: Folder) -> str | None:
    """Evidence: how many versioned, undo and repeatable files."""
    found = [_VERSIONED.fullmatch(_base(name)) for name in folder.tree]
    versions = sum(1 for one in found if one and one[1] == "V" and one[3] is not None)
    repeatable = sum(1 for name in folder.tree if _REPEATABLE.fullmatch(_base(name)))
    if not versions and not repeatable:
        return None
    undo = sum(1 for one in found if one and one[1] == "U")
    parts = [(versions, "V…__*.sql"), (undo, "U…__*.sql"), (repeatable, "R__*.sql")]
    others = [name for name in folder.tree if _is_left_out(_base(name))]
    told = ", ".join(f"{counted(n, 'file')} {what}" for n, what in parts if n)
    return told + left_out(others, "callbacks, baselines, Java and other names")


def read(folder: Folder) -> tuple[Migration, ...]:
    """By version, then the repeatable ones by description; see the module's docstring."""
    return (*paired(folder, _halves(folder)), *_repeatable(folder))


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _is_left_out(base: str) -> bool:
    if _JAVA.fullmatch(base):
        return True
    taken = _VERSIONED.fullmatch(base) or _REPEATABLE.fullmatch(base)
    return base.lower().endswith(".sql") and not taken


def _halves(folder: Folder) -> Iterator[Half]:
    for file in folder.tree:
        found = _VERSIONED.fullmatch(_base(file))
        if not found:
            continue
        version = found[2].replace("_", ".")
        numbers = [int(part) for part in version.split(".")]
        while len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        stem = _base(file).removesuffix(".sql")
        yield Half(tuple(numbers), version, stem, found[1] == "U", file, _transaction(folder, file))


def _repeatable(folder: Folder) -> Iterator[Migration]:
    described = [(name, _REPEATABLE.fullmatch(_base(name))) for name in folder.tree]
    by_description = sorted((found[1], name) for name, found in described if found)
    seen: dict[str, str] = {}
    for description, name in by_description:
        stem = _base(name).removesuffix(".sql")
        first = seen.setdefault(description, name)
        if first != name:
            told_twice(folder, name, stem, first)
        script = whole_file(folder, name, transaction=_transaction(folder, name))
        yield Migration(stem, stem, script, None, (folder.shown(name),))


def _transaction(folder: Folder, name: str) -> bool:
    conf = f"{name}.conf"
    return not (folder.has(conf) and _NO_TRANSACTION.search(folder.text(conf)))


KIND = Kind("flyway", "Flyway", "V1__name.sql, U1__name.sql, R__name.sql", matches, read)

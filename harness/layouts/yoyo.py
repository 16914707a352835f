"""yoyo: ``name.sql`` with ``name.rollback.sql``, or Python files with ``step(…)``.

The version is the stem, as in ``_yoyo_migration.migration_id``. The order is that of names, save
that each comes after its ``-- depends:`` (``__depends__`` in Python). ``-- transactional: false``
among the comments at the top turns the transaction off. Files named ``post-apply…`` run after
everything and are left out. Python ones are parsed and never run; only yoyo can run them.
Facts: https://ollycope.com/software/yoyo/latest/, yoyo/migrations.py of yoyo-migrations 9.0.0
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.layouts._folder import Folder, counted, left_out
from harness.layouts._graph import in_order
from harness.layouts._pairs import told_twice, whole_file
from harness.layouts._python import assigned, parsed
from harness.layouts._values import Kind, Migration

_BACK = ".rollback.sql"
_IMPORT = re.compile(r"^(?:from yoyo import|import yoyo)\b", re.MULTILINE)
_DIRECTIVE = re.compile(r"\s*--\s*(transactional|depends)\s*:\s*(.*)")
_DEPENDS = re.compile(r"\A(?:\s*--[^\n]*\n|\s*\n)*\s*--\s*depends\s*:")


@dataclass(frozen=True)
class _Found:
    file: str
    depends: tuple[str, ...] = ()
    line: int = 1
    transaction: bool = True


def _names(folder: Folder) -> list[str]:
    return [
        name
        for name in folder.files
        if (name.endswith(".py") and not name.startswith("__")) or name.endswith(".sql")
        if not name.endswith(_BACK) and not name.startswith("post-apply")
    ]


def matches(folder: Folder) -> str | None:
    """Evidence: how many files have a rollback, are Python with yoyo, or name what they need."""
    names = _names(folder)
    backs = [name for name in folder.files if name.endswith(_BACK)]
    code = folder.marked((name for name in names if name.endswith(".py")), _IMPORT)
    needs = folder.marked((name for name in names if name.endswith(".sql")), _DEPENDS)
    parts = [(backs, f"*{_BACK}"), (code, "*.py with yoyo"), (needs, "with -- depends:")]
    told = ", ".join(f"{counted(len(files), 'file')} {what}" for files, what in parts if files)
    hooks = [name for name in folder.files if name.startswith("post-apply")]
    return told + left_out(hooks, "they run after everything") if told else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By name and by what each needs; see the module's docstring."""
    found: dict[str, _Found] = {}
    for name in _names(folder):
        stem = name.rpartition(".")[0]
        one = _code(folder, name) if name.endswith(".py") else _sql(folder, name)
        first = found.setdefault(stem, one)
        if first is not one:
            told_twice(folder, name, stem, first.file)
    for name in folder.files:
        if name.endswith(_BACK) and name.removesuffix(_BACK) not in found:
            wanted = folder.shown(name.removesuffix(_BACK) + ".sql")
            folder.complain(name, f"found a way back and no {wanted}; add it, or remove this one")
    for one in found.values():
        for need in one.depends:
            if need not in found:
                folder.complain(one.file, f"depends on {need!r}, and no file has it", one.line)
    order, circle = in_order({stem: one.depends for stem, one in found.items()})
    for stem in circle:
        folder.complain(found[stem].file, "depends on itself, in a circle", found[stem].line)
    return tuple(_migration(folder, stem, found[stem]) for stem in order)


def _sql(folder: Folder, name: str) -> _Found:
    depends: list[str] = []
    line, transaction = 1, True
    for number, text in enumerate(folder.text(name).removeprefix("\ufeff").splitlines(), 1):
        if text.strip() and not text.lstrip().startswith("--"):
            break
        directive = _DIRECTIVE.fullmatch(text)
        if directive and directive[1] == "depends":
            depends += directive[2].split()
            line = number
        elif directive:
            word = directive[2].strip().lower()
            transaction = word != "false"
            if word not in ("true", "false"):
                folder.complain(name, f"found transactional: {word}, wanted true or false", number)
    return _Found(name, tuple(depends), line, transaction)


def _code(folder: Folder, name: str) -> _Found:
    found = assigned(parsed(folder, name).body).get("__depends__")
    if found is None:
        return _Found(name)
    if not found.known:
        folder.complain(name, "found a __depends__ that is no plain text", found.line)
    value = found.value
    names = (value,) if isinstance(value, str) else sorted(str(one) for one in value or ())
    return _Found(name, tuple(names), found.line)


def _migration(folder: Folder, stem: str, one: _Found) -> Migration:
    if one.file.endswith(".py"):
        return Migration(stem, stem, None, None, (folder.shown(one.file),))
    back = stem + _BACK
    up = whole_file(folder, one.file, transaction=one.transaction)
    if not folder.has(back):
        return Migration(stem, stem, up, None, (up.file,))
    down = whole_file(folder, back, transaction=one.transaction)
    return Migration(stem, stem, up, down, (up.file, down.file))


KIND = Kind("yoyo", "yoyo", "name.sql and name.rollback.sql, or *.py with yoyo", matches, read)

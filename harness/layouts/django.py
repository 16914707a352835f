"""Django: ``0001_initial.py`` and its followers, in the ``migrations`` folder of one app.

The folder is that one, or the app's folder with ``migrations/`` in it. The version is the file's
stem, as in ``django_migrations.name``. The order is that of ``dependencies`` within the app; those
on other apps do not count here. Where a squashed migration names what it ``replaces``, those files
are left out, as on a database that has none of them. Several last ones are told, since ``migrate``
refuses them. Files are parsed and never run; ``up`` and ``down`` are None.
Facts: https://docs.djangoproject.com/en/stable/topics/migrations/
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from harness.layouts._folder import Folder, counted, left_out, some
from harness.layouts._graph import in_order
from harness.layouts._python import parsed
from harness.layouts._values import Kind, Migration

_MARK = re.compile(r"^class\s+Migration\s*\([^)]*\bMigration\b", re.MULTILINE)


@dataclass(frozen=True)
class _Found:
    file: str
    line: int
    dependencies: tuple[tuple[str, str], ...]
    replaces: tuple[tuple[str, str], ...]


def _names(folder: Folder) -> tuple[str, ...]:
    here = [name for name in folder.files if name.endswith(".py")]
    if "migrations" in folder.folders:
        here += [f"migrations/{name}" for name in folder.sub("migrations").files]
    taken = (name for name in here if name.endswith(".py") and _stem(name)[0] not in "_~")
    return folder.marked(taken, _MARK)


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".py")


def matches(folder: Folder) -> str | None:
    """Evidence: how many files define a Migration."""
    names = _names(folder)
    others = [n for n in folder.files if n.endswith(".py") and n not in names and n[0] != "_"]
    told = f"{counted(len(names), 'file')} *.py with class Migration"
    return told + left_out(others, "no class Migration") if names else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By dependencies; see the module's docstring."""
    found = {_stem(name): _read(folder, name) for name in _names(folder)}
    app = _app(folder, found)
    replaced = {
        name: squashed
        for squashed, one in found.items()
        for label, name in one.replaces
        if label == app and name in found
    }
    kept = {name: one for name, one in found.items() if name not in replaced}
    needs: dict[str, list[str]] = {}
    for name, one in kept.items():
        own = [need for label, need in one.dependencies if label == app and need[:2] != "__"]
        for need in own:
            if need not in found and need not in {n for o in found.values() for _, n in o.replaces}:
                folder.complain(
                    one.file, f"found a dependency on {app}.{need}, and no file has it", one.line
                )
        needs[name] = [_kept(need, replaced) for need in own if _kept(need, replaced) != name]
    order, circle = in_order(needs)
    for name in circle:
        folder.complain(kept[name].file, f"{name} depends on itself, in a circle", kept[name].line)
    _check_leaves(folder, kept, needs)
    return tuple(
        Migration(name, name, None, None, (folder.shown(kept[name].file),)) for name in order
    )


def _kept(name: str, replaced: dict[str, str]) -> str:
    seen: set[str] = set()
    while name in replaced and name not in seen:
        seen.add(name)
        name = replaced[name]
    return name


def _check_leaves(folder: Folder, kept: dict[str, _Found], needs: dict[str, list[str]]) -> None:
    followed = {need for own in needs.values() for need in own}
    leaves = [name for name in kept if name not in followed]
    if len(leaves) > 1 and not folder.problems:
        folder.complain(
            kept[leaves[0]].file,
            f"found {len(leaves)} last migrations ({some(leaves)}), which 'migrate' refuses: join "
            "them (makemigrations --merge)",
            kept[leaves[0]].line,
        )


def _app(folder: Folder, found: dict[str, _Found]) -> str:
    """The label of the app: the one whose dependencies are files here, else the folder's name."""
    labels = [
        label
        for one in found.values()
        for label, need in (*one.dependencies, *one.replaces)
        if need in found
    ]
    path = folder.path.resolve()
    named = path.parent.name if path.name == "migrations" else path.name
    return named if named in labels or not labels else max(set(labels), key=labels.count)


def _read(folder: Folder, name: str) -> _Found:
    for statement in parsed(folder, name).body:
        if isinstance(statement, ast.ClassDef) and statement.name == "Migration":
            lists = {node.targets[0].id: node.value for node in _assignments(statement)}
            line = statement.lineno
            return _Found(
                name, line, _pairs(lists.get("dependencies")), _pairs(lists.get("replaces"))
            )
    return _Found(name, 1, (), ())


def _assignments(body: ast.ClassDef) -> list[Any]:
    return [
        node
        for node in body.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]


def _pairs(value: ast.expr | None) -> tuple[tuple[str, str], ...]:
    """Pairs of texts in a list; calls such as swappable_dependency() are passed over."""
    found = []
    for element in getattr(value, "elts", ()):
        match [getattr(part, "value", None) for part in getattr(element, "elts", ())]:
            case [str(first), str(second)]:
                found.append((first, second))
    return tuple(found)


KIND = Kind("django", "Django", "0001_name.py with class Migration", matches, read)

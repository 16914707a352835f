"""Where the migrations of a folder are, which way each leads, and in which order they run.

One module for each layout; its docstring says how that tool reads a folder, and where that is
written. A layout is recognised by names and by directives in the files, never by a setting. Nothing
is run and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.errors import UsageError
from harness.layouts import (
    alembic,
    dbmate,
    diesel,
    django,
    drizzle,
    flyway,
    golang_migrate,
    goose,
    knex,
    liquibase,
    node_pg_migrate,
    numbered,
    prisma,
    sqitch,
    sql_migrate,
    version_folders,
    yoyo,
)
from harness.layouts._folder import Folder, counted, some
from harness.layouts._values import Kind, Layout, Migration, Script

__all__ = ["LAYOUTS", "Kind", "Layout", "Migration", "Script", "detect", "find", "read"]

LAYOUTS: Mapping[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (
        *(golang_migrate, dbmate, goose, flyway, diesel, prisma, sqitch, sql_migrate),
        *(node_pg_migrate, yoyo, drizzle, knex, alembic, django, liquibase),
        *(numbered, version_folders),
    )
}
"""All layouts by name."""

_NEAR = 2
"""How far below a folder its migrations may lie and are found without being named."""
_DEPTH = 3
_MANY = 500
"""Folders looked into for a next move, at most."""
_LISTED = 8
_OTHERS = frozenset({"node_modules", "vendor", "venv", "site-packages", "__pycache__"})
"""Folders of other people's code, which may bring migrations of their own."""


def detect(folder: Path, dialect: str = "") -> Layout:
    """What the folder is.

    UsageError if nothing fits, or more than one layout does: what was seen, what each layout looks
    for, and the next move. ``dialect`` only helps to name a folder below that is meant.
    """
    opened = _open(folder)
    fitting = _one(opened, _fitting(opened))
    if fitting is None:
        raise _nothing(opened, dialect)
    return fitting


def find(folder: Path, dialect: str = "", layout: str = "") -> tuple[Path, Layout]:
    """The folder of the migrations, which may lie a little below, and what it is.

    Of several below, the one named after the dialect is taken if it is the only one; else they are
    all named in the UsageError. ``layout`` is one that was asked for: the folder itself is taken if
    none below has it either.
    """
    opened = _open(folder)
    fits = _asked_for(layout) if layout else _fitting
    if here := fits(opened):
        return folder, _one(opened, here) or here[0]
    near = [(path, fit) for path, depth, fit in _below(opened, fits) if depth <= _NEAR]
    named = [found for found in near if dialect and dialect in found[0].name.lower()]
    for found in (near, named):
        if len(found) == 1:
            path, fitting = found[0]
            return path, _one(Folder(path), fitting) or fitting[0]
    if layout and not near:
        kind = LAYOUTS[layout]
        return folder, Layout(kind.name, kind.title, "asked for")
    raise _nothing(opened, dialect)


def _asked_for(layout: str) -> Callable[[Folder], list[Layout]]:
    kind = LAYOUTS[layout]

    def fits(folder: Folder) -> list[Layout]:
        return [Layout(kind.name, kind.title, "asked for")] if kind.matches(folder) else []

    return fits


def _one(folder: Folder, fitting: Sequence[Layout]) -> Layout | None:
    """The only one. UsageError if there are several; None if there is none."""
    if len(fitting) > 1:
        told = "\n".join(f"  {one.name}: {one.evidence}" for one in fitting)
        names = " or ".join(f"--layout {one.name}" for one in fitting)
        raise UsageError(f"{folder.path}: found more than one layout\n{told}\nNext: {names}")
    return fitting[0] if fitting else None


def read(folder: Path, layout: str) -> tuple[Migration, ...]:
    """The migrations of the folder, in the order in which that layout's tool runs them.

    UsageError with file and line for all that the tool would refuse or that cannot be told apart,
    for an unknown layout, and for a folder without any migration.
    """
    kind = LAYOUTS.get(layout)
    if kind is None:
        raise UsageError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")
    opened = _open(folder)
    migrations = kind.read(opened)
    opened.refuse()
    if not migrations:
        raise UsageError(
            f"{folder}: found no migration for {kind.title}, wanted {kind.looks_for}; "
            f"found {_seen(opened)}"
        )
    return migrations


def _open(folder: Path) -> Folder:
    if not folder.exists():
        raise UsageError(f"{folder}: no such folder; name the one with the migrations")
    if not folder.is_dir():
        raise UsageError(f"{folder}: is a file, wanted a folder: name {folder.parent}")
    return Folder(folder)


def _fitting(folder: Folder) -> list[Layout]:
    for last_resort in (False, True):
        kinds = (kind for kind in LAYOUTS.values() if kind.last_resort is last_resort)
        found = [(kind, kind.matches(folder)) for kind in kinds]
        fitting = [Layout(kind.name, kind.title, said) for kind, said in found if said]
        if fitting:
            return fitting
    return []


def _nothing(folder: Folder, dialect: str) -> UsageError:
    """That no layout fits, with the folders below of which one may be meant."""
    wanted = "\n".join(f"  {kind.name}: {kind.looks_for}" for kind in LAYOUTS.values())
    below = [(path, fitting) for path, _, fitting in _below(folder, _fitting)]
    below.sort(key=lambda one: not dialect or dialect not in one[0].name.lower())
    next_move = "name the folder that has the migrations, or say --layout NAME"
    if below:
        fits = "\n".join(f"  {path}: {_told(fitting)}" for path, fitting in below[:_LISTED])
        more = f"\n  and {len(below) - _LISTED} more" if len(below) > _LISTED else ""
        next_move = f"name the folder that is meant:\n{fits}{more}"
    return UsageError(
        f"{folder.path}: found {_seen(folder)}; wanted one of\n{wanted}\nNext: {next_move}"
    )


def _told(fitting: Sequence[Layout]) -> str:
    return " or ".join(f"{one.title}, {one.evidence}" for one in fitting)


def _below(
    folder: Folder, fits: Callable[[Folder], list[Layout]]
) -> Iterator[tuple[Path, int, list[Layout]]]:
    """Folders in it that are a layout or several, and how deep; not those in such a folder."""
    waiting = [(folder, 0)]
    for opened, depth in waiting:
        fitting = fits(opened) if depth else []
        if fitting:
            yield opened.path, depth, fitting
        elif depth < _DEPTH and len(waiting) < _MANY:
            below = (name for name in opened.folders if name not in _OTHERS)
            waiting += [(Folder(opened.path / name), depth + 1) for name in below]


def _seen(folder: Folder) -> str:
    files, folders = folder.files, folder.folders
    parts = []
    if files:
        parts.append(f"{counted(len(files), 'file')} ({some(files)})")
    if folders:
        parts.append(f"{counted(len(folders), 'folder')} ({some(folders)})")
    return " and ".join(parts) or "nothing"

"""Where the migrations of a folder are, which way each leads, and in which order they run.

One module for each layout; its docstring says how that tool reads a folder, and where that is
written. A layout is recognised by names and by directives in the files, never by a setting. Nothing
is run and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    yoyo,
)
from harness.layouts._folder import Folder, counted, some
from harness.layouts._values import Kind, Layout, Migration, Script

__all__ = ["LAYOUTS", "Kind", "Layout", "Migration", "Script", "detect", "read"]

LAYOUTS: Mapping[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (
        *(golang_migrate, dbmate, goose, flyway, diesel, prisma, sqitch, sql_migrate),
        *(node_pg_migrate, yoyo, drizzle, knex, alembic, django, liquibase, numbered),
    )
}
"""All layouts by name."""

_DEPTH = 3
_MANY = 500
"""Folders looked into for a next move, at most."""


def detect(folder: Path, dialect: str = "") -> Layout:
    """What the folder is.

    UsageError if nothing fits, or more than one layout does: what was seen, what each layout looks
    for, and the next move. ``dialect`` only helps to name a folder below that is meant.
    """
    opened = _open(folder)
    fitting = _fitting(opened)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        told = "\n".join(f"  {one.name}: {one.evidence}" for one in fitting)
        names = " or ".join(f"--layout {one.name}" for one in fitting)
        raise UsageError(f"{folder}: found more than one layout\n{told}\nNext: {names}")
    raise UsageError(_nothing(opened, dialect))


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


def _nothing(folder: Folder, dialect: str) -> str:
    wanted = "\n".join(f"  {kind.name}: {kind.looks_for}" for kind in LAYOUTS.values())
    below = list(_below(folder, dialect))
    next_move = "name the folder that has the migrations, or say --layout NAME"
    if below:
        fits = "\n".join(f"  {path}: {one.title}, {one.evidence}" for path, one in below[:5])
        next_move = f"name the folder that is meant:\n{fits}"
    return f"{folder.path}: found {_seen(folder)}; wanted one of\n{wanted}\nNext: {next_move}"


def _below(folder: Folder, dialect: str) -> Iterator[tuple[Path, Layout]]:
    """Folders in it that are one layout, those named after the dialect first."""
    found, waiting = [], [(folder, 0)]
    for opened, depth in waiting:
        if depth < _DEPTH and len(waiting) < _MANY:
            waiting += [(Folder(opened.path / name), depth + 1) for name in opened.folders]
        fitting = _fitting(opened) if depth else []
        if len(fitting) == 1:
            found.append((opened.path, fitting[0]))
    yield from sorted(found, key=lambda one: not dialect or dialect not in one[0].name.lower())


def _seen(folder: Folder) -> str:
    files, folders = folder.files, folder.folders
    parts = []
    if files:
        parts.append(f"{counted(len(files), 'file')} ({some(files)})")
    if folders:
        parts.append(f"{counted(len(folders), 'folder')} ({some(folders)})")
    return " and ".join(parts) or "nothing"

"""Prisma Migrate: a folder for each migration, with ``migration.sql``.

The version is the whole name of the folder, and the order is that of the names. Prisma itself
never goes back; a ``down.sql`` that was generated into the folder (``prisma migrate diff``) is
taken for the way back, to be run by hand.
Facts: https://www.prisma.io/docs/orm/prisma-migrate/understanding-prisma-migrate/migration-histories,
https://www.prisma.io/docs/orm/prisma-migrate/workflows/generating-down-migrations
"""

from __future__ import annotations

from harness.layouts._folder import Folder, counted
from harness.layouts._pairs import whole_file
from harness.layouts._values import Kind, Migration


def _names(folder: Folder) -> list[str]:
    return [name for name in folder.folders if folder.has(f"{name}/migration.sql")]


def matches(folder: Folder) -> str | None:
    """Evidence: how many folders have the file."""
    names = _names(folder)
    if not names or any(folder.has(f"{name}/snapshot.json") for name in names):
        return None
    return f"{counted(len(names), 'folder')} with migration.sql"


def read(folder: Folder) -> tuple[Migration, ...]:
    """By name of the folder; see the module's docstring."""
    return tuple(_migration(folder, name) for name in _names(folder))


def _migration(folder: Folder, name: str) -> Migration:
    up, down = f"{name}/migration.sql", f"{name}/down.sql"
    way_back = whole_file(folder, down) if folder.has(down) else None
    files = (up, down) if way_back else (up,)
    shown = tuple(folder.shown(file) for file in files)
    return Migration(name, name, whole_file(folder, up), way_back, shown)


KIND = Kind("prisma", "Prisma Migrate", "folders with migration.sql", matches, read)

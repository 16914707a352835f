"""Diesel: a folder for each migration, with ``up.sql`` and ``down.sql``.

Every folder that is not hidden is a migration and needs ``up.sql``; files beside the folders do
not matter. The version is the folder's name up to its first underscore, without hyphens, so
``2019-02-26-002946_create_user`` is 20190226002946; the order is that of versions as text. An
empty ``up.sql`` is refused. ``metadata.toml`` may say ``run_in_transaction = false``, which is also
what a ``metadata.toml`` without that key means.
Facts: https://github.com/diesel-rs/diesel/tree/master/diesel_migrations
(file_based_migrations.rs, migrations_internals/src/lib.rs)
"""

from __future__ import annotations

import re
import tomllib

from harness.layouts._folder import Folder, counted
from harness.layouts._pairs import told_twice, whole_file
from harness.layouts._values import Kind, Migration, Script


def matches(folder: Folder) -> str | None:
    """Evidence: how many folders have the two files."""
    ups = [name for name in folder.folders if folder.has(f"{name}/up.sql")]
    downs = sum(folder.has(f"{name}/down.sql") for name in ups)
    folders = counted(len(ups), "folder")
    return f"{folders} with up.sql, {downs} with down.sql" if ups else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By version; see the module's docstring."""
    seen: dict[str, str] = {}
    migrations = []
    for name in folder.folders:
        if not folder.has(f"{name}/up.sql"):
            folder.complain(
                name,
                "found no up.sql in this folder, which Diesel requires: add it, or move the "
                "folder away",
            )
            continue
        version = name.split("_", 1)[0].replace("-", "")
        first = seen.setdefault(version, name)
        if first != name:
            told_twice(folder, name, version, first)
        migrations.append(_migration(folder, name, version))
    return tuple(sorted(migrations, key=lambda migration: migration.version))


def _migration(folder: Folder, name: str, version: str) -> Migration:
    up_file, down_file = f"{name}/up.sql", f"{name}/down.sql"
    transaction = _transaction(folder, f"{name}/metadata.toml")
    up = whole_file(folder, up_file, transaction=transaction)
    if not up.text:
        folder.complain(up_file, "is empty, which Diesel refuses; write a statement")
    down: Script | None = None
    if folder.has(down_file):
        down = whole_file(folder, down_file, transaction=transaction)
        down = down if down.text else None
    files = [file for file in (up_file, down_file) if folder.has(file)]
    return Migration(version, name, up, down, tuple(folder.shown(file) for file in files))


def _transaction(folder: Folder, metadata: str) -> bool:
    if not folder.has(metadata):
        return True
    try:
        found = tomllib.loads(folder.text(metadata)).get("run_in_transaction", False)
    except tomllib.TOMLDecodeError as wrong:
        line = re.search(r"line (\d+)", str(wrong))
        folder.complain(metadata, f"is no TOML: {wrong}", int(line[1]) if line else 1)
        return True
    if not isinstance(found, bool):
        folder.complain(metadata, f"found run_in_transaction = {found!r}, wanted true or false")
    return bool(found)


KIND = Kind("diesel", "Diesel", "folders with up.sql and down.sql", matches, read)

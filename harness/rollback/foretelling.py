"""What can be told of a folder without a server: by its SQL, and by squawk where that is here."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from harness.layouts import Migration
from harness.rollback import static
from harness.rollback.events import Foretold
from harness.sqltext import Dialect
from harness.sweep.way_back import declared, has_one
from harness.tools.adapter import Adapter

LINTERS: Mapping[str, str] = {"postgres": "squawk"}
"""By dialect, a program that reads it; its findings stand beside ours."""
DEADLINE_S = 60.0


def foretold(
    migrations: Sequence[Migration], chosen: Collection[str], tool: Adapter, dialect: Dialect
) -> list[Foretold]:
    """Of each chosen migration, in the order of the folder."""
    signs = static.signs(migrations, dialect)
    wanted = [migration for migration in migrations if migration.version in chosen]
    others = squawk(shutil.which(LINTERS.get(dialect, "")), wanted)
    return [
        Foretold(
            migration.version,
            name=migration.name,
            files=migration.files,
            down=has_one(tool, migration),
            declared=declared(migration),
            code=migration.up is None,
            signs=signs[migration.version],
            unread=static.unread(migration, dialect),
            squawk=others.get(migration.version, ()),
        )
        for migration in wanted
    ]


def squawk(program: str | None, migrations: Sequence[Migration]) -> Mapping[str, tuple[str, ...]]:
    """What the program says of each way up, by version; nothing where there is none, or where it
    says nothing that can be read.
    """
    files = {m.up.file: m.version for m in migrations if m.up and Path(m.up.file).is_file()}
    if not program or not files:
        return {}
    try:
        done = subprocess.run(
            [program, "--reporter", "Json", *files],
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found: dict[str, list[str]] = {}
        for one in json.loads(done.stdout or "[]"):
            says = f"{one['rule_name']}, line {int(one['line']) + 1}: {one['message']}"
            found.setdefault(files[one["file"]], []).append(says)
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return {}
    return {version: tuple(says) for version, says in found.items()}

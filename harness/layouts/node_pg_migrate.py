"""node-pg-migrate: ``<milliseconds or 17 digits>_name.sql`` with ``-- Up Migration``, or code.

An SQL file may hold both ways: each from its comment to the other's or to the end; without the
comments all of it leads up. The order is that of the times in the names (13 digits: milliseconds;
17 digits: a date in UTC). The version is the stem, as in ``pgmigrations.name``. ``.js`` and ``.ts``
files are migrations too, which only the tool can run.
Facts: https://github.com/salsita/node-pg-migrate (src/sqlMigration.ts, src/migration.ts)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from harness.layouts._folder import Folder, counted, line_at
from harness.layouts._pairs import told_twice
from harness.layouts._values import Kind, Migration, Script

_FILE = re.compile(r"(\d+)_.*\.(sql|js|ts|cjs|mjs)", re.ASCII)
_UP, _DOWN = (
    re.compile(rf"^[\s\ufeff]*--[\s-]*{way}\s+migration", re.MULTILINE | re.IGNORECASE)
    for way in ("up", "down")
)
_SQL_MARK = re.compile(r"^[\ufeff \t]*--[ \t-]*(?:up|down)[ \t]+migration", re.M | re.I)
_CODE_MARK = re.compile(r"\bpgm\b|node-pg-migrate")


def matches(folder: Folder) -> str | None:
    """Evidence: how many files have the comments, or use pgm."""
    names = [name for name in folder.files if _FILE.fullmatch(name)]
    sql = folder.marked((name for name in names if name.endswith(".sql")), _SQL_MARK)
    code = folder.marked((name for name in names if not name.endswith(".sql")), _CODE_MARK)
    told = []
    if sql:
        told.append(f"{counted(len(sql), 'file')} with -- Up Migration")
    if code:
        told.append(f"{counted(len(code), 'file')} with pgm")
    return ", ".join(told) or None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By the time in the name; see the module's docstring."""
    found = []
    seen: dict[str, str] = {}
    for name in folder.files:
        if (match := _FILE.fullmatch(name)) and not name.endswith(".d.ts"):
            stem = name.rpartition(".")[0]
            first = seen.setdefault(stem, name)
            if first != name:
                told_twice(folder, name, stem, first)
            found.append((_time(match[1]), stem, name))
    return tuple(_migration(folder, name, stem) for _, stem, name in sorted(found))


def _time(digits: str) -> float:
    """Milliseconds; other numbers stand for themselves."""
    if len(digits) == 17:
        try:
            moment = datetime.strptime(digits[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return float(digits)
        return moment.timestamp() * 1000 + int(digits[14:])
    return float(digits)


def _migration(folder: Folder, name: str, stem: str) -> Migration:
    files = (folder.shown(name),)
    if not name.endswith(".sql"):
        return Migration(stem, stem, None, None, files)
    text = folder.text(name)
    up, down = (
        (found.start() if found else -1) for found in (_UP.search(text), _DOWN.search(text))
    )
    first = _part(files[0], text, max(up, 0), down if down >= up >= 0 else -1)
    back = _part(files[0], text, down, up if up >= down else -1) if down >= 0 else None
    return Migration(stem, stem, first, back, files)


def _part(file: str, text: str, start: int, end: int) -> Script:
    return Script(file, line_at(text, start), text[start:] if end < 0 else text[start:end])


KIND = Kind(
    "node-pg-migrate",
    "node-pg-migrate",
    "1700000000000_name.sql with -- Up Migration",
    matches,
    read,
)

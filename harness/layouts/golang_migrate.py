"""golang-migrate: ``1_name.up.sql`` and ``1_name.down.sql``.

File names are ``<digits>_<name>.(up|down).<extension>`` in one folder, without subfolders; other
files are passed over. The version is a number, so ``0001`` and ``1`` are one version, and the
order is numeric. Its table holds that number. Either way may be missing for the tool; a way down
without one up is refused here, since there is nothing to break. No directive changes transactions.
Facts: https://github.com/golang-migrate/migrate/blob/master/source/parse.go and
https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.layouts._folder import Folder, counted, left_out
from harness.layouts._pairs import Half, paired
from harness.layouts._values import Kind, Migration

_NAME = re.compile(r"(\d+)_(.*)\.((?-i:up|down))\.(?:.*\.)?sql", re.ASCII | re.I | re.S)
_BIGGEST = 2**64 - 1


def _halves(folder: Folder) -> Iterator[Half]:
    for file in folder.files:
        found = _NAME.fullmatch(file)
        if not found:
            continue
        number = int(found[1])
        if number > _BIGGEST:
            folder.complain(file, f"found version {number}, wanted at most {_BIGGEST}")
        yield Half(number, str(number), f"{found[1]}_{found[2]}", found[3] == "down", file)


def matches(folder: Folder) -> str | None:
    """Evidence: how many files lead up and down."""
    halves = [found for file in folder.sql_files if (found := _NAME.fullmatch(file))]
    downs = sum(found[3] == "down" for found in halves)
    if len(halves) == downs:
        return None
    taken = {found[0] for found in halves}
    others = [file for file in folder.sql_files if file not in taken]
    return f"{counted(len(halves) - downs, 'file')} *.up.sql, {downs} *.down.sql{left_out(others)}"


def read(folder: Folder) -> tuple[Migration, ...]:
    """By number; see the module's docstring."""
    return paired(folder, _halves(folder))


KIND = Kind("golang-migrate", "golang-migrate", "1_name.up.sql, 1_name.down.sql", matches, read)

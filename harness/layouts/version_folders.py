"""A folder for each version, with plain ``.sql`` files in it: ``0.21/01__users.sql``.

What scripts of people's own read, and some web applications: folders named by versions or dates
(``0.21``, ``v2``, ``2024/03``), and in each what brings a database there. Every file is a migration
of its own, and its version is its path without ``.sql``. The order is by the folder's number, then
by the file's, then by name. A way back is ``<stem>.down.sql`` and the like beside its file. What is
no ``.sql`` (a ``LATEST`` that names the newest version) is left out, and so are other folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.layouts._folder import Folder, counted, left_out
from harness.layouts._pairs import Half, paired
from harness.layouts._values import Kind, Migration

_VERSION = re.compile(r"v?(\d+(?:[._-]\d+)*)(?:[^0-9a-z].*)?", re.ASCII | re.I | re.DOTALL)
_WAY = re.compile(r"(.*)[._-](up|down|undo|revert)", re.I | re.DOTALL)


def matches(folder: Folder) -> str | None:
    """Evidence: how many folders are named by versions, and how many files are in them."""
    halves = list(_halves(folder))
    if not halves:
        return None
    places = {half.file.rpartition("/")[0] for half in halves}
    ups = sum(not half.down for half in halves)
    told = f"{counted(len(places), 'folder')} named by a version, with {counted(ups, '.sql file')}"
    taken = {half.file for half in halves}
    others = [name for name in folder.tree if name.lower().endswith(".sql") and name not in taken]
    return told + left_out(others, "not in a folder named by a version")


def read(folder: Folder) -> tuple[Migration, ...]:
    """By the numbers of folders, then of files; see the module's docstring."""
    return paired(folder, _halves(folder))


def _halves(folder: Folder) -> Iterator[Half]:
    for file in folder.tree:
        *places, base = file.split("/")
        if not places or not base.lower().endswith(".sql"):
            continue
        if not all(_VERSION.fullmatch(place) for place in places):
            continue
        stem = file[: -len(".sql")]
        way = _WAY.fullmatch(stem)
        name = way[1] if way else stem
        down = way is not None and way[2].lower() != "up"
        key = tuple(_rank(part) for part in name.split("/"))
        yield Half(key, name, name, down, file)


def _rank(name: str) -> tuple[bool, tuple[int, ...], str]:
    """Those with a number by it, before those without."""
    found = _VERSION.fullmatch(name)
    numbers = tuple(int(number) for number in re.findall(r"\d+", found[1])) if found else ()
    return found is None, numbers, name


KIND = Kind(
    "version-folders",
    "a folder of .sql files for each version",
    "0.21/01_name.sql",
    matches,
    read,
    last_resort=True,
)

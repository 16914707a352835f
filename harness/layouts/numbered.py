"""Plain ``.sql`` files whose names begin with a number (or V and a number) or a date.

What psql or the mysql client is given by hand or by a script, and what small tools take that have
no directives. The version is the number as it is written; ``1`` and ``01`` are one. The order is
numeric, which the evidence says if the order of names is another one (10 before 2). A way back is
``<stem>.down.sql``, ``<stem>_down.sql``, ``<stem>.undo.sql`` or ``<stem>.revert.sql``; ``.up``
is taken off a stem. Other files are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.layouts._folder import Folder, counted, left_out
from harness.layouts._pairs import Half, paired
from harness.layouts._values import Kind, Migration

_DATE = r"\d{4}[-_.]\d{2}[-_.]\d{2}(?:[-_.T]?\d+)*"
_NAME = re.compile(rf"v?({_DATE}|\d+(?:\.\d+)*)(?!\d)(.*)\.sql", re.ASCII | re.I | re.DOTALL)
_WAY = re.compile(r"(.*)[._-](up|down|undo|revert)", re.I | re.DOTALL)


def matches(folder: Folder) -> str | None:
    """Evidence: how many files, and whether the order of names is another one."""
    halves = list(_halves(folder))
    ups = [half for half in halves if not half.down]
    if not ups:
        return None
    told = f"{counted(len(ups), 'numbered .sql file')}"
    downs = len(halves) - len(ups)
    if downs:
        told += f", {downs} for the way back"
    if sorted(ups, key=lambda half: half.key) != sorted(ups, key=lambda half: half.file):
        told += "; in the order of their numbers, not of their names"
    taken = {half.file for half in halves}
    others = [name for name in folder.sql_files if name not in taken]
    return told + left_out(others, "no number in front")


def read(folder: Folder) -> tuple[Migration, ...]:
    """By number; see the module's docstring."""
    return paired(folder, _halves(folder))


def _halves(folder: Folder) -> Iterator[Half]:
    for file in folder.sql_files:
        found = _NAME.fullmatch(file)
        if found:
            stem = file[: -len(".sql")]
            way = _WAY.fullmatch(stem)
            key = tuple(int(number) for number in re.findall(r"\d+", found[1]))
            down = way is not None and way[2].lower() != "up"
            yield Half(key, found[1], way[1] if way else stem, down, file)


KIND = Kind("numbered", "numbered .sql files", "001_name.sql", matches, read, last_resort=True)

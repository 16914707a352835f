"""Files that belong together: the way up and the way down of one version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.layouts._folder import Folder
from harness.layouts._values import Migration, Script


@dataclass(frozen=True)
class Half:
    """One file of a pair. ``key`` orders versions and is equal for equal ones."""

    key: Any
    version: str
    name: str
    down: bool
    file: str
    transaction: bool = True


def whole_file(folder: Folder, name: str, *, transaction: bool = True) -> Script:
    """A file that is one script from its first character to its last."""
    return Script(folder.shown(name), 1, folder.text(name), transaction)


def paired(folder: Folder, halves: Iterable[Half]) -> tuple[Migration, ...]:
    """Migrations by their keys; complaints for two files of one version and a down alone."""
    ups: dict[Any, Half] = {}
    downs: dict[Any, Half] = {}
    for half in halves:
        side = downs if half.down else ups
        first = side.setdefault(half.key, half)
        if first is not half:
            told_twice(folder, half.file, half.version, first.file)
    for key, half in downs.items():
        if key not in ups:
            folder.complain(
                half.file,
                f"found a way down for version {half.version} and no way up; add the missing file, "
                "or remove this one",
            )
    return tuple(_pair(folder, ups[key], downs.get(key)) for key in sorted(ups))


def told_twice(folder: Folder, file: str, version: str, first: str) -> None:
    """Complain that a version is there a second time."""
    folder.complain(
        file,
        f"found version {version} again; it is already {folder.shown(first)}: give one of them "
        "another version",
    )


def _pair(folder: Folder, up: Half, down: Half | None) -> Migration:
    back = whole_file(folder, down.file, transaction=down.transaction) if down else None
    return Migration(
        version=up.version,
        name=up.name,
        up=whole_file(folder, up.file, transaction=up.transaction),
        down=back,
        files=tuple(folder.shown(half.file) for half in (up, down) if half),
    )

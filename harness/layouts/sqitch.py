"""Sqitch: ``sqitch.plan`` gives the order; scripts lie in ``deploy/``, ``revert/``, ``verify/``.

The version is the change's name; of a reworked change, the earlier instance is ``name@tag``, with
the first tag after it, as its files are named. A script opens and ends its transactions itself.
``sqitch.conf`` may move things by ``core.top_dir``, ``core.plan_file`` and ``core.extension``.
Facts: https://sqitch.org/docs/manual/sqitchtutorial/, lib/App/Sqitch/Plan.pm,
https://sqitch.org/docs/manual/sqitch-config/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.layouts._folder import Folder, counted
from harness.layouts._pairs import whole_file
from harness.layouts._values import Kind, Migration

_SETTING = re.compile(r"\s*(\w+)\s*=\s*\"?([^\"#;\n]*?)\"?\s*(?:[#;].*)?")
_CHANGE = re.compile(r"\s*([+-]?)\s*([^\s\[#]+)\s*(?:\[[^\]]*\])?\s+\d{4}-\d\d-\d\dT\S+\s+.*")
_TAG = re.compile(r"\s*@(\S+)\s+\d{4}-\d\d-\d\dT\S+\s+.*")


@dataclass(frozen=True)
class _Places:
    plan: str
    top: str
    extension: str

    def script(self, folder: str, name: str) -> str:
        return f"{self.top}{folder}/{name}.{self.extension}"


def matches(folder: Folder) -> str | None:
    """Evidence: the plan, and how many changes are in it."""
    places = _places(folder)
    if not folder.has(places.plan):
        return None
    changes = sum(1 for line in folder.glance(places.plan).splitlines() if _CHANGE.fullmatch(line))
    return f"{places.plan} with {counted(changes, 'change')}"


def read(folder: Folder) -> tuple[Migration, ...]:
    """By the plan; see the module's docstring."""
    places = _places(folder)
    if not folder.has(places.plan):
        folder.complain(places.plan, "is not there; wanted Sqitch's plan: name its folder")
        return ()
    return tuple(_migration(folder, places, *found) for found in _changes(folder, places.plan))


def _places(folder: Folder) -> _Places:
    settings = {}
    section = ""
    for line in folder.glance("sqitch.conf").splitlines():
        if line.strip().startswith("["):
            section = line.strip().strip("[]").strip().lower()
        elif section == "core" and (found := _SETTING.fullmatch(line)):
            settings[found[1].lower()] = found[2]
    top = settings.get("top_dir", "").removeprefix("./").rstrip("/")
    top = f"{top}/" if top not in ("", ".") else ""
    plan = settings.get("plan_file", f"{top}sqitch.plan").removeprefix("./")
    return _Places(plan, top, settings.get("extension", "sql"))


def _changes(folder: Folder, plan: str) -> Iterator[tuple[str, int]]:
    """Each change's name, as its files have it, and its line in the plan."""
    entries: list[tuple[str, str, int]] = []
    for number, line in enumerate(folder.text(plan).removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip()[0] in "#%":
            continue
        if tag := _TAG.fullmatch(line):
            entries.append(("@", tag[1], number))
        elif change := _CHANGE.fullmatch(line):
            if change[1] == "-":
                folder.complain(plan, "found a change that is a revert; Sqitch runs none", number)
            entries.append(("+", change[2], number))
        else:
            folder.complain(
                plan,
                f"found {line.strip()!r}, wanted: name [needs] time planner <address> # note, or "
                "@tag time …",
                number,
            )
    for at, (mark, name, number) in enumerate(entries):
        if mark == "+":
            yield _instance(folder, plan, entries[at + 1 :], name, number), number


def _instance(
    folder: Folder, plan: str, later: list[tuple[str, str, int]], name: str, number: int
) -> str:
    """The name of its files: with the first tag after it if the change comes again."""
    again = next((at for at, one in enumerate(later) if one[:2] == ("+", name)), None)
    if again is None:
        return name
    tag = next((one[1] for one in later[:again] if one[0] == "@"), None)
    if tag is None:
        folder.complain(
            plan,
            f"found the change {name} again without a tag between; rename one",
            later[again][2],
        )
    return f"{name}@{tag}" if tag else f"{name}, line {number}"


def _migration(folder: Folder, places: _Places, name: str, line: int) -> Migration:
    deploy, revert = places.script("deploy", name), places.script("revert", name)
    verify = places.script("verify", name)
    if not folder.has(deploy):
        folder.complain(
            places.plan, f"found the change {name}, and there is no {folder.shown(deploy)}", line
        )
        return Migration(name, name, None, None, ())
    down = whole_file(folder, revert) if folder.has(revert) else None
    files = [file for file in (deploy, revert, verify) if folder.has(file)]
    shown = tuple(folder.shown(file) for file in files)
    return Migration(name, name, whole_file(folder, deploy), down, shown)


KIND = Kind("sqitch", "Sqitch", "sqitch.plan, deploy/ and revert/", matches, read)

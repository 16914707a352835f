"""Names become kinds: a scan of the room's folder, then the entry points of other packages.

A kind file ``harness/verbs/faults/kill_session.py`` holds ``KIND = KillSession`` and is the word
``kill-session`` in the YAML; a module without ``KIND`` is only a helper of its room. An engine
is a folder ``harness/engines/<name>/`` whose ``__init__.py`` holds ``ENGINE``. Another package
adds one by an entry point in the group ``migration_drill.<room>`` that names the class (or, for
``engines``, the value).

The scan reads files and imports none, so that asking for one kind imports that kind alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from harness.errors import DrillError, UsageError
from harness.ports import Engine

ROOMS = {
    "faults": "verbs/faults",
    "holds": "verbs/holds",
    "steps": "verbs/steps",
    "claims": "verbs/claims",
    "run-reports": "reporting/run",
    "sweep-reports": "reporting/sweep",
    "rollback-reports": "reporting/rollback",
    "backup-reports": "reporting/backup",
}
"""Each room of kinds, and its folder."""
GROUP = "migration_drill"
PACKAGE = "harness"
HOME = Path(__file__).parent
VERSION = re.compile(r"\d+(\.\d+)*")


def kinds(room: str) -> dict[str, Any]:
    """Every kind of ``room`` by its word, sorted. Imports all of them."""
    _must_be_a_room(room)
    return {word: load() for word, load in sorted(_loaders(room, "KIND").items())}


def kind(room: str, word: str) -> Any:
    """One kind, importing no other; UsageError that lists the known words."""
    _must_be_a_room(room)
    return _one(room, "KIND", word)


def engines() -> dict[str, Engine]:
    """Every engine by its name, sorted. Imports all of their drivers."""
    return {name: load() for name, load in sorted(_loaders("engines", "ENGINE").items())}


def engine(name: str) -> Engine:
    """One engine, importing no other, in a version if the name has one: ``postgres:17``.

    UsageError that lists the known names.
    """
    word, colon, version = name.partition(":")
    found: Engine = _one("engines", "ENGINE", word)
    if not colon:
        return found
    if not VERSION.fullmatch(version):
        raise UsageError(
            f"found '{name}', wanted a version as in {found.name}:{found.recipe.version}; "
            f"any other image is named by --image {found.name}=IMAGE"
        )
    return found.at(version)


def unknown(what: str, found: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name: what was found, the nearest known one, all known ones."""
    names = sorted(known)
    near = difflib.get_close_matches(found, names, n=1)
    guess = f"; did you mean '{near[0]}'?" if near else "."
    return f"unknown {what} '{found}'{guess} Known: {', '.join(names) or 'none'}"


def _must_be_a_room(room: str) -> None:
    if room not in ROOMS:
        raise UsageError(unknown("room", room, ROOMS))


def _one(room: str, attribute: str, word: str) -> Any:
    """Looks at the folder first: reading the entry points costs more than most imports."""
    load = _in_folder(room, attribute).get(word) or _loaders(room, attribute).get(word)
    if load is None:
        raise UsageError(unknown(f"word in {room}", word, _loaders(room, attribute)))
    return load()


@cache
def _loaders(room: str, attribute: str) -> dict[str, Callable[[], Any]]:
    found = dict(_in_folder(room, attribute))
    for entry in metadata.entry_points(group=f"{GROUP}.{room}"):
        if entry.name in found:
            raise DrillError(
                f"two of {room} are called '{entry.name}': one is {entry.value} "
                f"(entry point of {entry.dist.name if entry.dist else 'a package'}). "
                "Rename or uninstall one of them"
            )
        found[entry.name] = entry.load
    return found


@cache
def _in_folder(room: str, attribute: str) -> dict[str, Callable[[], Any]]:
    holds_it = re.compile(rf"^{attribute}\b", re.MULTILINE)
    found: dict[str, Callable[[], Any]] = {}
    folder = HOME / ROOMS.get(room, room)
    for path in sorted([*folder.glob("*.py"), *folder.glob("*/__init__.py")]):
        if path == folder / "__init__.py" or not holds_it.search(path.read_text("utf-8")):
            continue
        module = path.parent.name if path.name == "__init__.py" else path.stem
        word = module.replace("_", "-")
        if word in found:
            raise DrillError(f"two of {room} are called '{word}'; the other one is {path}")
        inside = ".".join((PACKAGE, *folder.relative_to(HOME).parts, module))
        found[word] = _loader(inside, attribute)
    return found


def _loader(module: str, attribute: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(module), attribute)

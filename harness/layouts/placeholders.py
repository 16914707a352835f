"""Values in the place of a file's placeholders, as its tool puts them there.

Flyway fills in ``${name}`` wherever it stands, in texts and comments as well, and knows no capitals
in names. goose fills in ``${NAME}``, ``$NAME`` and ``${NAME:-default}`` between ENVSUB ON and OFF.
Both read values from settings or the environment; here they come from the command line alone, and
a file with a placeholder that has none is refused.
Facts: https://documentation.red-gate.com/fd/placeholders-277579003.html (and
PlaceholderReplacingReader.java), https://pressly.github.io/goose/documentation/environment-variables/
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.errors import Problem, ScenarioError, UsageError
from harness.layouts._values import Migration, Script

EVERYWHERE = re.compile(r"\$\{(?P<name>[^}]*)\}")
ENVIRONMENT = re.compile(
    r"\$(?:\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[^}]*))?\}|(?P<bare>[A-Za-z_]\w*))", re.ASCII
)


@dataclass(frozen=True)
class _Mark:
    """One placeholder: where in the script, its name, and what comes in its place if known."""

    start: int
    end: int
    name: str
    text: str
    value: str | None


def values_of(pairs: Sequence[str]) -> dict[str, str]:
    """``name=value`` of each pair. UsageError for one that is none, or a name with two values."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--placeholder wants NAME=VALUE, found {pair!r}")
        if values.setdefault(name, value) != value:
            raise UsageError(f"--placeholder {name} has two values; wanted one")
    return values


def filled(
    migrations: Sequence[Migration], values: Mapping[str, str], *, everywhere: bool
) -> tuple[tuple[Migration, ...], frozenset[str]]:
    """The migrations with values in place, and the names of the values that none of them has.

    ``everywhere``: the tool fills in ``${name}`` of every file, as Flyway does. ScenarioError with
    file and line of each placeholder without a value.
    """
    used: set[str] = set()
    problems: list[Problem] = []

    def of(script: Script | None) -> Script | None:
        if script is None:
            return None
        marks = list(_marks(script, values, everywhere))
        used.update(mark.name.lower() if everywhere else mark.name for mark in marks)
        problems.extend(_problems(script, marks))
        return _in_place(script, marks)

    done = tuple(replace(m, up=of(m.up), down=of(m.down)) for m in migrations)
    if problems:
        raise ScenarioError(problems)
    unused = (name for name in values if (name.lower() if everywhere else name) not in used)
    return done, frozenset(unused)


def takes_any(migrations: Collection[Migration]) -> bool:
    """Whether a file itself asks for values."""
    return any(script.envsub for m in migrations for script in (m.up, m.down) if script)


def _marks(script: Script, values: Mapping[str, str], everywhere: bool) -> Iterator[_Mark]:
    if everywhere:
        lower = {name.lower(): value for name, value in values.items()}
        for found in EVERYWHERE.finditer(script.text):
            name = found["name"]
            yield _Mark(found.start(), found.end(), name, found[0], lower.get(name.lower()))
        return
    for start, end in script.envsub:
        for found in ENVIRONMENT.finditer(script.text, start, end):
            name = found["name"] or found["bare"]
            value = values.get(name, found["default"])
            yield _Mark(found.start(), found.end(), name, found[0], value)


def _problems(script: Script, marks: Sequence[_Mark]) -> Iterator[Problem]:
    """Each name without a value once, where it stands first."""
    missing = {mark.name: mark for mark in reversed(marks) if mark.value is None}
    for mark in missing.values():
        line = script.line + script.text.count("\n", 0, mark.start)
        shown = " ".join(mark.text.split())[:60]
        yield Problem(
            script.file,
            line,
            f"no value for the placeholder {shown}: what the tool would send is not known. Next: "
            f"--placeholder {mark.name.strip() or 'NAME'}=VALUE",
        )


def _in_place(script: Script, marks: Sequence[_Mark]) -> Script:
    """The script with the values, and what it says of its parts moved along."""
    if not marks:
        return script
    parts, at = [], 0
    for mark in marks:
        parts += [script.text[at : mark.start], mark.value or ""]
        at = mark.end

    def moved(offset: int) -> int:
        grown = (len(m.value or "") - (m.end - m.start) for m in marks if m.end <= offset)
        return offset + sum(grown)

    return replace(
        script,
        text="".join(parts) + script.text[at:],
        whole=tuple((moved(start), moved(end)) for start, end in script.whole),
        envsub=(),
        as_in_file=False,
    )

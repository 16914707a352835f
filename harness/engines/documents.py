"""JSON documents that have what the expressions around a column ask of it.

A generated column, a condition, an index or a default names members of a document; a row whose
document lacks them, or has them of another type, may not be let in, or tests nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.engines import value_formulas
from harness.ports.table_specs import Formula, Keyed, Variants

TEXT, NUMBER, DATE, MOMENT, FLAG = "text", "number", "date", "moment", "flag"

WANTED = (
    (re.compile(r"^(big|small|tiny|medium)?(int|serial)|^(un)?signed|^integer"), NUMBER),
    (re.compile(r"^(numeric|decimal|double|float|real|year)"), NUMBER),
    (re.compile(r"^(timestamp|datetime)"), MOMENT),
    (re.compile(r"^date"), DATE),
    (re.compile(r"^bool"), FLAG),
)
STEP = re.compile(r'\.(?:"((?:[^"\\]|\\.)*)"|([\w$-]+))|\[(\d+)\]')
PATH = re.compile(r"\$((?:\.(?:\"(?:[^\"\\]|\\.)*\"|[\w$-]+)|\[\d+\])+)")
VALUES = 6
"""So many of a type's formulas are tried for the members of a document."""


@dataclass(frozen=True)
class Path:
    """A member that is asked for, from the outermost in; ``wanted`` is of what type."""

    steps: tuple[str, ...]
    wanted: str = TEXT


@dataclass(frozen=True)
class Words:
    """How a dialect makes documents: an object of members, an array, true or false, and a date
    as text."""

    object_of: Callable[[Mapping[str, str]], str]
    array_of: Callable[[Sequence[str]], str]
    flag: str
    dialect: value_formulas.Dialect
    day: str = "concat('20', {i} % 19 + 10, '-03-', {i} % 18 + 10)"


def wanted_as(sql_type: str) -> str:
    """What a value must look like to become such a type."""
    name = sql_type.strip(' "').lower()
    return next((wanted for pattern, wanted in WANTED if pattern.search(name)), TEXT)


def steps_of(path: str) -> tuple[str, ...]:
    """The members on a JSON path; a place in an array keeps its brackets.

    >>> steps_of('$.a."b c"[0]')
    ('a', 'b c', '[0]')
    """
    return tuple(
        quoted.replace('\\"', '"') if quoted else bare or f"[{place}]"
        for quoted, bare, place in STEP.findall(path)
    )


def members_of(text: str) -> list[Path]:
    """The members of a document that is written out, such as a default."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    return list(_members(document, ())) if isinstance(document, dict) else []


def _members(value: Any, above: tuple[str, ...]) -> Iterator[Path]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _members(inner, (*above, str(key)))
    elif above and isinstance(value, bool):
        yield Path(above, FLAG)
    elif above and isinstance(value, int | float):
        yield Path(above, NUMBER)
    elif above and isinstance(value, str):
        yield Path(above, TEXT)


def merged(paths: Collection[Path]) -> tuple[Path, ...]:
    """Each member once; one that somebody wants as more than a text is that."""
    found: dict[tuple[str, ...], str] = {}
    for path in paths:
        if found.get(path.steps, TEXT) == TEXT:
            found[path.steps] = path.wanted
    inner = {steps[:n] for steps in found for n in range(1, len(steps))}
    return tuple(Path(steps, wanted) for steps, wanted in found.items() if steps not in inner)


def formulas(words: Words, paths: Sequence[Path], literals: Collection[str] = ()) -> list[Formula]:
    """Documents with these members, the likeliest first; ``literals`` are tried as values."""
    if not paths:
        return []
    steps = {step for path in paths for step in path.steps}
    values = [text for text in literals if text not in steps and not text.startswith("$")]
    numbers = ["{i} % 90 + 10"]
    if points := value_formulas.decimals(values):
        low, high = points[0], points[-1]
        numbers += [f"{low:f} + {{i}} % {max(1, int(high - low))}", f"{high:f}", f"{low:f}"]
    texts = [f"concat({words.dialect.pick('{i}', value_formulas.WORDS)}, ' ', {{i}})", "{i}"]
    if values:
        texts.insert(1, words.dialect.pick("{i}", values))
    made = [
        _document(words, paths, {TEXT: text, NUMBER: number})
        for text in texts[:VALUES]
        for number in numbers[:VALUES]
    ]
    return [Formula(sql) for sql in dict.fromkeys(made)]


def variants(words: Words, paths: Sequence[Path], keyed: Keyed) -> Variants:
    """Without the members, with null in them, with values of other types, and empty."""
    if keyed is not Keyed.NOT:
        return Variants()
    other = {TEXT: "{i}", NUMBER: f"concat({words.dialect.quote('')}, {{i}} % 90)"}
    more = {
        "id": "concat('a', {i})",
        "tags": words.array_of(()),
        "note": "NULL",
        "ratio": "0.5",
        "active": words.flag,
        "nested": words.object_of({"ä b": words.array_of(("1", "'1'", "NULL"))}),
    }
    found = [words.object_of(more), words.object_of({})]
    if paths:
        found.insert(0, _document(words, paths, {}, more))
        found.insert(1, _document(words, paths, other))
        found.append(_document(words, paths, dict.fromkeys((TEXT, NUMBER, DATE, MOMENT), "NULL")))
    return Variants(tuple(found))


def _document(
    words: Words,
    paths: Sequence[Path],
    values: Mapping[str, str],
    more: Mapping[str, str] | None = None,
) -> str:
    """An object with these members, a number of its own and what ``more`` gives."""
    usual = {
        TEXT: f"concat({words.dialect.pick('{i}', value_formulas.WORDS)}, ' ', {{i}})",
        NUMBER: "{i} % 90 + 10",
        DATE: words.day,
        MOMENT: f"concat({words.day}, ' 12:30:00')",
        FLAG: words.flag,
    } | dict(values)
    members = {path.steps: usual[path.wanted] for path in paths}
    plain = {"id": "{i}", "tags": words.array_of(("'a'", "{i} % 7"))} | dict(more or {})
    taken = {steps[0] for steps in members}
    return _object(words, {(k,): v for k, v in plain.items() if k not in taken} | members)


def _object(words: Words, members: Mapping[tuple[str, ...], str]) -> str:
    groups: dict[str, dict[tuple[str, ...], str]] = {}
    for steps, value in members.items():
        groups.setdefault(steps[0], {})[steps[1:]] = value
    made = {
        key: inner[()] if () in inner else _object(words, inner) for key, inner in groups.items()
    }
    if made and all(key.startswith("[") for key in made):
        last = max(int(key.strip("[]")) for key in made)
        return words.array_of([made.get(f"[{n}]", "NULL") for n in range(min(last, 99) + 1)])
    return words.object_of(made)

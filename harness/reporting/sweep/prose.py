"""A sentence of words of ours, texts of others, and code; the same in every format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.reporting import templating
from harness.reporting.words import one_line

LIMIT = 160
"""Characters that are shown of one part."""


@dataclass(frozen=True)
class Code:
    """A name, a statement or a command."""

    text: str
    limit: int = LIMIT


@dataclass(frozen=True)
class Quoted:
    """A text that comes from a server, a file or a tool."""

    text: str
    limit: int = LIMIT


Part = str | Code | Quoted
"""Words of ours as they are."""
Prose = tuple[Part, ...]


def listed(items: Sequence[Prose], last: str = " and ") -> Prose:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return tuple(part for item in items for part in item)
    *most, end = items
    return (*joined(most, ", "), last, *end)


def joined(items: Iterable[Prose], between: str) -> Prose:
    """With those words between each two."""
    found: list[Part] = []
    for item in items:
        found += [between, *item] if found else item
    return tuple(found)


def as_text(prose: Prose) -> str:
    """For a terminal."""
    told = []
    for part in prose:
        match part:
            case Code():
                told.append(f"`{one_line(part.text, part.limit)}`")
            case Quoted():
                told.append(one_line(part.text, part.limit))
            case _:
                told.append(part)
    return "".join(told)


def as_markdown(prose: Prose, *, cell: bool = False) -> Markup:
    """For a paragraph, or a table's cell."""
    told = []
    for part in prose:
        match part:
            case Code():
                told.append(templating.code(part.text, part.limit, cell=cell))
            case Quoted():
                told.append(templating.markdown_text(part.text, part.limit))
            case _:
                told.append(Markup(part))
    return Markup("").join(told)


def as_html(prose: Prose) -> Markup:
    """For an element that holds text."""
    told = []
    for part in prose:
        match part:
            case Code():
                told.append(Markup("<code>{}</code>").format(one_line(part.text, part.limit)))
            case Quoted():
                told.append(Markup("{}").format(one_line(part.text, part.limit)))
            case _:
                told.append(Markup("{}").format(part))
    return Markup("").join(told)

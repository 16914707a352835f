"""A change of one object with what it alters, and the names that are drawn for it.

In the texts ``{t}`` is a name as SQL wants it, with its schema; ``{t:key}`` is the same as a
snapshot's key has it; ``{t:told}`` as the server tells it, quoted only where it must be;
``{t:literal}`` in a text of SQL. ``{t:bare}`` is the name without its schema as SQL wants it,
``{t:name}`` as it is, ``{t:space}`` its schema. A capital letter has no schema: ``{A}`` is a
column, a trigger. The same letter is the same name all through a change. ``{n}`` is a number.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

SAID = ("gone", "new", "changed", "contents", "counters", "order")
"""What a difference names."""

ODD = ("{}", "{}", "{}", "Mixed_{}", "two words {}", "ünï_{}", "sel.ect{}", "a%s{}", "it's {}")
"""Most names are plain, as they are in life."""
PLAIN = ("{}", "Mixed_{}")


@dataclass(frozen=True)
class Change:
    """Statements that alter exactly what is named; ``given`` makes what they need.

    ``back`` takes the change back again: then nothing at all differs. ``needs`` is a query that
    gives 1 where the server can do this, with the reason of a server that cannot. ``alone``:
    cannot run in a transaction. ``writes`` are the tables of the catalogue that show it. ``plain``:
    its names are of ASCII.
    """

    name: str
    given: tuple[str, ...]
    does: tuple[str, ...]
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    needs: tuple[str, str] | None = None
    alone: bool = False
    writes: tuple[str, ...] = ()
    plain: bool = False

    def with_names(self, names: Names) -> Change:
        """The same with a name for every letter."""
        filled = {
            one.name: tuple(text.format_map(names) for text in getattr(self, one.name))
            for one in fields(self)
            if one.name in (*SAID, "given", "does", "back")
        }
        return replace(self, **filled)

    def said(self) -> dict[str, tuple[str, ...]]:
        """What a difference must name, in its order."""
        return {what: tuple(sorted(getattr(self, what))) for what in SAID}


@dataclass(frozen=True)
class Name:
    """One drawn name, and how it is written where."""

    name: str
    space: str
    quote: str

    def __format__(self, spec: str) -> str:
        if spec == "bare":
            return self._quoted(self.name)
        if spec == "name":
            return self.name
        if spec == "space":
            return self._quoted(self.space)
        if spec == "toldspace":
            return self._told(self.space)
        if spec == "literal":
            return "'" + format(self, "").replace("'", "''") + "'"
        if spec == "key":
            return ".".join(part for part in (self.space, self.name) if part)
        write = {"": self._quoted, "told": self._told}[spec]
        return ".".join(write(part) for part in (self.space, self.name) if part)

    def _quoted(self, name: str) -> str:
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def _told(self, name: str) -> str:
        return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else self._quoted(name)


class Names(dict):
    """A name for every letter, drawn when it is asked for, beside those that the world has."""

    def __init__(
        self,
        rng: random.Random,
        quote: str,
        spaces: Sequence[str],
        world: Mapping[str, object],
        numbers: Iterator[int],
        odd: Sequence[str] = ODD,
    ) -> None:
        super().__init__(world)
        self._odd = odd
        self._rng, self._quote, self._numbers = rng, quote, numbers
        self._space = rng.choice(spaces)

    def __missing__(self, key: str) -> object:
        number = next(self._numbers)
        if key == "type":
            self[key] = self._rng.choice(self["types"])
        elif key == "n":
            self[key] = 100_000 + number * 1000 + self._rng.randrange(1000)
        else:
            name = self._rng.choice(self._odd).format(f"{key.lower()}{number}")
            self[key] = Name(name, self._space if key.islower() else "", self._quote)
        return self[key]


def skipped(changes: Sequence[Change], scalar: Callable[[str], object]) -> dict[str, str]:
    """Changes that this server cannot do, with what they need; ``scalar`` asks it."""
    answers: dict[str, bool] = {}
    found = {}
    for each in changes:
        if each.needs:
            asked, what = each.needs
            if asked not in answers:
                answers[asked] = int(scalar(asked) or 0) > 0
            if not answers[asked]:
                found[each.name] = what
    return found


def change(
    name: str,
    given: str | tuple[str, ...],
    does: str | tuple[str, ...],
    *,
    needs: tuple[str, str] | None = None,
    alone: bool = False,
    plain: bool = False,
    **said: str | tuple[str, ...],
) -> Change:
    """A change of which single texts need no parentheses."""
    told = {what: _tuple(texts) for what, texts in said.items()}
    return Change(name, _tuple(given), _tuple(does), needs=needs, alone=alone, plain=plain, **told)


def _tuple(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def drawn(changes: Sequence[Change], count: int, rng: random.Random) -> list[Change]:
    """So many, in a drawn order: each once before any comes twice."""
    order: list[Change] = []
    while len(order) < count:
        some = list(changes)
        rng.shuffle(some)
        order += some
    return order[:count]

"""In which order tables are filled: parents first, and where a cycle is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports.blanks import Blank, Link


@dataclass(frozen=True)
class Turn:
    """A table's turn: ``later`` are its foreign keys that get their values when all is there.

    ``deferred``: some of those may not be NULL, so a transaction must stay open until then.
    ``forced``: nor can the server wait with them, so it must not look when the rows come in.
    """

    blank: Blank
    later: tuple[Link, ...] = ()
    deferred: bool = False
    forced: bool = False


def nullable(blank: Blank, link: Link) -> bool:
    """Whether the foreign key can be left empty at first."""
    return any(blank.column(name).nullable for name in link.columns)


def turns(blanks: Sequence[Blank]) -> list[Turn]:
    """Every table once, by name where nothing else decides.

    A table waits for its parents. Where all that are left wait for each other, one whose links
    can be NULL goes first, else one whose links are deferrable, else any.
    """
    waiting = {blank.name: blank for blank in blanks}
    found: list[Turn] = []
    while waiting:
        ready = [b for b in waiting.values() if not _holding(b, waiting)]
        if ready:
            for blank in ready:
                found.append(_turn(blank, _own(blank)))
                del waiting[blank.name]
        else:
            cut = _first_to_go(waiting)
            found.append(_turn(cut, _own(cut) + _holding(cut, waiting)))
            del waiting[cut.name]
    return found


def _own(blank: Blank) -> list[Link]:
    """Links to the table itself that can wait; by any other, a row must point at itself."""
    return [
        link
        for link in blank.links
        if link.parent == blank.name and (nullable(blank, link) or link.deferrable)
    ]


def _holding(blank: Blank, waiting: dict[str, Blank]) -> list[Link]:
    return [link for link in blank.links if link.parent in waiting and link.parent != blank.name]


def _first_to_go(waiting: dict[str, Blank]) -> Blank:
    def hard(blank: Blank) -> tuple[int, int]:
        links = _holding(blank, waiting)
        return _hardness(blank, links), len(links)

    return min((b for b in waiting.values() if _in_cycle(b, waiting)), key=hard)


def _hardness(blank: Blank, links: list[Link]) -> int:
    """0: all can be NULL at first; 1: the server waits for the others; 2: it does not."""
    firm = [link for link in links if not nullable(blank, link)]
    return 0 if not firm else 1 if all(link.deferrable for link in firm) else 2


def _in_cycle(blank: Blank, waiting: dict[str, Blank]) -> bool:
    seen: set[str] = set()
    todo = [link.parent for link in _holding(blank, waiting)]
    while todo:
        name = todo.pop()
        if name == blank.name:
            return True
        if name not in seen:
            seen.add(name)
            todo += [link.parent for link in _holding(waiting[name], waiting)]
    return False


def _turn(blank: Blank, later: list[Link]) -> Turn:
    hardness = _hardness(blank, later)
    return Turn(blank, tuple(later), hardness > 0, hardness > 1)

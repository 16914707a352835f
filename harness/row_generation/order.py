"""In which order tables are filled: parents first, and where a cycle is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ports.table_specs import Link, TableSpec


@dataclass(frozen=True)
class Turn:
    """A table's turn: ``later`` are its foreign keys that get their values when all is there.

    ``deferred``: some of those may not be NULL, so a transaction must stay open until then.
    ``forced``: nor can the server wait with them, so it must not look when the rows come in.
    """

    spec: TableSpec
    later: tuple[Link, ...] = ()
    deferred: bool = False
    forced: bool = False


def nullable(spec: TableSpec, link: Link) -> bool:
    """Whether the foreign key can be left empty at first."""
    return any(spec.column(name).nullable for name in link.columns)


def turns(specs: Sequence[TableSpec]) -> list[Turn]:
    """Every table once, by name where nothing else decides.

    A table waits for its parents. Where all that are left wait for each other, one whose links
    can be NULL goes first, else one whose links are deferrable, else any.
    """
    waiting = {spec.name: spec for spec in specs}
    found: list[Turn] = []
    while waiting:
        ready = [b for b in waiting.values() if not _holding(b, waiting)]
        if ready:
            for spec in ready:
                found.append(_turn(spec, _own(spec)))
                del waiting[spec.name]
        else:
            cut = _first_to_go(waiting)
            found.append(_turn(cut, _own(cut) + _holding(cut, waiting)))
            del waiting[cut.name]
    return found


def _own(spec: TableSpec) -> list[Link]:
    """Links to the table itself that can wait; by any other, a row must point at itself."""
    return [
        link
        for link in spec.links
        if link.parent == spec.name and (nullable(spec, link) or link.deferrable)
    ]


def _holding(spec: TableSpec, waiting: dict[str, TableSpec]) -> list[Link]:
    return [link for link in spec.links if link.parent in waiting and link.parent != spec.name]


def _first_to_go(waiting: dict[str, TableSpec]) -> TableSpec:
    def hard(spec: TableSpec) -> tuple[int, int]:
        links = _holding(spec, waiting)
        return _hardness(spec, links), len(links)

    return min((b for b in waiting.values() if _in_cycle(b, waiting)), key=hard)


def _hardness(spec: TableSpec, links: list[Link]) -> int:
    """0: all can be NULL at first; 1: the server waits for the others; 2: it does not."""
    firm = [link for link in links if not nullable(spec, link)]
    return 0 if not firm else 1 if all(link.deferrable for link in firm) else 2


def _in_cycle(spec: TableSpec, waiting: dict[str, TableSpec]) -> bool:
    seen: set[str] = set()
    todo = [link.parent for link in _holding(spec, waiting)]
    while todo:
        name = todo.pop()
        if name == spec.name:
            return True
        if name not in seen:
            seen.add(name)
            todo += [link.parent for link in _holding(waiting[name], waiting)]
    return False


def _turn(spec: TableSpec, later: list[Link]) -> Turn:
    hardness = _hardness(spec, later)
    return Turn(spec, tuple(later), hardness > 0, hardness > 1)

"""The rows of the catalogue queries, put together: an object's definition may stand in several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.engines.mysql.shown_tables import take_apart
from harness.engines.mysql.snapshot_sql import KEY_PARTS, Listing

SHOWN_AS = {"VIEW": "VIEW", "SEQUENCE": "SEQUENCE"}
"""What SHOW CREATE calls it; a table of any type is a TABLE."""


@dataclass(frozen=True)
class Relation:
    """A table, view or sequence, and what the catalogue alone tells of it."""

    name: str
    type: str
    told: str

    @property
    def shown_as(self) -> str:
        return SHOWN_AS.get(self.type, "TABLE")

    def objects(self, shown: str, collations: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """Itself and its parts by kind and name; ``collations`` by table and column."""
        if self.shown_as != "TABLE":
            return {f"{self.type.lower()} {self.name}": shown}
        return {
            f"{kind} {self.name}{f'.{name}' if name else ''}": (
                f"{told} {self.told}".strip() if kind == "table" else told
            )
            for kind, name, told in take_apart(shown, collations.get(self.name, {}))
        }


class Catalogue:
    """What the listings tell: relations still to be shown, everything else as objects."""

    def __init__(self, listings: Sequence[Listing], rows: Iterable[Sequence[Any]]) -> None:
        self.relations: list[Relation] = []
        self.collations: dict[str, dict[str, str]] = {}
        self.objects: dict[str, str] = {}
        parts: dict[str, list[tuple[int, int, str]]] = {}
        grants: dict[str, dict[str, list[str]]] = {}
        for number, order, *values in rows:
            listing = listings[number]
            first, second, *rest = (_text(value) for value in values[:KEY_PARTS])
            if listing.kind == "relation":
                self.relations.append(Relation(second, first, _told(listing, values)))
            elif listing.kind == "collation":
                self.collations.setdefault(first, {})[second] = _told(listing, values)
            elif listing.kind == "grant":
                on = f"grant on {first} {'.'.join(part for part in (second, *rest) if part)}"
                grantee, right = (_text(value) for value in values[KEY_PARTS : KEY_PARTS + 2])
                grants.setdefault(on, {}).setdefault(grantee, []).append(right)
            else:
                key = _key(listing.kind, first, second, *rest)
                parts.setdefault(key, []).append((int(order), number, _told(listing, values)))
        for key, told in parts.items():
            self.objects[key] = " ".join(text for _, _, text in sorted(told) if text)
        for on, by_grantee in grants.items():
            self.objects[on] = "; ".join(
                f"{grantee}: {', '.join(sorted(rights))}"
                for grantee, rights in sorted(by_grantee.items())
            )


def _key(kind: str, *parts: str) -> str:
    if kind == "routine":
        return f"{parts[0].lower()} {parts[1]}"
    return f"{kind} {'.'.join(part for part in parts if part)}"


def _told(listing: Listing, values: Sequence[Any]) -> str:
    told = zip(listing.words, values[KEY_PARTS:], strict=False)
    return " ".join(text.format(_text(value)) for (_, text), value in told if value is not None)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")

"""One table's rows as a SELECT: which formula each column has and which parent each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from harness.ports.table_specs import ColumnSpec, Formula, Key, Link, TableSpec

CHILDREN = 3
"""So many rows share a parent, where nothing says that it may have one only."""
FEW = 20
"""A list so short would go in step with every other such list."""


@dataclass(frozen=True)
class Choice:
    """What a column holds; ``formula`` None: the parent's value. ``sparse``: sometimes NULL."""

    formula: Formula | None
    sparse: bool = False


@dataclass(frozen=True)
class Draft:
    """A proposal for a table; ``links`` those bound now, with how many rows the parent has."""

    spec: TableSpec
    rows: int
    series: str
    quotient: Callable[[str, int], str]
    links: tuple[tuple[Link, int], ...]
    choices: Mapping[str, Choice]
    fixed: frozenset[str] = frozenset()
    """Columns that stay as they are chosen: a link that has no parent yet."""

    def with_choices(self, changes: Mapping[str, Choice]) -> Draft:
        return replace(self, choices={**self.choices, **changes})

    def columns(self) -> list[str]:
        """The quoted columns the select gives, in its order."""
        return [c.quoted for c in self.spec.columns if not self._left_out(c)]

    def select(self, whole: bool = False) -> str:
        """The rows; ``whole`` adds what the server would make, for looking at conditions."""
        divisors, limit = self._divisors()
        values = self._values(divisors, whole)
        joins = "".join(self._joins(divisors))
        listed = ", ".join(f"{value} AS {name}" for name, value in values.items())
        inner = f"SELECT {listed} FROM {self.series}{joins} WHERE series.n <= {limit}"
        generated = [c for c in self.spec.columns if c.generated] if whole else []
        if generated:
            more = ", ".join(f"({c.generated}) AS {c.quoted}" for c in generated)
            return f"SELECT drafted.*, {more} FROM ({inner}) AS drafted"
        return inner if whole else f"{inner} ORDER BY series.n"

    def bound(self) -> dict[str, int]:
        """Column → the link (by place) that gives its value; the longest link comes first."""
        found: dict[str, int] = {}
        for place, (link, _) in enumerate(self.links):
            for name in link.columns:
                found.setdefault(name, place)
        return found

    def _left_out(self, column: ColumnSpec) -> bool:
        return bool(column.generated) or (column.served and self.choices[column.name].formula
                                          is not None)  # fmt: skip

    def _values(self, divisors: Mapping[str, int], whole: bool) -> dict[str, str]:
        bound, found = self.bound(), {}
        for place, column in enumerate(self.spec.columns):
            if column.generated or (self._left_out(column) and not whole):
                continue
            choice = self.choices[column.name]
            if choice.formula is None:
                owner = bound[column.name]
                at = self.links[owner][0].columns.index(column.name)
                value, shift = f"p{owner}.k{at}", owner
            else:
                value = choice.formula.at(self._index(column.name, place, choice, divisors))
                shift = place
            if choice.sparse:
                value = f"CASE WHEN (series.n + {shift}) % 7 <> 3 THEN {value} END"
            found[column.quoted] = value
        return found

    def _index(self, name: str, place: int, choice: Choice, divisors: Mapping[str, int]) -> str:
        if name in divisors:
            return self._divided(divisors[name])
        few = choice.formula and choice.formula.capacity and choice.formula.capacity <= FEW
        return self._divided(1 + place % 5 if few else 1)

    def _turn_of(self, place: int, count: int, divisors: Mapping[str, int]) -> str:
        """Which parent is next; some have several children, spread over all parents there are.

        Each link is ahead of the one before, so that two to one table do not agree.
        """
        if by := divisors.get(f"link {place}"):
            index = self._divided(by)
        elif count * CHILDREN <= self.rows:
            index = self._divided(1)
        else:
            index = f"{self._divided(CHILDREN)} * {CHILDREN}"
        return f"{index} + {place * (CHILDREN if count > CHILDREN else 1)}"

    def _divided(self, by: int) -> str:
        return "series.n - 1" if by == 1 else self.quotient("series.n - 1", by)

    def _joins(self, divisors: Mapping[str, int]) -> list[str]:
        """Each parent numbered; one that shares columns with an earlier only among equals."""
        bound, found = self.bound(), []
        for place, (link, count) in enumerate(self.links):
            own = [n for n, name in enumerate(link.columns) if bound[name] == place]
            if not own or all(self.choices[link.columns[n]].formula for n in own):
                continue
            shared = [n for n in range(len(link.columns)) if n not in own]
            index = self._turn_of(place, count, divisors)
            numbered = numbered_rows(link, f"p{place}", shared)
            same = [f"p{place}.k{n} = {self._shared(link.columns[n])}" for n in shared]
            turn = f"p{place}.total" if shared else f"{max(count, 1)}"
            on = " AND ".join([*same, f"p{place}.rn = ({index}) % {turn} + 1"])
            kind = "LEFT JOIN" if self._may_miss(link) else "JOIN"
            found.append(f" {kind} {numbered} ON {on}")
        return found

    def _shared(self, name: str) -> str:
        owner = self.bound()[name]
        return f"p{owner}.k{self.links[owner][0].columns.index(name)}"

    def _may_miss(self, link: Link) -> bool:
        return any(self.spec.column(name).nullable for name in link.columns)

    def _divisors(self) -> tuple[dict[str, int], int]:
        """How fast each column and link of a key counts, and how many rows its keys allow."""
        found: dict[str, int] = {}
        limit: float = self.rows
        for key in self.spec.keys:
            parts = self._parts(key)
            if not parts:
                continue
            step, combined = 1, 1.0
            for part, capacity in sorted(parts.items(), key=lambda item: -item[1]):
                if combined >= self.rows:
                    break
                taken = found.setdefault(part, step)
                if taken <= step:
                    step = int(min(step * capacity, 10**9))
                    combined *= capacity
            if not key.partial:
                limit = min(limit, combined)
        return found, int(limit)

    def _parts(self, key: Key) -> dict[str, float]:
        """What makes a key's values differ, with how many there are; empty if unknown."""
        bound, found = self.bound(), {}
        for name in key.columns:
            column, choice = self.spec.column(name), self.choices[name]
            if column.generated or self._left_out(column):
                return {}
            if choice.formula is None:
                place = bound[name]
                own_count = max(self.links[place][1], 1)
                found[f"link {place}"] = float(own_count)
            else:
                found[name] = float(choice.formula.capacity or inf)
        return found


def nothing(formula: Formula) -> Formula:
    """NULL, of the type that the formula has."""
    return Formula(f"CASE WHEN 1 = 0 THEN {formula.sql} END", 1)


def numbered_rows(link: Link, alias: str, shared: Sequence[int] = ()) -> str:
    """The parent's keys as ``k0, k1 …`` with ``rn`` = 1, 2 … (and ``total``) among equals."""
    named = ", ".join(f"{name} AS k{n}" for n, name in enumerate(link.parent_columns))
    order = ", ".join(link.parent_columns)
    among = ", ".join(link.parent_columns[n] for n in shared)
    part = f"PARTITION BY {among} " if among else ""
    total = f", count(*) OVER (PARTITION BY {among}) AS total" if among else ""
    there = " AND ".join(f"{name} IS NOT NULL" for name in link.parent_columns)
    return (
        f"(SELECT {named}, row_number() OVER ({part}ORDER BY {order}) AS rn{total} "
        f"FROM {link.source} WHERE {there}) AS {alias}"
    )

"""One table's rows as a SELECT: which formula each column has and which parent each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from harness.ports.table_specs import ColumnSpec, Formula, Key, Link, TableSpec, Variants
from harness.row_generation import mixing

CHILDREN = 3
"""So many rows share a parent, where nothing says that it may have one only."""
FEW = 20
"""A list so short would go in step with every other such list."""
NO_VALUE = "CASE WHEN 1 = 0 THEN "


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
    start: int = 0
    """How many rows are counted over; then no key says how many rows there may be."""
    variants: Mapping[str, Variants] = field(default_factory=dict)
    """Column → values that a minority of the rows has."""

    def with_choices(self, changes: Mapping[str, Choice]) -> Draft:
        return replace(self, choices={**self.choices, **changes})

    def columns(self) -> list[str]:
        """The quoted columns the select gives, in its order."""
        return [c.quoted for c in self.spec.columns if not self._left_out(c)]

    def select(self, whole: bool = False, numbered: bool = False, fenced: bool = False) -> str:
        """The rows; ``whole`` adds what the server would make, for looking at conditions, and
        ``numbered`` each row's number. ``fenced``: made before anything is made of them.
        """
        divisors, limit = self._divisors()
        inner = f"FROM {self.series}{''.join(self._joins(divisors))} WHERE series.n <= {limit}"
        if any(self.variants.values()):
            inner = self._mixed(divisors, inner, whole, numbered)
        else:
            values = self._values(divisors, whole)
            listed = [f"{value} AS {name}" for name, value in values.items()]
            listed += [f"series.n AS {mixing.ROW}"] if numbered else []
            inner = f"SELECT {', '.join(listed)} {inner}"
        if fenced:
            inner += f" LIMIT {mixing.NO_LIMIT}"
        generated = [c for c in self.spec.columns if c.generated] if whole else []
        if generated:
            more = ", ".join(f"({c.generated}) AS {c.quoted}" for c in generated)
            return f"SELECT drafted.*, {more} FROM ({inner}) AS drafted"
        order = "mixed.n" if any(self.variants.values()) else "series.n"
        return inner if whole else f"{inner} ORDER BY {order}"

    def bound(self) -> dict[str, int]:
        """Column → the link (by place) that gives its value; the longest link comes first."""
        found: dict[str, int] = {}
        for place, (link, _) in enumerate(self.links):
            for name in link.columns:
                found.setdefault(name, place)
        return found

    def numbers(self) -> range:
        """The numbers of the rows that there will be if nothing is left out."""
        return range(self.start + 1, self._divisors()[1] + 1)

    def _left_out(self, column: ColumnSpec) -> bool:
        return bool(column.generated) or (column.served and self.choices[column.name].formula
                                          is not None)  # fmt: skip

    def _written(self, whole: bool) -> list[tuple[int, ColumnSpec]]:
        """The columns of the select, with their places in the table."""
        return [
            (place, column)
            for place, column in enumerate(self.spec.columns)
            if not column.generated and (whole or not self._left_out(column))
        ]

    def _values(self, divisors: Mapping[str, int], whole: bool) -> dict[str, str]:
        return {
            column.quoted: self._thinned(place, column, self._usual(place, column, divisors))
            for place, column in self._written(whole)
        }

    def _usual(
        self, place: int, column: ColumnSpec, divisors: Mapping[str, int], number: str = "series.n"
    ) -> str:
        """The column's value in most rows; of the row before with ``series.n - 1``."""
        choice = self.choices[column.name]
        if choice.formula is None:
            owner = self.bound()[column.name]
            return f"p{owner}.k{self.links[owner][0].columns.index(column.name)}"
        by = divisors.get(column.name)
        if by is None:
            few = choice.formula.capacity and choice.formula.capacity <= FEW
            by = 1 + place % 5 if few else 1
        return choice.formula.at(self._divided(by, number))

    def _thinned(self, place: int, column: ColumnSpec, value: str, number: str = "series.n") -> str:
        """NULL in some rows, if it may be."""
        choice = self.choices[column.name]
        shift = self.bound()[column.name] if choice.formula is None else place
        return (
            f"CASE WHEN ({number} + {shift}) % 7 <> 3 THEN {value} END" if choice.sparse else value
        )

    def _mixed(self, divisors: Mapping[str, int], source: str, whole: bool, numbered: bool) -> str:
        """The select in two layers: in the inner one what variants are made of, and parents."""
        listed, outer = mixing.counters(self.quotient), []
        for place, column in self._written(whole):
            of = self.variants.get(column.name, Variants())
            usual = f"mixed.u{place}"
            if mixing.is_reworked(of) or self.choices[column.name].formula is None:
                listed.append(f"{self._usual(place, column, divisors)} AS u{place}")
            else:
                usual = self._usual(place, column, divisors, "mixed.n")
            if of and of.near:
                before = self._usual(place, column, divisors, "series.n - 1")
                listed.append(mixing.only_where_near(before) + f" AS p{place}")
            value = self._thinned(place, column, mixing.value(of, place, usual), "mixed.n")
            outer.append(f"{value} AS {column.quoted}")
        outer += [f"mixed.n AS {mixing.ROW}"] if numbered else []
        return (
            f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(listed)} {source} "
            f"LIMIT {mixing.NO_LIMIT}) AS mixed"
        )

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

    def _divided(self, by: int, number: str = "series.n") -> str:
        return f"{number} - 1" if by == 1 else self.quotient(f"{number} - 1", by)

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
        """How fast each column and link of a key counts, and the number of the last row."""
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
        return found, self.start + (self.rows if self.start else int(limit))

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
    return Formula(f"{NO_VALUE}{formula.sql} END", 1)


def is_nothing(formula: Formula) -> bool:
    """Whether it was made by :func:`nothing`."""
    return formula.sql.startswith(NO_VALUE)


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

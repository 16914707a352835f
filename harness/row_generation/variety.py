"""Which seldom values a table's rows can have: all that its keys and conditions let in.

The server looks at the conditions on the rows as they would be, and a value that breaks one is
given up, so that a table has usual rows at the worst.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from harness.errors import DatabaseError
from harness.ports import Engine
from harness.ports.table_specs import USUAL, Check, Key, Keyed, TableSpec, Variants
from harness.row_generation.draft import Draft, is_nothing
from harness.row_generation.mixing import ROW, variant_of
from harness.row_generation.narrowing import IN_PLACE, Ask, sources_of

ROUNDS = 20
"""How often values are given up before their columns are usual throughout."""

Variant = tuple[str, str]
"""A column and one of its variants."""


def varied(engine: Engine, ask: Ask, draft: Draft, checks: Sequence[Check]) -> Draft:
    """The draft with seldom values in a minority of its rows; ``checks`` hold in all of them."""
    spec, found = draft.spec, {}
    usual = draft.fixed | _of_itself(draft)
    for column in spec.columns:
        formula = draft.choices[column.name].formula
        made = not (column.generated or column.served or column.name in usual)
        if made and formula is not None and not is_nothing(formula):
            found[column.name] = engine.table_specs.variants(column.kind, keyed(spec, column.name))
    mixed = replace(draft, variants=found)
    if not any(found.values()) or not (checks or any(c.generated for c in spec.columns)):
        return mixed
    return _Sieve(ask, checks).sifted(mixed)


def _of_itself(draft: Draft) -> frozenset[str]:
    """Columns by which each row is its own parent: they must agree."""
    found: set[str] = set()
    for link in draft.spec.links:
        formulas = [draft.choices[name].formula for name in link.columns]
        if link.parent == draft.spec.name and not any(f is None or is_nothing(f) for f in formulas):
            own = (c.name for c in draft.spec.columns if c.quoted in link.parent_columns)
            found.update(link.columns, own)
    return frozenset(found)


def computable(ask: Ask, draft: Draft) -> Draft:
    """The draft without seldom values that the server cannot compute."""
    return _Sieve(ask, ()).computable(draft, draft.variants.keys())


def without(draft: Draft, columns: Collection[str], half: bool = False) -> Draft:
    """The draft with usual values alone in these columns; or with the first half of the others."""
    changed = dict(draft.variants)
    for name in columns:
        of = changed.get(name, Variants())
        kept = [sql for sql in of.odd if sql != USUAL]
        gone = {*of.odd, *of.near}.difference(kept[: len(kept) // 2] if half else [])
        changed[name] = _less(of, gone)
    return replace(draft, variants=changed)


def _less(of: Variants, gone: Collection[str]) -> Variants:
    odd, near = (
        tuple(USUAL if sql in gone else sql for sql in texts) for texts in (of.odd, of.near)
    )
    return Variants(odd, near)


def keyed(spec: TableSpec, name: str) -> Keyed:
    """What the keys say about a column's values, and those on what is computed from it."""
    of = [key for key in spec.keys if any(name in spec.sources(own) for own in key.columns)]
    if not of:
        return Keyed.NOT
    return Keyed.ALONE if all(_is_alone(key, name) for key in of) else Keyed.PARTLY


def _is_alone(key: Key, name: str) -> bool:
    return key.columns == (name,) and not key.folded


class _Sieve:
    """Asks one server which values break a condition."""

    def __init__(self, ask: Ask, checks: Sequence[Check]) -> None:
        self._ask = ask
        self._checks = tuple(checks)

    def sifted(self, draft: Draft) -> Draft:
        """The draft without what breaks a condition or cannot be computed."""
        broken = self._broken(draft)
        if broken is None:
            if not self._computes(without(draft, draft.variants.keys())):
                return draft
            draft = self.computable(draft, self._sources(draft))
            broken = self._broken(draft)
        for _ in range(ROUNDS):
            if broken is None:
                break
            if not broken:
                return draft
            culprits, certain = self._culprits(draft, broken)
            draft = self._given_up(draft, culprits)
            if certain and culprits:
                return draft
            broken = self._broken(draft)
        return without(draft, self._sources(draft))

    def _broken(self, draft: Draft) -> list[tuple[int, tuple[bool, ...]]] | None:
        """Rows that break a condition, each with which it breaks; None if it cannot be told."""
        tests = [f"CASE WHEN NOT ({c.sql}) THEN 1 ELSE 0 END" for c in self._checks] or ["0"]
        computed = [c.quoted for c in draft.spec.columns if c.generated]
        listed = ", ".join([ROW, *tests, *computed])
        where = " OR ".join(f"NOT ({c.sql})" for c in self._checks) or f"{ROW} < 0"
        if computed:
            where = f"({where}) OR concat({', '.join(computed)}) = '-'"
        fenced = any(IN_PLACE.search(check.sql) for check in self._checks)
        rows = draft.select(whole=True, numbered=True, fenced=fenced)
        try:
            found = self._ask(f"SELECT {listed} FROM ({rows}) AS drafted_rows WHERE {where}")
        except DatabaseError as error:
            if error.lost:
                raise
            return None
        many = len(self._checks)
        return [(int(n), tuple(bool(b) for b in broken[:many])) for n, *broken in found.rows]

    def _culprits(
        self, draft: Draft, broken: Sequence[tuple[int, tuple[bool, ...]]]
    ) -> tuple[set[Variant], bool]:
        """The values that break a condition most often of all times they are there.

        Of a condition on one column that is each that ever breaks it, which is certain.
        """
        found: set[Variant] = set()
        certain = True
        for place, check in enumerate(self._checks):
            rows = {n for n, of in broken if of[place]}
            columns = _places(draft, sources_of(draft.spec, check)) if rows else []
            breaks = Counter(v for n in rows for v in _variants_of(draft, columns, n))
            if len(columns) < 2:
                found |= breaks.keys()
                continue
            certain = False
            there = Counter(v for n in draft.numbers() for v in _variants_of(draft, columns, n))
            rates = {variant: count / there[variant] for variant, count in breaks.items()}
            found |= {v for v, rate in rates.items() if rate == max(rates.values())}
        return found, certain

    def _given_up(self, draft: Draft, culprits: Collection[Variant]) -> Draft:
        if not culprits:
            return without(draft, self._sources(draft))
        changed = {
            name: _less(of, {sql for column, sql in culprits if column == name})
            for name, of in draft.variants.items()
        }
        return replace(draft, variants=changed)

    def computable(self, draft: Draft, columns: Collection[str]) -> Draft:
        """Without what the server cannot compute, or cannot compute a condition or a column of.

        Each value by itself, in these columns.
        """
        alone = without(draft, draft.variants.keys())
        gone: list[Variant] = []
        for name in sorted(columns):
            of = draft.variants.get(name, Variants())
            if self._computes(replace(alone, variants={name: of})):
                continue
            for sql in (*of.odd, *of.near):
                one = Variants((sql,)) if sql in of.odd else Variants((), (sql,))
                if not self._computes(replace(alone, variants={name: one})):
                    gone.append((name, sql))
        return self._given_up(draft, gone) if gone else draft

    def _computes(self, draft: Draft) -> bool:
        """Whether every value and every condition can be computed for every row."""
        spec = draft.spec
        made = [column.quoted for column in spec.columns if column.generated]
        made += [spec.column(name).quoted for name, of in draft.variants.items() if of]
        made += [f"CASE WHEN {check.sql} THEN 1 END" for check in self._checks]
        counts = ", ".join(f"count({value})" for value in made) or "1"
        try:
            self._ask(f"SELECT {counts} FROM ({draft.select(whole=True)}) AS drafted_rows")
        except DatabaseError as error:
            if error.lost:
                raise
            return False
        return True

    def _sources(self, draft: Draft) -> frozenset[str]:
        """The columns that a condition or a computed column looks at."""
        computed = [draft.spec.sources(c.name) for c in draft.spec.columns if c.generated]
        checked = [sources_of(draft.spec, check) for check in self._checks]
        return frozenset[str]().union(*checked, *computed)


def _places(draft: Draft, names: Collection[str]) -> list[tuple[int, str]]:
    """Those of the columns that have seldom values, with their places in the table."""
    return [
        (place, column.name)
        for place, column in enumerate(draft.spec.columns)
        if column.name in names and draft.variants.get(column.name)
    ]


def _variants_of(draft: Draft, columns: Sequence[tuple[int, str]], number: int) -> list[Variant]:
    """What a row has in these columns, but for usual values."""
    found = ((name, variant_of(draft.variants[name], place, number)) for place, name in columns)
    return [(name, sql) for name, sql in found if sql is not None]

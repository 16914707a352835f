"""Find formulas under which a table's conditions hold: propose, let the server say, narrow.

The server itself looks at each condition on the proposed rows, so any it can compute is
understood: patterns, functions, dates. Only the constants are read from its text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.errors import DatabaseError
from harness.ports import Engine, Rows
from harness.ports.table_specs import Check, ColumnSpec, Formula, TableSpec
from harness.row_generation.draft import Choice, Draft, nothing

LITERAL = re.compile(r"'((?:[^'\\]|''|\\.)*)'|(-\s?\(?)?(?<![\w.])(\d+(?:\.\d+)?)(?![\w.])")
IN_PLACE = re.compile(r"\b(upper|lower|ucase|lcase|trim|replace)\s*\(", re.IGNORECASE)
"""MySQL finds ``x = upper(x)`` true of any text that it has only as an expression."""
WIDEST = 8
"""Columns of one condition of which pairs are changed together."""
PAIRED = 14
"""Candidates of a column that are tried together with another column's."""
TRIALS = 1500
"""Proposals for one table, after which it is given up."""

Ask = Callable[[str], Rows]
"""Sends one statement; a DatabaseError leaves the session as it was."""
Wrong = tuple[int, int]
"""Conditions not met, rows that do not meet one."""


@dataclass(frozen=True)
class Narrowed:
    """A draft that meets the conditions the server can look at; ``unmet`` is the text of the one
    that it cannot meet, or ""."""

    draft: Draft
    checks: tuple[Check, ...]
    unmet: str = ""


def narrow(engine: Engine, ask: Ask, draft: Draft, sound: Callable[[Draft], Draft]) -> Narrowed:
    """A draft that meets the table's conditions, as far as one is found.

    ``sound`` gives a draft without what the server cannot compute, if that is in the way.
    """
    narrower = _Narrower(engine, ask)
    if narrower.wrong(draft, draft.spec.checks) == BROKEN:
        draft = sound(draft)
    checks = narrower.answerable(draft)
    wrong = narrower.wrong(draft, checks)
    while wrong > (0, 0):
        check = next(c for c in checks if narrower.wrong(draft, [c]) > (0, 0))
        about = sources_of(draft.spec, check)
        near = [c for c in checks if sources_of(draft.spec, c) & about]
        better = narrower.better(draft, check, near)
        if better is None:
            return Narrowed(draft, tuple(checks), check.sql)
        draft, wrong = better, narrower.wrong(better, checks)
    return Narrowed(draft, tuple(checks))


def literals_of(checks: Sequence[Check]) -> list[str]:
    """The constants in the conditions' texts, each once, in their order."""
    found = []
    for check in checks:
        for text, minus, number in LITERAL.findall(check.sql):
            found.append(f"{'-' if minus else ''}{number}" if number else text.replace("''", "'"))
    return list(dict.fromkeys(found))


def sources_of(spec: TableSpec, check: Check) -> frozenset[str]:
    """The columns that a condition is about; in place of a computed one what it is computed of."""
    return frozenset[str]().union(*map(spec.sources, check.columns))


class _Narrower:
    """Asks one server; counts how often."""

    def __init__(self, engine: Engine, ask: Ask) -> None:
        self._engine, self._ask = engine, ask
        self._left = TRIALS
        self._known: dict[str, Wrong] = {}

    def answerable(self, draft: Draft) -> list[Check]:
        """The conditions the server can look at before there is a row."""
        checks = list(draft.spec.checks)
        if self.wrong(draft, checks) != BROKEN:
            return checks
        return [c for c in checks if self.wrong(draft, [c]) != BROKEN or self._curable(draft, c)]

    def _curable(self, draft: Draft, check: Check) -> bool:
        """A condition that fails on the first proposal may be computed on another."""
        return any(
            self.wrong(draft.with_choices(change), [check]) != BROKEN
            for change in itertools.islice(self._changes(draft, check, [check]), 40)
        )

    def wrong(self, draft: Draft, checks: Sequence[Check]) -> Wrong:
        """How far the draft is from meeting them; BROKEN if the server cannot tell."""
        if not checks:
            return (0, 0)
        counts = ", ".join(f"sum(CASE WHEN NOT ({c.sql}) THEN 1 ELSE 0 END)" for c in checks)
        fenced = any(IN_PLACE.search(check.sql) for check in checks)
        rows = draft.select(whole=True, fenced=fenced)
        sql = f"SELECT {counts} FROM ({rows}) AS drafted_rows"
        if sql not in self._known:
            self._known[sql] = self._asked(sql)
        return self._known[sql]

    def _asked(self, sql: str) -> Wrong:
        self._left -= 1
        try:
            found = self._ask(sql)
        except DatabaseError as error:
            if error.lost:
                raise
            return BROKEN
        numbers = [int(n or 0) for n in found.rows[0]]
        return sum(1 for n in numbers if n), sum(numbers)

    def better(self, draft: Draft, check: Check, near: Sequence[Check]) -> Draft | None:
        """The first change after which less is wrong."""
        before = self.wrong(draft, near)
        for change in self._changes(draft, check, near):
            if self._left <= 0:
                return None
            changed = draft.with_choices(change)
            if self.wrong(changed, near) < before:
                return changed
        return None

    def _changes(
        self, draft: Draft, check: Check, near: Sequence[Check]
    ) -> Iterator[dict[str, Choice]]:
        """One column after the other, then two at a time."""
        about = sources_of(draft.spec, check)
        named = [c for c in draft.spec.columns if c.name in about and not c.generated]
        choices = {c.name: self._candidates(draft, c, near) for c in named if not c.served}
        for name, candidates in choices.items():
            yield from ({name: candidate} for candidate in candidates)
        for one, two in itertools.combinations(list(choices)[:WIDEST], 2):
            for first, second in itertools.product(choices[one][:PAIRED], choices[two][:PAIRED]):
                yield {one: first, two: second}

    def _candidates(self, draft: Draft, column: ColumnSpec, near: Sequence[Check]) -> list[Choice]:
        """Full first, so that most rows have a value; NULL in all of them last."""
        formulas = self._engine.table_specs.formulas(column.kind)
        empty = [Choice(nothing(formulas[0]))] if column.nullable else []
        if column.name in draft.fixed:
            return []
        if column.name in draft.bound():
            return [Choice(None), *empty]
        literals = literals_of([c for c in near if column.name in sources_of(draft.spec, c)])
        formulas = self._engine.table_specs.formulas(column.kind, literals)
        if column.default:
            formulas.insert(1, Formula(column.default, 1))
        several = draft.choices[column.name].sparse
        found = [Choice(f) for f in dict.fromkeys(formulas)]
        return [*found[:3], *empty, *found[3:]] if several or empty else found


BROKEN: Wrong = (10**6, 10**9)

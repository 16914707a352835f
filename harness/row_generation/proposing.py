"""The first draft of a table's rows, before any server has seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.ports import Engine
from harness.ports.table_specs import ColumnSpec, Formula, Link, TableSpec
from harness.row_generation.draft import Choice, Draft, nothing
from harness.row_generation.order import Turn


def propose(
    engine: Engine, turn: Turn, links: Sequence[tuple[Link, int]], rows: int, start: int = 0
) -> Draft:
    """Each column by its likeliest formula; ``links`` are those whose parents have rows.

    ``start`` rows are counted over, so that what follows from a row's number is new.
    """
    spec = turn.spec
    series = engine.databases.series(rows)
    if start:
        series = f"(SELECT n + {start} AS n FROM {series}) AS series"
    later = {name for link in turn.later for name in link.columns}
    draft = Draft(spec, rows, series, engine.table_specs.quotient, tuple(links), {}, start=start)
    linked = {name for link in spec.links for name in link.columns}
    choices: dict[str, Choice] = {}
    for column in spec.columns:
        name, keyed = column.name, any(column.name in key.columns for key in spec.keys)
        sparse = column.nullable and _nulls_may_repeat(spec, name)
        if name in draft.bound():
            choices[name] = Choice(None, sparse)
        elif column.nullable and name in (later | linked):
            choices[name] = Choice(nothing(_likeliest(engine, column, True)))
        else:
            choices[name] = Choice(_likeliest(engine, column, keyed), sparse)
    fixed = frozenset(later | linked) - set(draft.bound())
    return replace(draft, choices=_pointing_at_itself(turn, choices), fixed=fixed)


def _nulls_may_repeat(spec: TableSpec, name: str) -> bool:
    return not any(key.one_null and name in key.columns for key in spec.keys)


def _likeliest(engine: Engine, column: ColumnSpec, keyed: bool) -> Formula:
    formula: Formula = engine.table_specs.likeliest(column.kind)
    if not column.default or keyed:
        return formula
    mixed = f"CASE WHEN {{i}} % 2 = 0 THEN {column.default} ELSE {formula.sql} END"
    return Formula(mixed, formula.capacity)


def _pointing_at_itself(turn: Turn, choices: Mapping[str, Choice]) -> dict[str, Choice]:
    """A link to the same table that may be neither NULL nor deferred: its own key's formula."""
    spec, found = turn.spec, dict(choices)
    bound_to_rows = {name for name, choice in choices.items() if choice.formula is None}
    for link in spec.links:
        if link.parent == spec.name and link not in turn.later:
            by_quoted = {column.quoted: column.name for column in spec.columns}
            for name, parent in zip(link.columns, link.parent_columns, strict=True):
                if name not in bound_to_rows:
                    found[name] = replace(found[by_quoted[parent]], sparse=False)
    return found

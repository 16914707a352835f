"""Statements that were to change rows and changed none of those that are there.

A server tells how many rows a statement met only sometimes, and an UPDATE that sets what was there
meets rows and changes nothing. So the tables are looked at, before and after.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Table
from harness.ports.table_specs import ColumnSpec
from harness.row_generation.keys import named
from harness.sqltext import is_named

NAME = r"(?:[\w$]+|\"[^\"]+\"|`[^`]+`)"
QUALIFIED = rf"{NAME}(?:\s*\.\s*{NAME})?"
TARGET = re.compile(
    rf"""(?<!FOR\s)(?<!ON\s)(?<!KEY\s)(?<!DO\s)\b(?P<verb>UPDATE|DELETE|INSERT|REPLACE|MERGE)
    (?:\s+(?:LOW_PRIORITY|HIGH_PRIORITY|QUICK|IGNORE|DELAYED|FROM|INTO|ONLY))*
    \s+(?P<name>{QUALIFIED})""",
    re.IGNORECASE | re.VERBOSE,
)
CHANGES_ROWS = re.compile(r"\s*(UPDATE|DELETE|INSERT|REPLACE|MERGE|WITH)\b", re.IGNORECASE)
NO_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'", re.DOTALL)


@dataclass(frozen=True)
class WithoutEffect:
    """A statement that left its table as it was; ``place`` counts the statements from 0."""

    place: int
    verb: str
    table: str
    rows: int

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.verb} {self.table} met no rows: there are none"
        return f"{self.verb} {self.table} changed nothing in its {self.rows} rows"


def without_effect(
    engine: Engine, before: Session, after: Session, statements: Sequence[str]
) -> tuple[WithoutEffect, ...]:
    """Which of a migration's statements changed nothing, told from the database before and after.

    One that names a table whose rows changed, a column that is gone, or a new one with values, is
    taken to have changed something; so is every one whose table is not in both databases.
    DatabaseError if a table cannot be read.
    """
    targets = {place: target for place, text in enumerate(statements) if (target := _target(text))}
    if not targets:
        return ()
    tables = {*_tables(engine, before), *_tables(engine, after)}
    said = {
        place: {table for table in tables if is_named(_code(statements[place]), _bare(table))}
        for place in targets
    }
    rows = _untouched(engine, before, after, frozenset[str]().union(*said.values()))
    found = []
    for place, (verb, name) in targets.items():
        table = next((t for t in sorted(said[place]) if _bare(t) == _bare(name)), "")
        if table not in rows or not said[place] <= rows.keys():
            continue
        others = frozenset[str]().union(*(rows[other][1] for other in said[place]))
        if not any(is_named(_code(statements[place]), column) for column in others):
            found.append(WithoutEffect(place, verb, _bare(name), rows[table][0]))
    return tuple(found)


def _target(statement: str) -> tuple[str, str] | None:
    """The verb and the table of a statement that changes rows; None of any other."""
    code = _code(statement)
    if not CHANGES_ROWS.match(code):
        return None
    match = TARGET.search(code)
    return (match["verb"].upper(), match["name"]) if match else None


def _bare(name: str) -> str:
    return name.rpartition(".")[2].strip(' "`').lower()


def _code(statement: str) -> str:
    """Without comments and texts."""
    return NO_CODE.sub(" ", statement)


def _tables(engine: Engine, session: Session) -> dict[str, Table]:
    module = engine.snapshot
    return {**module.tables(session), **module.partitioned(session)}


def _untouched(
    engine: Engine, before: Session, after: Session, tables: Collection[str]
) -> dict[str, tuple[int, frozenset[str]]]:
    """Of these tables → how many rows, and columns that tell nothing or may have been written, if
    no other column changed.

    A column that is gone cannot be looked at; a new one says nothing as long as it has what every
    row was given when it came.
    """
    had, has = _tables(engine, before), _tables(engine, after)
    specs = engine.table_specs.specs(after)
    found = {}
    for name in had.keys() & has.keys() & set(tables):
        common = [column for column in had[name].columns if column in has[name].columns]
        old = _sums(engine, before, had[name], common)
        if old != _sums(engine, after, has[name], common):
            continue
        spec = named(specs, name)
        new = [c for c in spec.columns if c.name not in had[name].columns] if spec else []
        written = {c.name for c in new if _has_values(after, has[name], c)}
        found[name] = (int(old[0]), frozenset(written | had[name].columns.keys() - set(common)))
    return found


def _sums(
    engine: Engine, session: Session, table: Table, columns: Collection[str]
) -> tuple[str, ...]:
    """How many rows, and a sum of hashes of each column."""
    module = engine.snapshot
    sums = [module.summed(module.row_hash([table.columns[column]])) for column in columns]
    listed = ", ".join(["count(*)", *sums])
    found = session.run(f"{module.SETTINGS}SELECT {listed} FROM {table.source}").rows[0]
    return tuple(map(str, found))


def _has_values(session: Session, table: Table, column: ColumnSpec) -> bool:
    """Whether a row has another value there than one that was given none."""
    if column.generated:
        return False
    if column.served:
        return True
    other = f"{column.quoted} IS NOT NULL"
    if column.default:
        other = f"({column.quoted} IS NULL OR {column.quoted} <> {column.default})"
    try:
        return bool(session.run(f"SELECT 1 FROM {table.source} WHERE {other} LIMIT 1").rows)
    except DatabaseError as error:
        if error.lost:
            raise
        return True

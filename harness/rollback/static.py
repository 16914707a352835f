"""What nothing brings back, told from a folder's SQL alone; pure, and no server is asked.

It tells what a statement can lose, not what it does lose: an UPDATE that meets no row loses
nothing, and a way down may put back what was kept elsewhere. What is made in a migration, or
copied in it before it is changed, is no loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.errors import DrillError
from harness.layouts import Migration, Script
from harness.sqltext import Dialect, Statement
from harness.sqltext import unread as sqlunread
from harness.sqltext.column_types import ColumnType
from harness.sqltext.losses import Made, Schema, Sign, StatementRead, type_change
from harness.sqltext.words import apart, follows, name_of, skipped, tokens


def signs(migrations: Sequence[Migration], dialect: Dialect) -> dict[str, tuple[Sign, ...]]:
    """By version, in the order of the folder, which also tells what type a column had."""
    schema = Schema()
    return {m.version: tuple(_of(m, schema, dialect)) for m in migrations}


def unread(migration: Migration, dialect: Dialect) -> tuple[str, ...]:
    """What of its way up is not told by its SQL: what cannot be cut into statements, and what runs
    something else.
    """
    script = migration.up
    try:
        statements = script.cut(dialect) if script else ()
    except DrillError as error:
        return (f"its SQL cannot be cut into statements: {error}",)
    found = []
    for one in statements:
        if what := sqlunread.unread(tokens(one.text, dialect), one.text, dialect):
            found.append(f"{one.file}:{one.line} runs {what}, of which nothing is told")
    return tuple(found)


def _of(migration: Migration, schema: Schema, dialect: Dialect) -> Iterator[Sign]:
    made, back = Made(), _types_of_down(migration, dialect)
    for statement in _statements(migration.up, dialect):
        place = f"{statement.file}:{statement.line}"
        reader = StatementRead(tokens(statement.text, dialect), schema, made, back, dialect)
        for loss, says in reader.read(statement.kind, statement.text):
            yield Sign(loss, place, says)


def _statements(script: Script | None, dialect: Dialect) -> Sequence[Statement]:
    """None of what is code, or cannot be cut: that is told by ``Foretold.code`` and ``unread``."""
    try:
        return script.cut(dialect) if script else ()
    except DrillError:
        return ()


def _types_of_down(migration: Migration, dialect: Dialect) -> dict[tuple[str, str], ColumnType]:
    """The types that the way down gives back: what they were before, if nothing else tells it."""
    found: dict[tuple[str, str], ColumnType] = {}
    for statement in _statements(migration.down, dialect):
        words = tokens(statement.text, dialect)
        if follows(words, 0, "ALTER", "TABLE"):
            table, at = name_of(words, skipped(words, 2, "IF EXISTS", "ONLY"))
            for action in apart(words[at:]):
                changed = type_change(action)
                if changed:
                    found[table, changed[0]] = changed[2]
    return found

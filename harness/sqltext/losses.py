"""What one statement can lose for good, by its words; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.sqltext.column_types import ColumnType, loses, type_at
from harness.sqltext.words import apart, bare, follows, name_of, skipped, tokens

_NO_COLUMN = frozenset(
    {
        *("CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "DEFAULT", "PARTITION"),
        *("EXPRESSION", "IDENTITY", "NOT"),
    }
)
_OF_A_TABLE = frozenset(
    {
        *("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "INDEX", "KEY", "FULLTEXT"),
        *("SPATIAL", "EXCLUDE", "LIKE"),
    }
)


class Loss(StrEnum):
    """What a statement can lose for good."""

    DROP_COLUMN = "drop-column"
    DROP_TABLE = "drop-table"
    TYPE_CHANGE = "lossy-type-change"
    UPDATE = "update-in-place"
    DELETE = "delete"
    TRUNCATE = "truncate"


IN_WORDS: Mapping[Loss, str] = {
    Loss.DROP_COLUMN: "drops a column",
    Loss.DROP_TABLE: "drops a table",
    Loss.TYPE_CHANGE: "changes a type with loss",
    Loss.UPDATE: "changes values in place",
    Loss.DELETE: "deletes rows",
    Loss.TRUNCATE: "empties a table",
}


@dataclass(frozen=True)
class Sign:
    """One statement that can lose something, and what."""

    loss: Loss = Loss.UPDATE
    place: str = ""
    """File and line."""
    says: str = ""
    """What of what: ``users.phone``."""


@dataclass
class Schema:
    """What is known of the tables so far: the type of each column, by table."""

    types: dict[str, dict[str, ColumnType]] = field(default_factory=dict)


@dataclass
class Made:
    """What one migration has made by now, so that it cannot lose it."""

    tables: set[str] = field(default_factory=set)
    columns: set[tuple[str, str]] = field(default_factory=set)
    """Added, or copied to one that was added."""

    def has(self, table: str, column: str) -> bool:
        return table in self.tables or (table, column) in self.columns


def type_change(action: Sequence[str]) -> tuple[str, str, ColumnType] | None:
    """The column, its name afterwards, and its type then."""
    if follows(action, 0, "ALTER"):
        column, at = name_of(action, skipped(action, 1, "COLUMN"))
        at = skipped(action, at, "SET DATA")
        return (column, column, type_at(action, at + 1)) if follows(action, at, "TYPE") else None
    if follows(action, 0, "MODIFY"):
        column, at = name_of(action, skipped(action, 1, "COLUMN", "IF EXISTS"))
        return column, column, type_at(action, at)
    if follows(action, 0, "CHANGE"):
        column, at = name_of(action, skipped(action, 1, "COLUMN", "IF EXISTS"))
        name, at = name_of(action, at)
        return column, name, type_at(action, at)
    return None


Found = Iterator[tuple[Loss, str]]


@dataclass
class StatementRead:
    """One statement, by its words."""

    words: list[str]
    schema: Schema
    made: Made
    back: Mapping[tuple[str, str], ColumnType]
    dialect: str

    def read(self, kind: str, text: str) -> Found:
        """What it can lose; what it makes is remembered."""
        words = self.words
        if follows(words, 0, "DO"):
            yield from self._program(text)
        elif kind == "CREATE TABLE":
            self._create_table()
        elif follows(words, 0, "ALTER", "TABLE"):
            yield from self._alter_table()
        elif kind in ("DROP TABLE", "DROP SCHEMA", "DROP DATABASE"):
            yield from self._drop_table()
        elif follows(words, 0, "TRUNCATE"):
            yield from self._truncate()
        elif follows(words, 0, "MERGE"):
            yield from self._merge()
        else:
            yield from self._writes()

    # ------------------------------------------------------------------ tables and columns

    def _create_table(self) -> None:
        at = next(n for n, word in enumerate(self.words) if word.upper() == "TABLE") + 1
        table, at = name_of(self.words, skipped(self.words, at, "IF NOT EXISTS"))
        self.made.tables.add(table)
        columns = self.schema.types[table] = {}
        if self.words[at : at + 1] == ["("]:
            for part in apart(self.words[at + 1 : _closing(self.words, at)]):
                if part[0].upper() not in _OF_A_TABLE:
                    columns[bare(part[0])] = type_at(part, 1)

    def _alter_table(self) -> Found:
        words = self.words
        table, at = name_of(words, skipped(words, 2, "IF EXISTS", "ONLY"))
        for action in apart(words[at:]):
            if follows(action, 0, "ADD"):
                self._add(table, action)
            elif follows(action, 0, "DROP", "PARTITION"):
                yield Loss.DROP_TABLE, f"a partition of {table}"
            elif follows(action, 0, "TRUNCATE", "PARTITION"):
                yield Loss.TRUNCATE, f"a partition of {table}"
            elif follows(action, 0, "DROP"):
                yield from self._drop(table, action)
            elif follows(action, 0, "RENAME"):
                self._rename(table, action)
            elif changed := type_change(action):
                yield from self._retype(table, *changed)

    def _add(self, table: str, action: Sequence[str]) -> None:
        at = skipped(action, 1, "COLUMN", "IF NOT EXISTS")
        inside = action[at + 1 : _closing(action, at)] if action[at : at + 1] == ["("] else []
        for part in apart(inside) if inside else [action[at:]]:
            if part and part[0].upper() not in _OF_A_TABLE:
                column = bare(part[0])
                self.made.columns.add((table, column))
                self.schema.types.setdefault(table, {})[column] = type_at(part, 1)

    def _drop(self, table: str, action: Sequence[str]) -> Found:
        at = skipped(action, 1, "COLUMN")
        if at == 1 and len(action) > 1 and action[1].upper() in _NO_COLUMN:
            return
        column, _ = name_of(action, skipped(action, at, "IF EXISTS"))
        self.schema.types.get(table, {}).pop(column, None)
        if not self.made.has(table, column):
            yield Loss.DROP_COLUMN, f"{table}.{column}"

    def _rename(self, table: str, action: Sequence[str]) -> None:
        """Types go with a name; that a thing has another name loses nothing."""
        at = skipped(action, 1, "COLUMN")
        name, after = name_of(action, at)
        if follows(action, 1, "TO") or follows(action, 1, "AS"):
            new, _ = name_of(action, 2)
            self.schema.types[new] = self.schema.types.pop(table, {})
            if table in self.made.tables:
                self.made.tables.add(new)
        elif follows(action, after, "TO"):
            new, _ = name_of(action, after + 1)
            columns = self.schema.types.get(table, {})
            if name in columns:
                columns[new] = columns.pop(name)

    def _retype(self, table: str, column: str, name: str, new: ColumnType) -> Found:
        columns = self.schema.types.setdefault(table, {})
        old = columns.pop(column, None) or self.back.get((table, name))
        columns[name] = new
        told = loses(old, new, self.dialect) if old else None
        if told is False or self.made.has(table, column):
            return
        before = f"from {old} " if old else ""
        maybe = "" if told else ", which may lose values"
        yield Loss.TYPE_CHANGE, f"{table}.{column} {before}to {new}{maybe}"

    def _drop_table(self) -> Found:
        at = skipped(self.words, 1, "TEMPORARY", "TABLE", "SCHEMA", "DATABASE", "IF EXISTS")
        for part in apart(self.words[at:]):
            table, _ = name_of(part, 0)
            self.schema.types.pop(table, None)
            if table not in self.made.tables:
                yield Loss.DROP_TABLE, table

    def _truncate(self) -> Found:
        for part in apart(self.words[skipped(self.words, 1, "TABLE", "ONLY") :]):
            table, _ = name_of(part, 0)
            if table not in self.made.tables:
                yield Loss.TRUNCATE, table

    # ------------------------------------------------------------------ rows

    def _program(self, text: str) -> Found:
        """A DO block: what stands in it, wherever; a table that it makes is made by nobody else."""
        inside = StatementRead(
            tokens(text.replace("$", " "), self.dialect),
            self.schema, self.made, self.back, self.dialect,
        )  # fmt: skip
        yield from inside._writes()
        for at in range(len(inside.words)):
            if follows(inside.words, at, "DROP", "TABLE"):
                place = skipped(inside.words, at + 2, "IF EXISTS")
                yield Loss.DROP_TABLE, name_of(inside.words, place)[0]
            elif follows(inside.words, at, "DROP", "COLUMN"):
                place = skipped(inside.words, at + 2, "IF EXISTS")
                yield Loss.DROP_COLUMN, name_of(inside.words, place)[0]

    def _writes(self) -> Found:
        """UPDATE, DELETE and what overwrites, at the begin or inside a WITH."""
        words = self.words
        if words and words[0].upper() in ("CREATE", "GRANT", "REVOKE", "COMMENT", "SELECT"):
            return
        for at, word in enumerate(words):
            if follows(words, at, "DELETE", "FROM") or (word.upper() == "DELETE" and at == 0):
                table, _ = name_of(words, skipped(words, at + 1, "FROM", "ONLY"))
                if table not in self.made.tables:
                    yield Loss.DELETE, table
            elif word.upper() == "UPDATE" and _is_a_statement(words, at):
                yield from self._update(at)
            elif at == 0 and word.upper() == "REPLACE":
                table, _ = name_of(words, skipped(words, 1, "INTO"))
                if table not in self.made.tables:
                    yield Loss.UPDATE, f"rows of {table}"
            elif follows(words, at, "DO", "UPDATE") or follows(words, at, "KEY", "UPDATE"):
                table, _ = name_of(words, skipped(words, 1, "IGNORE", "INTO"))
                if table not in self.made.tables:
                    yield Loss.UPDATE, f"rows of {table}"

    def _merge(self) -> Found:
        table, _ = name_of(self.words, skipped(self.words, 1, "INTO", "ONLY"))
        then = [at + 1 for at, word in enumerate(self.words) if word.upper() == "THEN"]
        for word, loss in (("UPDATE", Loss.UPDATE), ("DELETE", Loss.DELETE)):
            if any(follows(self.words, at, word) for at in then) and table not in self.made.tables:
                yield loss, f"rows of {table}" if loss is Loss.UPDATE else table

    def _update(self, at: int) -> Found:
        words = self.words
        table, place = name_of(words, skipped(words, at + 1, "ONLY", "IGNORE"))
        start = next((n for n in range(place, len(words)) if words[n].upper() == "SET"), None)
        if start is None:
            return
        lost = []
        for part in apart(_up_to_where(words[start + 1 :])):
            column, after = name_of(part, 0)
            if part[after : after + 1] == ["="] and self.made.has(table, column):
                copied, end = name_of(part, after + 1)
                if end == len(part):
                    self.made.columns.add((table, copied))
            elif not self.made.has(table, column):
                lost.append(f"{table}.{column}")
        for says in lost:
            yield Loss.UPDATE, says


def _is_a_statement(words: Sequence[str], at: int) -> bool:
    """Not ``ON UPDATE``, ``FOR UPDATE``, ``DO UPDATE`` or a privilege."""
    before = words[at - 1].upper() if at else ""
    return before in ("", "(", ";", ")", "BEGIN", "THEN", "LOOP", "ELSE")


def _up_to_where(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if depth < 0 or (depth == 0 and word.upper() in ("WHERE", "FROM", "RETURNING", ";")):
            break
        found.append(word)
    return found


def _closing(words: Sequence[str], at: int) -> int:
    """Where the parenthesis closes that opens there."""
    depth = 0
    for place in range(at, len(words)):
        depth += (words[place] == "(") - (words[place] == ")")
        if depth == 0:
            return place
    return len(words)

"""What common code asks of an engine about what a database holds: its objects and its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from harness.ports.contents import Counter, Table, Writes
from harness.ports.engine_sessions import S_in
from harness.ports.objects import Column, Constraint, Cost, Index
from harness.ports.table_specs import Formula, Keyed, TableSpec, Variants


class CatalogModule(Protocol[S_in]):
    """What the server's catalogue says about the tables of the default schema."""

    def tables(self, s: S_in) -> list[str]: ...

    def columns(self, s: S_in, table: str) -> dict[str, Column]: ...

    def indexes(self, s: S_in, table: str) -> dict[str, Index]: ...

    def constraints(self, s: S_in, table: str) -> dict[str, Constraint]: ...

    def key_of(self, s: S_in, table: str) -> str | None:
        """The primary key if it is one column, else None."""
        ...


class PlansModule(Protocol[S_in]):
    """What a query costs."""

    def cost(self, s: S_in, sql: str) -> Cost:
        """Run it and count the work, never the time."""
        ...


class TableSpecsModule(Protocol[S_in]):
    """What tables want of their rows, and the SQL that makes them."""

    UNCHECKED: str
    CHECKED: str
    """Statements that switch the checks of foreign keys off and on again."""

    def specs(self, s: S_in) -> list[TableSpec]:
        """Every base table."""
        ...

    def formulas(self, kind: Any, literals: Collection[str] = ()) -> list[Formula]:
        """Values to try in a column of that kind, the likeliest first."""
        ...

    def likeliest(self, kind: Any) -> Formula:
        """The first of :meth:`formulas`, without the labour of the others."""
        ...

    def variants(self, kind: Any, keyed: Keyed) -> Variants:
        """What a column of that kind seldom holds."""
        ...

    def quotient(self, index: str, by: int) -> str:
        """Whole division."""
        ...

    def inserts(self, spec: TableSpec, columns: Sequence[str], select: str) -> list[str]:
        """Ways to insert, one after the other."""
        ...

    def updates(
        self, spec: TableSpec, sets: Sequence[tuple[str, str]], numbered: str, condition: str
    ) -> str:
        """UPDATE from a parent's numbered rows."""
        ...

    def defer(self, s: S_in) -> None:
        """Open a transaction in which links are looked at only when it ends, where that can be."""


class SnapshotModule(Protocol[S_in]):
    """What a whole database holds."""

    DUPLICATE: str
    """The code of the error that an INSERT gets for a value that is there already."""
    SETTINGS: str
    """Stands before a message whose text depends on the session's settings."""

    def objects(self, s: S_in) -> dict[str, str]:
        """Every object by kind and name → its definition."""
        ...

    def tables(self, s: S_in) -> dict[str, Table]:
        """Every table that has rows of its own."""
        ...

    def partitioned(self, s: S_in) -> dict[str, Table]:
        """Tables that stand for the rows of others."""
        ...

    def counters(self, s: S_in) -> dict[str, Counter]:
        """Every sequence, and every column that numbers itself."""
        ...

    def writes(self, s: S_in) -> Writes | None:
        """How much was written so far, by the server's own count; None if it does not tell."""
        ...

    def in_a_copy(self, s: S_in, template: Writes) -> Writes:
        """The counts with which a copy begins that was made just now of a database with these."""
        ...

    def defined_alike(self, s: S_in, then: Writes, now: Writes) -> bool:
        """Whether no object of the session's database is defined otherwise than then."""
        ...

    def reads_alike(self, changed: Iterable[str]) -> bool:
        """Whether rows of other tables read as before, where these objects are defined otherwise:
        an enum's value that has another name is another text in every row.
        """
        ...

    def row_hash(self, values: Sequence[str]) -> str:
        """A 64-bit hash of these expressions."""
        ...

    def summed(self, hashed: str) -> str:
        """The sum of hashes over rows."""
        ...

    def literal(self, given: Any) -> str: ...

    def quoted(self, text: str) -> str: ...

    def is_one_of(self, columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> str:
        """The condition that a row has one of the keys."""
        ...

    def tables_of(self, objects: Iterable[str]) -> set[str]:
        """The tables that the named objects are or belong to."""
        ...

    def invalid(self, found: Mapping[str, str]) -> list[str]:
        """The indexes among the objects that serve no query."""
        ...

    def remove_sql(self, differs: Iterable[str]) -> list[str]:
        """Statements that take away what an unfinished statement left."""
        ...

    def finish_sql(self, differs: Iterable[str]) -> list[str]:
        """Statements that end what an unfinished statement began."""
        ...


class ProbingModule(Protocol):
    """Queries by which a person tells what is there."""

    def probe_sql(self, key: str) -> str | None:
        """SQL that gives 1 if the object is there, else 0; None for kinds that cannot be asked."""
        ...

"""The objects of a database as claims ask about them, and what a query costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """A column as the server's catalogue describes it.

    ``default`` is the expression in the server's own spelling, None if there is none.
    ``generated`` is True if the server computes the value from the row (a generated column);
    an identity or auto-increment column is not generated.
    """

    name: str
    type: str
    nullable: bool
    default: str | None = None
    generated: bool = False


@dataclass(frozen=True)
class Index:
    """An index; ``valid`` is False for what a killed concurrent build leaves behind.

    ``columns`` holds a column's name or, where the index is on an expression, its text.
    ``visible`` is False if the planner is told to ignore it.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    primary: bool = False
    valid: bool = True
    visible: bool = True


ConstraintKind = Literal["primary", "unique", "foreign", "check"]


@dataclass(frozen=True)
class Constraint:
    """A constraint; ``validated`` is False if old rows were never checked against it.

    ``enforced`` is False if new rows are not checked either.
    """

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...]
    validated: bool = True
    enforced: bool = True


@dataclass(frozen=True)
class Cost:
    """The work a query did, counted by the server: ``amount`` of ``unit``; never a time.

    ``plan`` is the tree of operations as text, one a line, indented, with the index names.
    """

    amount: int
    unit: str
    plan: str

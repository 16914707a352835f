"""A column, as the catalogue has it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


@dataclass(frozen=True)
class ColumnClaim(ClaimKind):
    """``column: users.phone`` exists (or not), and allows NULL (or not)."""

    column: str
    exists: bool = True
    nullable: bool | None = None

    def check(self, target: Target) -> Finding:
        table, _, name = self.column.partition(".")
        with target.asking() as session:
            column = target.engine.catalog.columns(session, table).get(name)
        wanted = "there" if self.exists else "not there"
        right = (column is not None) == self.exists
        found = "not there"
        if column is not None:
            found = f"{column.type}{'' if column.nullable else ' NOT NULL'}"
            if self.nullable is not None:
                wanted += ", NULL allowed" if self.nullable else ", NOT NULL"
                right = right and column.nullable == self.nullable
        return Finding(Answer.HELD if right else Answer.NOT_HELD, found, wanted)


KIND = ColumnClaim

"""One value asked of the database."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Sql
from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target, sql_for


@dataclass(frozen=True)
class Query(ClaimKind):
    """The first column of the first row ``equals`` a value, or lies between bounds.

    ``of`` counts what the answer is about; ``equals: 0`` needs it, since zero of nothing
    proves nothing.
    """

    query: Sql
    equals: str | int | bool | None = None
    at_least: float | None = None
    at_most: float | None = None
    of: Sql | None = None

    def check(self, target: Target) -> Finding:
        with target.asking() as session:
            found = session.run(sql_for(target, self.query)).scalar()
            population = (
                int(session.run(sql_for(target, self.of)).scalar()) if self.of is not None else None
            )
        wanted = []
        right = found is not None
        if self.equals is not None:
            wanted.append(f"equal to {self.equals}")
            right = right and str(found) == str(self.equals)
        if self.at_least is not None:
            wanted.append(f"at least {self.at_least:g}")
            right = right and float(found) >= self.at_least
        if self.at_most is not None:
            wanted.append(f"at most {self.at_most:g}")
            right = right and float(found) <= self.at_most
        return Finding(
            answer=Answer.HELD if right else Answer.NOT_HELD,
            found=str(found),
            wanted=" and ".join(wanted),
            population=population,
        )


KIND = Query

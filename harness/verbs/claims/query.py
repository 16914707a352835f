"""One value asked of the database."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Sql, in_dialect
from harness.ports import Answer, Finding
from harness.verbs.protocols import ClaimKind, Target


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
        names = (target.engine.name, target.engine.dialect)
        with target.asking() as session:
            found = session.run(in_dialect(self.query, *names)).scalar()
            population = (
                int(session.run(in_dialect(self.of, *names)).scalar())
                if self.of is not None
                else None
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

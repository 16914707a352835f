"""Runs SQL as the operator, one statement after the other."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DatabaseError, StepFailed
from harness.model import Sql
from harness.verbs.protocols import StepKind, Target, sql_for


@dataclass(frozen=True)
class RunSql(StepKind):
    """``sql`` is one statement or several; ``refused`` expects the server to refuse the last.

    ``refused`` names the code that must come back (SQLSTATE or errno), or ``any``.
    """

    sql: Sql | tuple[Sql, ...]
    refused: str | None = None

    def perform(self, target: Target, deadline_s: float) -> str:
        statements = self.sql if isinstance(self.sql, tuple) else (self.sql,)
        affected = []
        with target.session("operator") as session:
            target.engine.connector.limit(
                session, lock_ms=int(deadline_s * 1000), statement_ms=int(deadline_s * 1000)
            )
            for sql in statements:
                text = sql_for(target, sql)
                try:
                    affected.append(session.run(text).affected)
                except DatabaseError as error:
                    if self.refused in ("any", error.code):
                        return f"refused, as it should be: {error}"
                    raise StepFailed(f"{target.engine.title} refused it: {error}") from error
        if self.refused:
            raise StepFailed(f"it went through; wanted a refusal ({self.refused})")
        return f"{max(affected[-1], 0)} rows affected" if affected else "nothing to do"


KIND = RunSql

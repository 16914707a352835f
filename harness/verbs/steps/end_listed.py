"""Ends every session that a query lists, one after the other, as pasted from a web page."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DatabaseError, StepFailed
from harness.model import Sql
from harness.verbs.protocols import StepKind, Target, sql_for


@dataclass(frozen=True)
class EndListed(StepKind):
    """The first column of ``end_listed`` holds the ids; nothing checks whose they are."""

    end_listed: Sql

    def perform(self, target: Target, deadline_s: float) -> str:
        text = sql_for(target, self.end_listed)
        with target.session("operator") as session:
            listed = [int(row[0]) for row in session.run(text).rows]
            ended: list[int] = []
            for pid in listed:
                try:
                    session.run(target.engine.sessions.end_sql(pid))
                except DatabaseError as error:
                    raise StepFailed(
                        f"ended {ended or 'nobody'}, then at {pid}"
                        f"{' (its own session)' if pid == session.pid else ''}: {error}"
                    ) from error
                ended.append(pid)
        return f"ended {', '.join(map(str, ended)) or 'nobody'}"


KIND = EndListed

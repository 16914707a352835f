"""What a migration tool believes, read from its own table and never from its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.errors import DatabaseError
from harness.ports import Belief, Engine, Session
from harness.tools.adapter import Adapter, filled, for_dialect


def believes(adapter: Adapter, engine: Engine, session: Session, database: str) -> Belief:
    """Ask the tool's table in that database; a table that is not there tells nothing."""

    def ask(query: Any) -> Sequence[tuple[Any, ...]]:
        sql = for_dialect(query, engine.name, engine.dialect, "")
        if not sql:
            return ()
        try:
            return session.run(filled(sql, {"database": database})).rows
        except DatabaseError as error:
            if error.lost:
                raise
            return ()

    return Belief(
        tuple(str(row[0]) for row in ask(adapter.applied)),
        tuple(str(row[0]) for row in ask(adapter.stuck)),
    )


def keeps_a_record(adapter: Adapter, engine: Engine) -> bool:
    """Whether the tool writes down, on that engine, what is applied."""
    return bool(for_dialect(adapter.applied, engine.name, engine.dialect, ""))

"""Nothing stops the migration; the harm is what it does. The fault is the migration itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.errors import DeadlineExceeded
from harness.ports import FaultKind, Target, Witness
from harness.state.comparison import differing


@dataclass(frozen=True)
class MigrationSucceeds(FaultKind):
    """Every statement is acknowledged, and a second session sees that the database changed."""

    strikes_when_done: ClassVar[bool] = True

    def strike(self, target: Target) -> Sequence[Witness]:
        outcome = target.migration.outcome(self.deadline_s)
        if not outcome.finished:
            raise DeadlineExceeded(f"the migration failed: {outcome.code} {outcome.message}")
        return [
            Witness("victim", f"the server acknowledged all {outcome.done} statements"),
            Witness("observer", changed(target)),
        ]


def changed(target: Target) -> str:
    """How the database differs from its pristine template: in its schema, or in which tables.

    Rows that the application touched are left out, or any write of its own would do.
    """
    catalog = target.engine.catalog
    with target.asking() as now, target.asking(target.pristine) as before:
        if catalog.fingerprint(now) != catalog.fingerprint(before):
            return "the schema differs from before"
        tables = catalog.tables(before)
    changed_tables = [table for table in tables if differing(target, table)[1]]
    if not changed_tables:
        raise DeadlineExceeded("the migration changed neither schema nor data")
    return f"the data differs from before in {', '.join(changed_tables)}"


KIND = MigrationSucceeds

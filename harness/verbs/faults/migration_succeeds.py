"""Nothing stops the migration; the harm is what it does. The fault is the migration itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from harness.errors import Missed
from harness.ports import Witness
from harness.state.difference import difference
from harness.state.row_comparison import compare
from harness.state.snapshot import schema_of
from harness.verbs.protocols import FaultKind, Target


@dataclass(frozen=True)
class MigrationSucceeds(FaultKind):
    """Every statement is acknowledged, and a second session sees that the database changed."""

    strikes_when_done: ClassVar[bool] = True

    def strike(self, target: Target) -> Sequence[Witness]:
        outcome = target.migration.outcome(self.deadline_s)
        if not outcome.finished:
            raise Missed(f"the migration failed: {outcome.code} {outcome.message}")
        return [
            Witness("victim", f"the server acknowledged all {outcome.done} statements"),
            Witness("observer", changed(target)),
        ]


def changed(target: Target) -> str:
    """How the database differs from its pristine template: in its schema, or in which tables.

    Rows that the application touched are left out, or any write of its own would do.
    """
    engine = target.engine
    with target.asking() as now, target.asking(target.pristine) as before:
        had, has = schema_of(engine, before), schema_of(engine, now)
        gap = difference(had, has)
        if gap:
            return f"the schema differs from before: {gap.lines(had, has)[0]}"
        strays = [
            table
            for table in engine.snapshot.tables(before)
            if compare(engine, before, now, table, without=partial(target.touched, table))
        ]
    if not strays:
        raise Missed("the migration changed neither schema nor data")
    return f"the data differs from before in {', '.join(strays)}"


KIND = MigrationSucceeds

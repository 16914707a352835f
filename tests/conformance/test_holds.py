"""Every hold holds its statement for as long as it is shut, and not a moment longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from at_work import DEADLINE_S, ROW, STATEMENTS, AtWork
from conftest import Bench

from harness import registry
from harness.errors import StepFailed
from harness.model import word_of
from harness.record.events import Statement
from harness.state.snapshot import schema_of
from harness.verbs.holds.late_reader import LateReader
from harness.verbs.holds.row_lock import RowLock
from harness.verbs.holds.table_read import TableRead
from harness.verbs.holds.table_write import TableWrite
from harness.verbs.holds.trigger import Trigger

LOOKS = 20
CASES = [
    # hold, the statement that it holds, the statements
    (RowLock("users", ROW), 2, STATEMENTS),
    (TableRead("users"), 1, STATEMENTS),
    (TableWrite("users", ROW), 1, STATEMENTS),
    (Trigger("users", ROW), 2, STATEMENTS),
    (LateReader("users"), 1, ("ALTER TABLE users ADD INDEX users_score (score)",)),
]


@pytest.fixture
def make(bench: Bench) -> Iterator[Any]:
    made: list[AtWork] = []

    def begin(hold: Any, statements, **more: Any) -> AtWork:
        if isinstance(hold, LateReader) and "online-ddl" not in bench.engine.traits:
            pytest.skip(f"DDL of {bench.engine.title} is not online")
        made.append(AtWork(bench, statements, **more))
        return made[-1]

    yield begin
    for work in made:
        work.close()


def shut(work: AtWork, hold: Any, n: int) -> None:
    """As the conductor does it: prepare, arm, send the statement, see it parked."""
    hold.prepare(work.target)
    work.start()
    point = work.go_to("before", n)
    hold.arm(work.target)
    work.target.migration.go(point)
    work.wait_until_parked()
    hold.follow(work.target)
    work.wait_until_parked()


def test_every_gate_is_tried() -> None:
    """A new file in holds/ wants a line in the table."""
    assert {type(hold) for hold, *_ in CASES} == set(registry.kinds("holds").values())


@pytest.mark.parametrize("hold, n, statements", CASES, ids=lambda value: (
    word_of(value) if hasattr(value, "arm") else ""
))  # fmt: skip
def test_it_holds_and_lets_go(make, hold: Any, n: int, statements) -> None:
    """Parked at every look while shut; open, twice safely, and the migration ends well."""
    work = make(hold, statements)
    shut(work, hold, n)
    assert [work.is_parked() for _ in range(LOOKS)] == [True] * LOOKS
    assert len(work.told(Statement, "end")) == n - 1
    assert work.target.whose(hold.holder(work.target).pid) == "blocker"
    hold.release(work.target)
    hold.release(work.target)
    assert hold.holder(work.target) is None
    assert work.target.migration.outcome(DEADLINE_S).finished


@pytest.mark.parametrize("mode", ["one-transaction", "autocommit"])
def test_a_trigger_holds_where_a_row_cannot_be_locked(make, mode: str) -> None:
    """Behind DDL of the same transaction; and it is removed without a trace."""
    hold = Trigger("users", ROW)
    work = make(hold, STATEMENTS, mode=mode)
    with work.target.session("verifier") as session:
        before = schema_of(work.engine, session)
    shut(work, hold, 2)
    hold.release(work.target)
    assert work.target.migration.outcome(DEADLINE_S).finished
    hold.clear(work.target)
    hold.clear(work.target)
    with work.target.session("verifier") as session:
        for sql in ("DROP INDEX users_phone ON users", "ALTER TABLE users DROP COLUMN phone"):
            on_table = "transactional-ddl" not in work.engine.traits
            session.run(sql if on_table else sql.replace(" ON users", ""))
        assert schema_of(work.engine, session) == before


def test_a_blocker_ended_by_somebody_else_is_no_hindrance(make) -> None:
    """A recovery may end the blocking session: opening afterwards is no error."""
    hold = RowLock("users", ROW)
    work = make(hold, STATEMENTS)
    shut(work, hold, 2)
    holder = hold.holder(work.target)
    work.engine.sessions.end(work.observer(), holder.pid, holder.started)
    assert work.target.migration.outcome(DEADLINE_S).finished
    hold.release(work.target)


def test_a_row_that_is_not_there_holds_nothing(make) -> None:
    """It says so at once, instead of waiting for a statement that nobody stops."""
    hold = RowLock("users", -1)
    with pytest.raises(StepFailed, match="users"):
        hold.arm(make(hold, STATEMENTS).target)

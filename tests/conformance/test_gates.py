"""Every gate holds its statement for as long as it is shut, and not a moment longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from at_work import DEADLINE_S, ROW, STATEMENTS, AtWork
from conftest import Bench

from harness import catalog
from harness.errors import StepFailed
from harness.gates.late_reader import LateReader
from harness.gates.row_lock import RowLock
from harness.gates.table_read import TableRead
from harness.gates.table_write import TableWrite
from harness.gates.trigger import Trigger
from harness.model import word_of

LOOKS = 20
CASES = [
    # gate, the statement that it holds, the statements
    (RowLock("users", ROW), 2, STATEMENTS),
    (TableRead("users"), 1, STATEMENTS),
    (TableWrite("users", ROW), 1, STATEMENTS),
    (Trigger("users", ROW), 2, STATEMENTS),
    (LateReader("users"), 1, ("ALTER TABLE users ADD INDEX users_score (score)",)),
]


@pytest.fixture
def make(bench: Bench) -> Iterator[Any]:
    made: list[AtWork] = []

    def begin(gate: Any, statements, **more: Any) -> AtWork:
        if isinstance(gate, LateReader) and "online-ddl" not in bench.engine.traits:
            pytest.skip(f"DDL of {bench.engine.title} is not online")
        made.append(AtWork(bench, statements, **more))
        return made[-1]

    yield begin
    for work in made:
        work.close()


def shut(work: AtWork, gate: Any, n: int) -> None:
    """As the conductor does it: prepare, arm, send the statement, see it parked."""
    gate.prepare(work.target)
    work.start()
    point = work.go_to("before", n)
    gate.arm(work.target)
    work.target.migration.go(point)
    work.wait_until_parked()
    gate.follow(work.target)
    work.wait_until_parked()


def test_every_gate_is_tried() -> None:
    """A new file in gates/ wants a line in the table."""
    assert {type(gate) for gate, *_ in CASES} == set(catalog.kinds("gates").values())


@pytest.mark.parametrize("gate, n, statements", CASES, ids=lambda value: (
    word_of(value) if hasattr(value, "arm") else ""
))  # fmt: skip
def test_it_holds_and_lets_go(make, gate: Any, n: int, statements) -> None:
    """Parked at every look while shut; open, twice safely, and the migration ends well."""
    work = make(gate, statements)
    shut(work, gate, n)
    assert [work.is_parked() for _ in range(LOOKS)] == [True] * LOOKS
    assert len(work.events("statement.end")) == n - 1
    assert work.target.whose(gate.holder(work.target).pid) == "blocker"
    gate.open(work.target)
    gate.open(work.target)
    assert gate.holder(work.target) is None
    assert work.target.migration.outcome(DEADLINE_S).finished


@pytest.mark.parametrize("mode", ["one-transaction", "autocommit"])
def test_a_trigger_holds_where_a_row_cannot_be_locked(make, mode: str) -> None:
    """Behind DDL of the same transaction; and it is removed without a trace."""
    gate = Trigger("users", ROW)
    work = make(gate, STATEMENTS, mode=mode)
    with work.target.session("verifier") as session:
        before = work.engine.catalog.fingerprint(session)
    shut(work, gate, 2)
    gate.open(work.target)
    assert work.target.migration.outcome(DEADLINE_S).finished
    gate.clear(work.target)
    gate.clear(work.target)
    with work.target.session("verifier") as session:
        for sql in ("DROP INDEX users_phone ON users", "ALTER TABLE users DROP COLUMN phone"):
            on_table = "transactional-ddl" not in work.engine.traits
            session.run(sql if on_table else sql.replace(" ON users", ""))
        assert work.engine.catalog.fingerprint(session) == before


def test_a_blocker_ended_by_somebody_else_is_an_open_gate(make) -> None:
    """A recovery may end the blocking session: opening afterwards is no error."""
    gate = RowLock("users", ROW)
    work = make(gate, STATEMENTS)
    shut(work, gate, 2)
    holder = gate.holder(work.target)
    work.engine.sessions.end(work.observer(), holder.pid, holder.started)
    assert work.target.migration.outcome(DEADLINE_S).finished
    gate.open(work.target)


def test_a_row_that_is_not_there_holds_nothing(make) -> None:
    """It says so at once, instead of waiting for a statement that nobody stops."""
    gate = RowLock("users", -1)
    with pytest.raises(StepFailed, match="users"):
        gate.arm(make(gate, STATEMENTS).target)

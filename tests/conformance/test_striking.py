"""The migration is stopped exactly where a moment says, by construction and not by the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from at_work import ROW, STATEMENTS, AtWork
from conftest import Bench

from harness.drill.striking import drive
from harness.model import Fault, Moment
from harness.record.events import FaultFired, FaultMissed, StateBefore, Statement
from harness.verbs.faults.kill_migrator import KillMigrator
from harness.verbs.faults.kill_session import KillSession
from harness.verbs.holds.row_lock import RowLock

NOWHERE = Moment(after=9)


@pytest.fixture
def work(bench: Bench) -> Iterator[AtWork]:
    work = AtWork(bench)
    yield work
    work.close()


@pytest.mark.parametrize(
    "moment, applied",
    [
        (Moment(before=1), [False, False, False]),
        (Moment(after=1), [True, False, False]),
        (Moment(before=2), [True, False, False]),
        (Moment(after=2), [True, True, False]),
        (Moment(before=3), [True, True, False]),
        (Moment(after=3), [True, True, True]),
    ],
    ids=str,
)
def test_a_kill_lands_between_two_statements(work: AtWork, moment: Moment, applied) -> None:
    """What came before it is in the database, and nothing of what comes after."""
    work.drive(KillMigrator(), moment)
    work.wait_until_gone()
    assert work.applied() == applied
    assert [fired.moment for fired in work.told(FaultFired)] == [str(moment)]


def test_a_kill_lands_inside_a_statement(work: AtWork) -> None:
    """The server was working on it when its session died; alone, it leaves no half of itself."""
    work.drive(KillSession(), Moment(inside=2, hold=RowLock("users", ROW)))
    (seen,) = work.told(StateBefore)
    assert seen.query.startswith("UPDATE users SET phone")
    work.wait_until_gone()
    assert work.applied() == [True, False, False]


def test_nothing_is_struck_when_the_moment_never_comes(work: AtWork) -> None:
    """A fault that missed is told as missed, and the migration ended by itself."""
    work.drive(KillMigrator(), NOWHERE)
    assert (work.told(FaultFired), len(work.told(FaultMissed))) == ([], 1)
    assert work.applied() == [True, True, True]


def test_nothing_is_struck_when_the_injection_is_left_out(work: AtWork) -> None:
    """The same way through the code, without the strike: a control for the fault itself."""
    fault = Fault("fault", KillMigrator(), Moment(after=1))
    drive(work.target, work.start(), fault, inject=False)
    assert (work.told(FaultFired), len(work.told(FaultMissed))) == ([], 1)
    assert work.applied() == [True, True, True]


def test_every_statement_is_on_the_record(work: AtWork) -> None:
    """Begun and ended, in order, with the words that were sent."""
    assert work.start().outcome(60).finished
    begun = [(statement.n, statement.sql) for statement in work.told(Statement, "begin")]
    ended = [(statement.n, statement.ok) for statement in work.told(Statement, "end")]
    assert begun == list(enumerate(STATEMENTS, 1))
    assert ended == [(1, True), (2, True), (3, True)]

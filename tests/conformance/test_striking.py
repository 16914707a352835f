"""The migration is stopped exactly where a moment says, by construction and not by the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from at_work import ROW, STATEMENTS, AtWork
from conftest import Bench

from harness.application.background import BackgroundApplication
from harness.drill.striking import drive
from harness.model import App, AppVersion, Deployment, Fault, Moment
from harness.record.events import FaultFired, FaultMissed, StateBefore, Statement, VersionSwitched
from harness.verbs.faults.kill_migrator import KillMigrator
from harness.verbs.faults.kill_session import KillSession
from harness.verbs.faults.migration_succeeds import MigrationSucceeds
from harness.verbs.holds.row_lock import RowLock

NOWHERE = Moment(after=9)


PHONES = App(
    table="users",
    key="id",
    keys=(60, 90),
    versions={
        "old": AppVersion(read="SELECT id, name FROM users WHERE id = :id"),
        "new": AppVersion(
            read="SELECT id, phone FROM users WHERE id = :id",
            update="UPDATE users SET phone = :phone WHERE id = :id",
        ),
    },
    values={"phone": "p{n}"},
    ledger=("phone",),
)


@pytest.fixture
def work(bench: Bench) -> Iterator[AtWork]:
    work = AtWork(bench)
    yield work
    work.close()


@pytest.fixture
def app(work: AtWork) -> Iterator[BackgroundApplication]:
    """At work in the migration's database; its version ``new`` needs the column of statement 1."""
    app = BackgroundApplication(PHONES, work.target.connect, work.engine, work.timeline, seed=1)
    work.target.app = app
    app.start()
    yield app
    app.stop()


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


def test_a_version_that_is_rolled_out_has_worked_before_the_strike(work: AtWork, app) -> None:
    """Held writers go on, what they write is acknowledged, and only then it strikes."""
    app.hold_writers()
    rollout = (Deployment(1, "new"),)
    drive(work.target, work.start(), Fault("fault", KillMigrator(), Moment(after=1), rollout))
    order = [type(e.what) for e in work.timeline.events()]
    assert order.index(VersionSwitched) < order.index(FaultFired)
    assert app.version == "new"
    assert any(write.is_acknowledged for write in app.ledger.writes())


def test_each_version_is_rolled_out_after_its_statement(work: AtWork, app) -> None:
    """Also where the fault is the migration itself, which goes on once the version has worked."""
    rollout = (Deployment(1, "new"), Deployment(3, "old"))
    drive(work.target, work.start(), Fault("fault", MigrationSucceeds(), Moment(), rollout))
    told = [
        event.what.n if isinstance(event.what, Statement) else event.what.version
        for event in work.timeline.events()
        if isinstance(event.what, VersionSwitched)
        or (isinstance(event.what, Statement) and event.edge == "end")
    ]
    assert told == [1, "new", 2, 3, "old"]
    assert len(work.told(FaultFired)) == 1


def test_a_version_that_does_not_work_there_makes_the_fault_miss(work: AtWork, app) -> None:
    """A rollout that fails proves nothing about a recovery: nothing is struck."""
    with work.target.session("operator") as session:
        session.run("ALTER TABLE users RENAME COLUMN name TO called")
    rollout = (Deployment(1, "old"),)
    drive(work.target, work.start(), Fault("fault", KillMigrator(), Moment(after=1), rollout))
    (missed,) = work.told(FaultMissed)
    assert "version old, deployed after statement 1, fails" in missed.reason
    assert work.told(FaultFired) == []

"""Every fault on every engine: it strikes, two independent witnesses tell it, it heals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from at_work import DEADLINE_S, ROW, AtWork
from conftest import Bench

from harness import registry
from harness.model import Moment, word_of
from harness.record.events import (
    FaultFired,
    FaultMissed,
    ServerChange,
    ServerDied,
    ServerReady,
    ServerStarted,
    Statement,
    WitnessSeen,
)
from harness.verbs.faults.cancel_query import CancelQuery
from harness.verbs.faults.drop_connection import DropConnection
from harness.verbs.faults.fail_statement import FailStatement
from harness.verbs.faults.kill_migrator import KillMigrator
from harness.verbs.faults.kill_server import KillServer
from harness.verbs.faults.kill_session import KillSession
from harness.verbs.faults.lock_queue import LockQueue
from harness.verbs.faults.migration_succeeds import MigrationSucceeds
from harness.verbs.faults.pause_server import PauseServer
from harness.verbs.faults.time_out import TimeOut
from harness.verbs.holds.row_lock import RowLock
from harness.verbs.holds.table_read import TableRead
from harness.wire import Proxy


def inside(released: str = "after-strike") -> Moment:
    return Moment(inside=2, hold=RowLock("users", ROW), released=released)


@dataclass(frozen=True)
class Case:
    """A fault at a moment, and the code that its victim must meet, if it lives to meet one."""

    kind: Any
    moment: Moment
    codes: str = ""

    def __str__(self) -> str:
        return f"{word_of(self.kind)} {self.moment}".replace(" statement", "")


REFUSED = FailStatement("ALTER TABLE users ADD COLUMN broken no_such_type(")
CASES = [
    Case(KillMigrator(), Moment(after=1)),
    Case(KillMigrator("TERM"), Moment(before=3)),
    Case(KillMigrator(), inside()),
    Case(KillSession(), Moment(after=2)),
    Case(KillSession(), inside()),
    Case(CancelQuery(), inside(), "killed"),
    Case(KillServer(), Moment(after=2)),
    Case(KillServer(), inside()),
    Case(DropConnection(), Moment(after=1)),
    Case(DropConnection(server_notices=False), inside("never")),
    Case(REFUSED, Moment(before=2), "refused"),
    Case(TimeOut(), inside(), "timeout"),
    Case(LockQueue(), Moment(inside=1, hold=TableRead("users"), released="never")),
    Case(PauseServer(), inside("never")),
    Case(MigrationSucceeds(), Moment()),
]


@pytest.fixture
def work(bench: Bench) -> Iterator[AtWork]:
    work = AtWork(bench, on_every_backend=True)
    yield work
    bench.server.resume()
    work.close()


def strike(work: AtWork, case: Case) -> None:
    """Through a proxy where the fault needs one, and only where the server can bear it."""
    lacking = case.kind.needs - work.bench.server.capabilities
    if lacking:
        pytest.skip(f"this server cannot be told to {', '.join(sorted(lacking))}")
    changes = {}
    if case.kind.through_proxy:
        address = work.bench.server.address()
        proxy = work.target.shelf.proxy = Proxy(work.engine.dialect, (address.host, address.port))
        changes["through"] = proxy.port
    work.drive(case.kind, case.moment, **changes)


def test_every_fault_is_tried() -> None:
    """A new file in faults/ wants a line in the table."""
    assert {type(case.kind) for case in CASES} == set(registry.kinds("faults").values())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_strikes_tells_and_heals(work: AtWork, case: Case) -> None:
    """Two sources say that it struck; afterwards the server works, healed once or twice."""
    strike(work, case)
    missed = [missed.reason for missed in work.told(FaultMissed)]
    assert (missed, len(work.told(FaultFired))) == ([], 1)
    assert len({witness.source for witness in work.told(WitnessSeen)}) >= 2
    expected = {
        "killed": work.engine.sessions.KILLED,
        "timeout": {work.bench.words.lock_timeout},
    }.get(case.codes)
    if case.codes:
        met = {end.code for end in work.told(Statement, "end") if not end.ok}
        assert len(met) == 1
        assert expected is None or met <= expected
    work.bench.server.resume()
    work.target.shelf.frozen = False
    case.kind.heal(work.target)
    case.kind.heal(work.target)
    assert work.ask("SELECT 1") == 1


def test_a_killed_server_comes_back_with_what_it_had_confirmed(work: AtWork) -> None:
    """The same data, the same identity, and the statements that were acknowledged."""
    strike(work, Case(KillServer(), Moment(after=2)))
    assert work.applied() == [True, True, False]
    assert [type(change) for change in work.told(ServerChange)] == [
        ServerDied,
        ServerStarted,
        ServerReady,
    ]


def test_a_connection_cut_unnoticed_leaves_its_session_at_work(work: AtWork) -> None:
    """The client is gone; the server goes on holding what the session holds."""
    strike(work, Case(DropConnection(server_notices=False), inside("never")))
    info = work.target.migration.session
    assert work.engine.sessions.find(work.observer(), info.pid, info.started) is not None
    assert not work.target.migration.alive()


def test_a_fault_without_a_victim_misses(work: AtWork) -> None:
    """A migration that is refused nothing has met no fault, and the record says so."""
    work.drive(FailStatement("SELECT 1"), Moment(before=3))
    assert (work.told(FaultFired), len(work.told(FaultMissed))) == ([], 1)


def test_a_migration_that_changes_nothing_did_no_harm(bench: Bench) -> None:
    """It succeeded, and still the fault missed: what it should break is as it was."""
    work = AtWork(bench, ["SELECT 1"])
    try:
        work.drive(MigrationSucceeds(), Moment())
        assert (work.told(FaultFired), len(work.told(FaultMissed))) == ([], 1)
        assert work.target.migration.outcome(DEADLINE_S).finished
    finally:
        work.close()

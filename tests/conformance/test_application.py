"""The application in the background meets what a migration does to it, on every engine."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest
from app_world import OLD, SOON_S, World, a_world, acknowledged_keys, told_by, until

from harness.application.background import BackgroundApplication
from harness.application.ledger import Op, WriteOutcome
from harness.errors import DatabaseError, DeadlineExceeded, StepFailed
from harness.model import AppVersion
from harness.ports import Answer, Session
from harness.record.events import ApplicationError, LedgerChecked, Tick, VersionSwitched
from harness.record.timeline import told


@pytest.fixture
def world(bench) -> Iterator[World]:
    with a_world(bench) as made:
        yield made


@pytest.fixture
def held_row(world: World) -> Iterator[Session]:
    """Another session has locked user 1."""
    session = world.connect("blocker")
    world.engine.holding.hold_row(session, "users", "id", 1)
    yield session
    session.close()


def until_blocked(app: BackgroundApplication, world: World) -> None:
    """One of its operations waits for the lock, and has for long enough to be seen waiting."""
    until(lambda: app.traffic().waiting and any(world.waits(pid) for pid in app.pids()))


def test_it_reads_and_writes_without_an_error_and_its_ledger_settles(world):
    """Every kind of write is acknowledged, and all of it is found again."""
    app = world.running()
    assert app.works(8, SOON_S).reached
    app.stop()
    finding = app.settle_ledger(world.observer)
    writes = app.ledger.writes()
    assert {write.op for write in writes} == set(Op)
    assert (finding.answer, finding.lost) == (Answer.HELD, 0)
    assert finding.population == sum(w.outcome is WriteOutcome.ACKNOWLEDGED for w in writes) > 10
    assert told_by(app, LedgerChecked)[0].acknowledged == finding.population
    assert set(app.touched("users")) == {write.key for write in writes}
    assert app.touched("orders") == ()


def test_quoted_parameters_reach_the_server_as_they_are_written(world):
    """What looks like a parameter inside quotes is text."""
    app = world.running()
    app.works(8, SOON_S)
    app.stop()
    notes = world.observer.run("SELECT DISTINCT note FROM users WHERE note IS NOT NULL")
    assert notes.rows == ((":email",),)


def test_its_ticks_add_up_to_its_traffic(world):
    """Each operation is in exactly one tick, and ticks join without a gap."""
    app = world.running()
    app.works(20, SOON_S)
    app.switch("broken")
    until(lambda: app.traffic().errors)
    app.stop()
    ticks = told_by(app, Tick)
    traffic = app.traffic()
    assert sum(tick.ok for tick in ticks) == traffic.ok
    assert sum(tick.errors for tick in ticks) == traffic.errors
    assert (ticks[0].version, ticks[-1].version) == ("old", "broken")
    events = told(app.timeline.events(), Tick)
    gaps = [after.what.from_ns - before.t_ns for before, after in itertools.pairwise(events)]
    assert all(gap <= 0 for gap in gaps)


def test_its_sessions_are_known_by_their_pids(world):
    """One per worker, and the server agrees whose they are."""
    app = world.running()
    listed = {info.pid: info.application for info in world.engine.sessions.listing(world.observer)}
    assert len(app.pids()) == 3
    assert app.pids() <= listed.keys()
    assert world.observer.pid not in app.pids()


def test_a_version_that_misses_a_column_fails_and_the_first_error_is_noted(world):
    """A new version on an old schema: evidence at once, one event per error code."""
    app = world.running()
    app.switch("broken")
    traffic = app.works(50, SOON_S)
    assert (traffic.errors > 0, traffic.reached) == (True, False)
    assert "phone" in traffic.first_error
    until(lambda: app.traffic().errors > 3)
    assert len(told_by(app, ApplicationError)) == 1
    assert told_by(app, VersionSwitched) == [VersionSwitched("broken")]
    app.switch("old")
    until(lambda: app.works(2, SOON_S).reached)


def test_a_version_that_never_writes_keeps_nobody_waiting(world):
    """Its writers are idle by design, so the readers alone answer."""
    app = world.running(versions={"old": OLD, "read-only": AppVersion(read=OLD.read)})
    app.switch("read-only")
    app.works(1, SOON_S)
    before = len(app.ledger.writes())
    assert app.works(3, SOON_S).reached
    assert len(app.ledger.writes()) == before


def test_an_unknown_version_is_refused_with_the_known_ones(world):
    """At the switch and at the start."""
    with pytest.raises(StepFailed, match=r"no version 'new'; it has: old, broken"):
        world.application().switch("new")
    with pytest.raises(StepFailed, match=r"no version 'new'"):
        world.application(start="new")


def test_a_blocked_write_is_seen_waiting_and_stop_ends_it_while_it_is_blocked(world, held_row):
    """The lock is still held when the last worker has gone; what it sent is unknown."""
    app = world.application(keys=(1, 1), writers=1, versions={"old": OLD})
    app.start()
    until_blocked(app, world)
    assert app.traffic().longest_wait_ms > 50
    stuck = app.works(3, 0.2)
    assert (stuck.reached, stuck.waiting, stuck.errors) == (False, 1, 0)
    assert stuck.ok > 0, "the reader goes on"
    begun = time.monotonic()
    app.stop(world.end_session)
    assert time.monotonic() - begun < 10, "it must not sit out the lock timeout"
    last = app.ledger.writes()[-1]
    assert (last.key, last.outcome) == (1, WriteOutcome.UNKNOWN)
    assert told_by(app, ApplicationError) == [], "what stopping broke is nobody's error"
    assert app.settle_ledger(world.observer).lost == 0


def test_stop_without_means_to_end_a_blocked_worker_says_who_is_left(world, held_row):
    """It gives up at its deadline instead of waiting for ever."""
    app = world.application(keys=(1, 1), writers=1, versions={"old": OLD})
    app.start()
    until_blocked(app, world)
    with pytest.raises(DeadlineExceeded, match="writer-0"):
        app.stop(deadline_s=0.3)


def test_held_writers_write_nothing_while_readers_go_on(world):
    """The maintenance window of a dump; afterwards writing goes on where it was."""
    app = world.running()
    app.works(3, SOON_S)
    app.hold_writers()
    before = app.ledger.writes()
    assert all(write.t_acked_ns for write in before)
    rows = world.observer.run("SELECT COUNT(*) FROM users").scalar()
    reads = app.traffic().ok
    until(lambda: app.traffic().ok >= reads + 10)
    assert app.ledger.writes() == before
    assert world.observer.run("SELECT COUNT(*) FROM users").scalar() == rows
    app.release_writers()
    assert app.works(2, SOON_S).reached
    assert len(app.ledger.writes()) > len(before)


def test_a_write_that_does_not_end_makes_holding_fail_and_lets_the_others_go(world, held_row):
    """The message says who is in flight; the lock gone, all work again."""
    app = world.application(keys=(1, 1), writers=1, versions={"old": OLD})
    app.start()
    until_blocked(app, world)
    with pytest.raises(DeadlineExceeded, match="writer-0"):
        app.hold_writers(0.2)
    held_row.close()
    assert app.works(2, SOON_S).reached


def test_the_ledger_settles_although_a_write_is_blocked(world, held_row):
    """Whichever way that write ends is legal; the writers work on afterwards."""
    app = world.application(keys=(1, 1), writers=1, versions={"old": OLD})
    app.start()
    until_blocked(app, world)
    finding = app.settle_ledger(world.observer, hold_s=0.2)
    assert (finding.answer, finding.lost) == (Answer.HELD, 0)
    assert told_by(app, LedgerChecked)[0].unknown == 1
    held_row.close()
    assert app.works(2, SOON_S).reached


def test_an_error_of_an_operation_begun_earlier_does_not_count_from_now_on(
    world, held_row, monkeypatch
):
    """A blocked write that is cancelled during the question belongs to the time before it."""
    app = world.application(keys=(1, 1), writers=1, versions={"old": OLD})
    app.start()
    until_blocked(app, world)
    (blocked,) = [pid for pid in app.pids() if world.waits(pid)]
    ask = app.pulse.traffic

    def cancel_then_ask(*args, **changes):
        monkeypatch.setattr(app.pulse, "traffic", ask)
        world.end_session(blocked)
        until(lambda: app.traffic().errors)
        held_row.close()
        return ask(*args, **changes)

    monkeypatch.setattr(app.pulse, "traffic", cancel_then_ask)
    traffic = app.works(2, SOON_S)
    assert (traffic.errors, traffic.reached) == (0, True)


def test_the_ledger_settles_again_and_again_while_writers_are_at_work(world):
    """They are held for the moment of comparing: no false alarm, and nothing left unknown."""
    app = world.running()
    for _ in range(40):
        finding = app.settle_ledger(world.observer)
        assert (finding.answer, finding.lost) == (Answer.HELD, 0), finding.found
    assert {report.unknown for report in told_by(app, LedgerChecked)} == {0}
    assert app.works(2, SOON_S).reached


def test_settling_waits_for_a_write_in_flight_to_be_answered(world, held_row):
    """So that a healthy application leaves nothing unknown."""
    app = world.application(keys=(1, 1), writers=1, versions={"old": OLD})
    app.start()
    until(lambda: any(world.waits(pid) for pid in app.pids()))
    settling = threading.Thread(target=app.settle_ledger, args=(world.observer, SOON_S))
    settling.start()
    settling.join(0.3)
    assert settling.is_alive()
    held_row.close()
    settling.join(SOON_S)
    assert [report.unknown for report in told_by(app, LedgerChecked)] == [0]


def test_a_killed_session_is_opened_again(world):
    """An error for each, then new sessions under new pids; nothing acknowledged is lost."""
    app = world.running()
    killed = app.pids()
    for pid in killed:
        world.end_session(pid)
    until(lambda: len(app.pids() - killed) == 3)
    assert app.works(3, SOON_S).reached
    assert not app.pids() & killed
    assert app.traffic().errors >= 3
    app.stop()
    assert app.settle_ledger(world.observer).answer is Answer.HELD


def test_while_nobody_answers_it_keeps_trying_and_comes_back(world):
    """A server that is down costs errors, not the application; stop then ends it at once."""
    app = world.running()
    world.up = False
    for pid in app.pids():
        world.end_session(pid)
    until(lambda: not app.pids())
    errors = app.traffic().errors
    until(lambda: app.traffic().errors > errors + 3)
    assert app.works(1, SOON_S).first_error == "nobody answers"
    world.up = True
    until(lambda: len(app.pids()) == 3)
    assert app.works(3, SOON_S).reached
    world.up = False
    begun = time.monotonic()
    app.stop()
    assert time.monotonic() - begun < 5


DAMAGE = {
    "a deleted row": ("lost", Op.INSERT, "DELETE FROM users WHERE id = {key}"),
    "a value overwritten": (
        "changed",
        Op.UPDATE,
        "UPDATE users SET email = 'other' WHERE id = {key}",
    ),
    "a value emptied": ("changed", Op.UPDATE, "UPDATE users SET email = NULL WHERE id = {key}"),
    "a deleted row that is back": (
        "resurrected",
        Op.DELETE,
        "INSERT INTO users (id, email) VALUES ({key}, 'old')",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_behind_its_back_is_found_and_named(world, what):
    """One row is touched; one is reported, with its key."""
    kind, op, sql = DAMAGE[what]
    app = world.running()
    app.works(8, SOON_S)
    app.hold_writers()
    key = acknowledged_keys(app, op)[0]
    world.observer.run(sql.format(key=key))
    finding = app.settle_ledger(world.observer)
    report = told_by(app, LedgerChecked)[0]
    assert (finding.answer, finding.lost) == (Answer.NOT_HELD, 1)
    assert {name: getattr(report, name) for name in ("lost", "changed", "resurrected")} == {
        "lost": 0,
        "changed": 0,
        "resurrected": 0,
        kind: 1,
    }
    assert f"key {key}:" in finding.found


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE users DROP COLUMN email",
        "DROP TABLE users",
        "DELETE FROM users",
        "ALTER TABLE users DROP COLUMN id",
    ],
)
def test_a_column_or_table_that_is_gone_loses_all_that_was_acknowledged_in_it(world, sql):
    """Every row with an acknowledged value counts; nothing crashes."""
    app = world.running(versions={"old": AppVersion(OLD.read, OLD.insert, OLD.update)})
    app.works(8, SOON_S)
    app.stop()
    world.observer.run(sql)
    finding = app.settle_ledger(world.observer)
    keys = acknowledged_keys(app, Op.INSERT) + acknowledged_keys(app, Op.UPDATE)
    assert (finding.answer, finding.lost) == (Answer.NOT_HELD, len(keys))


def test_a_table_that_cannot_be_read_gives_no_answer(world):
    """A refusal by the server says nothing about the rows."""
    app = world.running()
    app.stop()

    class Refusing:
        def __init__(self, session: Session) -> None:
            self.pid, self._session = session.pid, session

        def run(self, sql: str, args=()):
            if "email" in sql:
                raise DatabaseError("55P03", "lock timeout")
            return self._session.run(sql, args)

    finding = app.settle_ledger(Refusing(world.observer))
    assert finding.answer is Answer.UNANSWERABLE
    assert "lock timeout" in finding.found


def test_without_acknowledged_writes_the_ledger_has_no_answer(world):
    """An application that only read proves nothing about writes."""
    app = world.running(versions={"old": AppVersion(read=OLD.read)})
    app.stop()
    finding = app.settle_ledger(world.observer)
    assert (finding.answer, finding.population) == (Answer.UNANSWERABLE, 0)


def test_no_thread_outlives_stop_and_stopping_twice_is_safe(world):
    """Not even the one that ticks."""
    before = set(threading.enumerate())
    app = world.running()
    assert len(set(threading.enumerate()) - before) == 4
    app.stop()
    app.stop()
    assert not set(threading.enumerate()) - before
    assert app.pids() == frozenset()


def test_an_error_of_our_own_inside_a_worker_comes_out_at_stop(world, monkeypatch):
    """A bug of the harness must never pass for a quiet application."""
    app = world.running()
    monkeypatch.setattr(app.ledger, "sent", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        app.works(100, SOON_S)
    with pytest.raises(ZeroDivisionError):
        app.stop()

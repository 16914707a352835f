"""What a recovery destroys of the application's writes is found while it happens, everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from app_world import OLD, SOON_S, World, a_world, acknowledged_keys, told_by, until

from harness.application.background import BackgroundApplication
from harness.application.ledger import Op
from harness.errors import DatabaseError
from harness.model import AppVersion
from harness.ports import Answer, Session
from harness.record.events import LedgerChecked, StaleReadSeen

BUSY = {"keys": (1, 12), "readers": 3, "writers": 3}
"""Few keys and many workers: most reads overlap with a write."""
KEEPS_ROWS = AppVersion(OLD.read, OLD.insert, OLD.update)
GARBAGE = "UPDATE users SET email = 'garbage'"
LEFT = "SELECT COUNT(*) FROM users WHERE email = 'garbage' AND id <= 12"


class Recovery:
    """Somebody repairs, or destroys, what an application works on; checked as a trial does it."""

    def __init__(self, bench: Any, world: World) -> None:
        self.bench = bench
        self.world = world
        self.app: BackgroundApplication = None

    def begins(self, after: Callable[[], Any] = lambda: None, **changes: Any) -> Recovery:
        """The application has worked for a while, something happened, the reference is taken."""
        self.app = self.world.application(**{**BUSY, **changes})
        first, last = changes.get("keys", BUSY["keys"])
        self.app.think_s = 0.002
        self.app.start()
        until(lambda: len(self.acknowledged_rows()) > min(5, (last - first) // 2))
        after()
        self.check("")
        return self

    def acknowledged_rows(self) -> list[int]:
        """Keys of rows that are there, as their last write was acknowledged."""
        return [key for op in (Op.INSERT, Op.UPDATE) for key in acknowledged_keys(self.app, op)]

    def works(self, operations: int) -> None:
        traffic = self.app.works(operations, SOON_S)
        assert (traffic.reached, traffic.first_error) == (True, "")

    def step(self, name: str, *statements: str) -> None:
        for sql in statements:
            self.world.observer.run(sql)
        self.check(name)

    def check(self, after: str) -> None:
        self.app.check_ledger(self.asking, after, self.bench.database)

    @contextmanager
    def asking(self, database: str | None = None) -> Iterator[Session]:
        yield self.bench.connect("verifier", database) if database else self.world.observer

    def overwritten(self) -> None:
        """The application has written over all garbage in its part of the table."""
        until(lambda: not self.world.observer.run(LEFT).scalar())

    def last(self) -> LedgerChecked:
        return told_by(self.app, LedgerChecked)[-1]

    def settles(self) -> Any:
        return self.app.settle_ledger(self.world.observer)


@pytest.fixture
def recovery(bench: Any) -> Iterator[Recovery]:
    with a_world(bench) as world:
        yield Recovery(bench, world)


def worst(told: LedgerChecked) -> tuple[int, ...]:
    return (told.lost, told.changed, told.resurrected, told.for_good, told.misread)


@pytest.mark.parametrize("keys", [(1, 3), (1, 12), (1, 60)])
def test_nothing_destroyed_is_nobody_accused(recovery, keys):
    """Hundreds of reads among writes to the same few keys, checks in between, killed sessions."""
    recovery.begins(keys=keys)
    for n in range(12):
        recovery.works(15)
        recovery.check(f"step {n}")
        if n % 4 == 0:
            for pid in recovery.app.pids():
                recovery.world.end_session(pid)
            until(lambda: recovery.app.works(1, SOON_S).reached)
    finding = recovery.settles()
    told = recovery.last()
    assert (finding.answer, worst(told)) == (Answer.HELD, (0, 0, 0, 0, 0)), finding.found
    assert (told.reads > 300, told.stale_reads) == (True, 0)
    assert f"{told.reads} reads checked, 0 stale" in finding.found
    assert told_by(recovery.app, StaleReadSeen) == []
    assert {check.incident for check in told_by(recovery.app, LedgerChecked)} == {0}


def test_what_was_destroyed_and_overwritten_is_found_at_the_end_of_the_step(recovery):
    """The table is right again in a moment, and the ledger still says what was lost, and when."""
    recovery.begins()
    recovery.step("wreck it", GARBAGE)
    found = recovery.last()
    assert (found.after, found.final, found.changed > 3) == ("wreck it", False, True)
    recovery.overwritten()
    recovery.step("wait")
    finding = recovery.settles()
    told = recovery.last()
    assert finding.answer is Answer.NOT_HELD
    assert told.for_good + told.misread == finding.lost >= found.changed
    assert "destroyed after step 'wreck it', as seen at" in finding.found
    assert "and overwritten by the application" in finding.found


def test_what_nobody_checks_before_it_is_overwritten_is_found_by_reads(recovery):
    """A step that destroys and then waits is over only when the table is right again."""
    recovery.begins(versions={"old": KEEPS_ROWS})
    recovery.world.observer.run(GARBAGE)
    recovery.overwritten()
    recovery.check("wreck it and wait")
    finding = recovery.settles()
    told = recovery.last()
    assert (finding.answer, told.for_good > 0) == (Answer.NOT_HELD, True)
    assert "destroyed after step 'wreck it and wait'" in finding.found
    reads = told_by(recovery.app, StaleReadSeen)
    assert min(told.stale_reads, 20) == sum(read.counted for read in reads) > 0
    for read in reads:
        assert read.found.startswith("email is 'garbage', acknowledged was 'w")
        assert all("example.test" in state for state in read.legal)
        assert 0 < read.sent_ns < read.answered_ns


@pytest.mark.parametrize(
    "how, kind, says",
    [
        (GARBAGE, "changed", "email is 'garbage'"),
        ("UPDATE users SET email = NULL", "changed", "email is None"),
        ("DELETE FROM users", "lost", "the row is missing"),
    ],
)
def test_a_read_finds_it_while_nobody_writes(recovery, how, kind, says):
    """Also what no writer will ever overwrite, and whatever became of the row."""
    recovery.begins()
    recovery.app.hold_writers()
    recovery.world.observer.run(how)
    until(lambda: len(told_by(recovery.app, StaleReadSeen)) == 20)
    recovery.settles()
    told = recovery.last()
    assert {read.found.partition(",")[0] for read in told_by(recovery.app, StaleReadSeen)} == {says}
    until(lambda: recovery.settles() and recovery.last().stale_reads > 25)
    assert getattr(told, kind) > 3
    assert len(told_by(recovery.app, StaleReadSeen)) == 20, "the rest is counted"


def test_a_deleted_row_that_comes_back_is_found_by_reads(recovery):
    """Its delete was acknowledged."""
    recovery.begins()
    gone = until(lambda: acknowledged_keys(recovery.app, Op.DELETE))
    rows = ", ".join(f"({key}, 'old')" for key in gone)
    recovery.world.observer.run(f"INSERT INTO users (id, email) VALUES {rows}")
    until(lambda: told_by(recovery.app, StaleReadSeen))
    read = told_by(recovery.app, StaleReadSeen)[0]
    assert (read.key in gone, read.found) == (True, "the deleted row is back")
    assert (read.legal, read.counted) == (("no row",), True)
    assert recovery.settles().answer is Answer.NOT_HELD


def test_what_is_put_back_before_it_was_read_or_overwritten_is_not_lost(recovery):
    """A step may take away what a later one brings back; nobody was told anything wrong."""
    recovery.begins(readers=0)
    recovery.app.hold_writers()
    recovery.step("put it aside", "CREATE TABLE kept AS SELECT * FROM users", GARBAGE)
    assert recovery.last().changed > 3
    recovery.step(
        "bring it back",
        "UPDATE users SET email = (SELECT kept.email FROM kept WHERE kept.id = users.id)",
    )
    assert worst(recovery.last()) == (0, 0, 0, 0, 0)
    recovery.app.release_writers()
    recovery.works(5)
    assert recovery.settles().answer is Answer.HELD


RENAMED = "ALTER TABLE users RENAME COLUMN email TO mail"
INCIDENTS = {
    # what happened, the steps, whether a write was lost by a step
    "renamed and put back": ([RENAMED], [["ALTER TABLE users RENAME COLUMN mail TO email"]], False),
    "renamed, put back and destroyed in one step": (
        [RENAMED],
        [["ALTER TABLE users RENAME COLUMN mail TO email", GARBAGE + " WHERE id <= 12"]],
        True,
    ),
    "the table renamed, put back and destroyed in one step": (
        ["ALTER TABLE users RENAME TO clients"],
        [["ALTER TABLE clients RENAME TO users", GARBAGE + " WHERE id <= 12"]],
        True,
    ),
    "the table renamed, made anew, filled from the renamed one": (
        ["ALTER TABLE users RENAME TO clients"],
        [
            ["CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(100), note VARCHAR(20))"],
            ["INSERT INTO users SELECT * FROM clients"],
        ],
        False,
    ),
    "renamed, added empty, filled where it is empty": (
        [RENAMED],
        [
            ["ALTER TABLE users ADD COLUMN email VARCHAR(100)"],
            ["UPDATE users SET email = mail WHERE email IS NULL"],
        ],
        False,
    ),
    "renamed, added with a default, filled where it has it": (
        [RENAMED],
        [
            ["ALTER TABLE users ADD COLUMN email VARCHAR(100) NOT NULL DEFAULT ''"],
            ["UPDATE users SET email = mail WHERE email = ''"],
        ],
        False,
    ),
    "dropped, added empty, filled from a copy": (
        ["CREATE TABLE kept AS SELECT * FROM users", "ALTER TABLE users DROP COLUMN email"],
        [
            ["ALTER TABLE users ADD COLUMN email VARCHAR(100)"],
            [
                "UPDATE users SET email = (SELECT kept.email FROM kept WHERE kept.id = users.id)"
                " WHERE email IS NULL"
            ],
        ],
        False,
    ),
    "garbled by the incident, repaired from a copy": (
        ["CREATE TABLE kept AS SELECT * FROM users", GARBAGE],
        [
            [
                "UPDATE users SET email = (SELECT kept.email FROM kept WHERE kept.id = users.id)"
                " WHERE email = 'garbage'"
            ],
        ],
        False,
    ),
}


@pytest.mark.parametrize("story", INCIDENTS)
def test_a_step_is_accused_of_what_it_destroyed_and_not_of_the_incident(recovery, story):
    """The application goes on all the while, and overwrites what it can."""
    happened, steps, is_lost = INCIDENTS[story]

    def incident() -> None:
        recovery.app.hold_writers()
        for sql in happened:
            recovery.world.observer.run(sql)

    recovery.begins(incident, versions={"old": KEEPS_ROWS})
    recovery.app.release_writers()
    destroyed = recovery.last().incident
    for n, statements in enumerate(steps):
        recovery.step(f"step {n}", *statements)
        until(lambda: recovery.app.works(8, SOON_S).reached)
    if is_lost:
        recovery.overwritten()
    finding = recovery.settles()
    told = recovery.last()
    assert (destroyed > 3, told.acknowledged > 20) == (True, True)
    wanted = (Answer.NOT_HELD if is_lost else Answer.HELD, is_lost)
    assert (finding.answer, told.for_good > 0) == wanted, finding.found
    assert told.stale_reads == 0 or is_lost


def test_a_locked_table_is_noted_and_looked_at_once_it_is_free(recovery):
    """A check waits for nobody, and what it could not see it sees after the next step."""
    recovery.begins(readers=1, writers=1)
    world, bench = recovery.world, recovery.bench
    blocker, changer = world.connect("blocker"), world.connect("migration")
    world.engine.holding.hold_table_read(blocker, "users")
    changing = bench.start(changer, "ALTER TABLE users ADD COLUMN phone VARCHAR(20)")
    until(lambda: recovery.app.traffic().waiting == 2)
    recovery.check("while it is locked")
    locked = recovery.last()
    assert (locked.after, locked.unreadable != "") == ("while it is locked", True)
    blocker.close()
    changing.result(SOON_S)
    changer.close()
    recovery.works(2)
    recovery.app.hold_writers()
    recovery.step("free, and wrecked", GARBAGE)
    assert recovery.last().changed > 3


def test_a_server_that_is_gone_is_no_finding(recovery):
    """The check says so and goes on."""
    recovery.begins()
    recovery.app.hold_writers()

    @contextmanager
    def nobody(database: str | None = None) -> Iterator[Session]:
        raise DatabaseError("", "nobody answers", lost=True)
        yield

    recovery.app.check_ledger(nobody, "kill it", recovery.bench.database)
    assert (recovery.last().after, recovery.last().unreadable) == (
        "kill it",
        "nobody answers",
    )
    recovery.app.release_writers()
    recovery.works(2)
    assert recovery.settles().answer is Answer.HELD

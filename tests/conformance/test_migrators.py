"""Each migration tool sends what it says it sends, and keeps the books it says it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from at_work import DEADLINE_S, STATEMENTS, AtWork
from conftest import Bench

from harness.model import Moment
from harness.tools.emulation import GUARD, REFUSED
from harness.tools.tool_lock import LOCKED
from harness.verbs.faults.kill_migrator import KillMigrator
from harness.verbs.faults.kill_session import KillSession

SECOND_FAILS = (STATEMENTS[0], "UPDATE users SET no_such_column = 1", STATEMENTS[2])
MODES = ("autocommit", "one-transaction", "autocommit-off")


@pytest.fixture
def make(bench: Bench) -> Iterator[Any]:
    made: list[AtWork] = []

    def begin(*args: Any, **more: Any) -> AtWork:
        made.append(AtWork(bench, *args, **more))
        return made[-1]

    yield begin
    for work in made:
        work.close()


def checkpoints(work: AtWork) -> list[tuple[str, int, int]]:
    """Where the tool stops, let through one by one."""
    run, found = work.start(), []
    while (point := run.next_checkpoint()) is not None:
        found.append((point.where, point.first, point.last))
        run.go(point)
    return found


def only_where_it_is_a_word(work: AtWork, mode: str) -> None:
    if mode == "autocommit-off" and "transactional-ddl" in work.engine.traits:
        pytest.skip("without autocommit a driver sends BEGIN here")


def books(work: AtWork) -> tuple[int, bool] | None:
    """(version, dirty) as the tool's own table has them; None if it has no row."""
    belief = work.target.tool_believes()
    told = belief.stuck or belief.applied
    return (int(told[0]), bool(belief.stuck)) if told else None


ONE_BY_ONE = [(where, n, n) for n in (1, 2, 3) for where in ("before", "after")]


@pytest.mark.parametrize(
    "tool, mode, expected",
    [
        *(("plain", mode, ONE_BY_ONE) for mode in MODES),
        ("versioned", "per-statement", ONE_BY_ONE),
        ("versioned", "whole-file", [("before", 1, 3), ("after", 1, 3)]),
    ],
)
def test_the_statements_are_sent_in_order(make, tool: str, mode: str, expected) -> None:
    """One message each, or all of them in one; at the end all of them are done."""
    work = make(tool=tool, mode=mode)
    only_where_it_is_a_word(work, mode)
    assert checkpoints(work) == expected
    assert work.applied() == [True, True, True]


@pytest.mark.parametrize("mode", MODES)
def test_a_failed_statement_leaves_what_the_mode_and_the_engine_leave(make, mode: str) -> None:
    """Only a transaction around DDL that can be rolled back takes the first statement back."""
    work = make(SECOND_FAILS, mode=mode)
    only_where_it_is_a_word(work, mode)
    outcome = work.start().outcome(DEADLINE_S)
    undone = mode == "one-transaction" and "transactional-ddl" in work.engine.traits
    assert (outcome.finished, outcome.code) == (False, work.bench.words.no_such_column)
    assert work.applied() == [not undone, False, False]


def test_a_tool_that_works_keeps_clean_books(make) -> None:
    """Its version, not dirty, and the lock is free again."""
    work = make(tool="versioned", mode="whole-file", version=20240215)
    assert work.start().outcome(DEADLINE_S).finished
    assert books(work) == (20240215, False)
    assert not work.target.tool_is_locked()


@pytest.mark.parametrize("mode", ["whole-file", "per-statement"])
def test_a_tool_that_is_killed_leaves_dirty_books(make, mode: str) -> None:
    """It marks the version dirty first and clean last; afterwards it refuses to go on."""
    work = make(tool="versioned", mode=mode, version=5)
    work.drive(KillMigrator(), Moment(before=1))
    work.wait_until_gone()
    assert (books(work), work.applied()) == ((5, True), [False, False, False])
    again = work.start().outcome(DEADLINE_S)
    assert (again.finished, again.code) == (False, REFUSED)
    assert "Dirty database version 5" in again.message


def test_after_the_last_statement_only_the_books_are_wrong(make) -> None:
    """Killed before it could clear the flag: all is applied, and it says dirty."""
    work = make(tool="versioned", mode="per-statement", version=5)
    work.drive(KillSession(), Moment(after=3))
    assert (books(work), work.applied()) == ((5, True), [True, True, True])


def test_forcing_a_version_looks_at_nothing(make) -> None:
    """As the real tool: it writes the number and clears the flag, whatever is there."""
    work = make(tool="versioned", mode="whole-file", version=5)
    work.drive(KillMigrator(), Moment(before=1))
    work.wait_until_gone()
    assert work.start(force="5").outcome(DEADLINE_S).finished
    assert (books(work), work.applied()) == ((5, False), [False, False, False])


def test_what_was_applied_is_not_applied_again(make) -> None:
    """A second run has nothing to do; a tool whose books are gone begins at the beginning."""
    work = make(tool="versioned", mode="whole-file", version=5)
    assert work.start().outcome(DEADLINE_S).finished
    assert checkpoints(work) == []
    with work.target.session("operator") as session:
        session.run("DELETE FROM schema_migrations")
    again = work.start().outcome(DEADLINE_S)
    assert (again.finished, books(work)) == (False, (5, True))


def test_two_runs_of_the_tool_exclude_each_other(make) -> None:
    """The second finds the lock taken, and says so."""
    work = make(tool="versioned", mode="per-statement", version=5)
    first = work.start()
    point = work.go_to("before", 2)
    assert work.target.tool_is_locked()
    second = work.start().outcome(DEADLINE_S)
    assert (second.finished, second.code) == (False, LOCKED)
    first.go(point)
    assert first.outcome(DEADLINE_S).finished


def test_a_migrator_that_reaches_another_server_sends_nothing(make) -> None:
    """It proves for itself where it is, before its first statement."""
    work = make(nonce="another run's")
    outcome = work.start().outcome(DEADLINE_S)
    assert (outcome.finished, outcome.code, outcome.done) == (False, GUARD, 0)
    assert work.applied() == [False, False, False]

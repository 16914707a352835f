"""What is struck of a sweep that may take only so long, and how the time that is left is told."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness import loading, registry
from harness.cli.sweep_progress import SweepProgress, TimeLeft, rough
from harness.layouts import Migration, Script
from harness.record.timeline import Event
from harness.sweep.budget import FIRST_GUESS_S, Budget, BudgetUsed, Harm, Task, task
from harness.sweep.events import Begun, Broken, CellStruck, LeftOut, StateHealed, SweptToEnd
from harness.sweep.verdicts import Grade, LeftState

PLAIN, MIXED, HALF_WAY = Harm(), Harm(mixed=True), Harm(half_way=True)


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def tasks(*harms: Harm, cells: int = 40) -> list[Task]:
    """Versions 1, 2 and so on."""
    return [Task(str(n), cells, harm) for n, harm in enumerate(harms, 1)]


def swept(budget: Budget, clock: Clock, every: list[Task], takes_s: float) -> list[str]:
    """What is struck in the order of the folder, each taking that long."""
    found = []
    for one in every:
        if budget.keeps(one.version):
            found.append(one.version)
            with budget.spent_on(one.version):
                clock.now += takes_s
    return found


@pytest.mark.parametrize(
    ("harms", "kept"),
    [
        ((PLAIN, PLAIN, PLAIN, PLAIN), ["3", "4"]),
        ((HALF_WAY, PLAIN, PLAIN, PLAIN), ["1", "4"]),
        ((PLAIN, MIXED, PLAIN, HALF_WAY), ["2", "4"]),
        ((HALF_WAY, MIXED, HALF_WAY, HALF_WAY), ["3", "4"]),
    ],
)
def test_the_most_harmful_come_first_and_of_equals_the_newest(harms, kept):
    """They are struck in the order of the folder all the same."""
    clock, every = Clock(), tasks(*harms)
    budget = Budget(2 * 40 * FIRST_GUESS_S, every, clock)
    assert swept(budget, clock, every, 40 * FIRST_GUESS_S) == kept


def test_what_goes_faster_than_was_guessed_makes_room_for_more():
    """Each time the others are chosen anew."""
    clock, every = Clock(), tasks(*[PLAIN] * 6)
    budget = Budget(3 * 40 * FIRST_GUESS_S, every, clock)
    assert swept(budget, clock, every, 0.1) == ["4", "5", "6"]
    clock, every = Clock(), tasks(HALF_WAY, *[PLAIN] * 6)
    budget = Budget(3 * 40 * FIRST_GUESS_S, every, clock)
    assert swept(budget, clock, every, 0.1) == ["1", "2", "3", "4", "5", "6", "7"]


def test_what_goes_slower_costs_the_harmless_and_never_the_harmful():
    """The newest of all, half way, is still struck."""
    clock, every = Clock(), tasks(HALF_WAY, PLAIN, PLAIN, PLAIN, HALF_WAY)
    budget = Budget(4 * 40 * FIRST_GUESS_S, every, clock)
    assert swept(budget, clock, every, 20.0) == ["1", "5"]


def test_one_is_begun_however_long_it_may_take():
    """And cut off when the time is used up."""
    clock, every = Clock(), tasks(PLAIN, HALF_WAY, PLAIN, cells=100_000)
    budget = Budget(5, every, clock)
    assert [budget.keeps(one.version) for one in every] == [False, True, True]
    clock.now += 4.9
    budget.check()
    clock.now += 0.2
    assert not budget.keeps("2")
    with pytest.raises(BudgetUsed):
        budget.check()


def harm(up: str, engine: str, tool: str = "golang-migrate", **more: object) -> Harm:
    script = replace(Script("1.sql", 1, up), **more)
    migration = Migration("1", "1_a", script, None, ("1.sql",))
    return task(migration, registry.engine(engine), loading.our_tools()[tool]).harm


ALTER = "ALTER TABLE a ADD b int;"


@pytest.mark.parametrize(
    ("sql", "engine", "more", "wanted"),
    [
        (ALTER, "postgres", {}, Harm()),
        (ALTER, "mysql", {}, Harm()),
        (ALTER * 2, "postgres", {}, Harm(statements=True)),
        (ALTER * 2, "mysql", {}, Harm(half_way=True, statements=True)),
        (ALTER * 2, "mariadb", {}, Harm(half_way=True, statements=True)),
        (f"{ALTER} UPDATE a SET b = 1;", "postgres", {}, Harm(mixed=True, statements=True)),
        (f"{ALTER} UPDATE a SET b = 1;", "mysql", {}, Harm(True, True, True)),
        ("CREATE INDEX CONCURRENTLY i ON a (b);", "postgres", {}, Harm(half_way=True)),
        (f"{ALTER} COMMIT; {ALTER}", "postgres", {}, Harm(half_way=True, statements=True)),
        (ALTER, "postgres", {"transaction": False}, Harm(half_way=True)),
        (ALTER * 2, "postgres", {"tool": "psql"}, Harm(half_way=True, statements=True)),
        ("it's {{ no }} SQL", "postgres", {}, Harm()),
    ],
)
def test_what_can_stop_half_way_is_told_from_the_text(sql, engine, more, wanted):
    """An order of what is worth looking at first, and no verdict."""
    assert harm(sql, engine, **more) == wanted


def test_what_can_stop_half_way_comes_before_all_else():
    """Then what changes both rows and objects, then what has several statements."""
    order = [Harm(True), Harm(False, True, True), Harm(statements=True), Harm()]
    assert sorted(order, reverse=True) == order


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (3, "less than a minute left"),
        (50, "about 1 min left"),
        (130, "about 2 min left"),
        (1700, "about 30 min left"),
        (3400, "about 1 h left"),
        (9000, "about 2 h left"),
    ],
)
def test_the_time_left_is_as_exact_as_anybody_can_know(seconds, says):
    """Minutes, then fives of them, then hours."""
    assert rough(seconds) == says


def test_the_time_left_follows_from_what_the_others_took():
    """For each of their cells; nothing is said before one is done, nor of what is left out."""
    clock = Clock()
    left = TimeLeft({"1": 10, "2": 10, "3": 30, "4": 500}, clock=clock)
    assert left.in_words() == ""
    clock.now += 60
    left.finished("1")
    left.left_out("4")
    assert left.in_words() == "about 4 min left"
    budget = Budget(100, tasks(PLAIN), clock)
    left = TimeLeft({"1": 10, "2": 500}, budget, clock)
    clock.now += 40
    left.finished("1")
    assert left.in_words() == "about 1 min left"


def test_a_log_gets_one_line_for_each_migration(capsys):
    """With what became of its cells, both ways; and nothing in between."""
    up = LeftState("before", 0, "a")
    cells = [CellStruck("1", point=f"before-{n}:x", state="s", left=up) for n in range(3)]
    news = [
        *(Begun("1", "1_a", cells=4), *cells, CellStruck("1", missed="too quick")),
        StateHealed("1", state="s", grade=Grade.SELF_HEALS),
        *(Begun("1", "1_a", True, 1), CellStruck("1", down=True, state="d", left=up)),
        *(StateHealed("1", down=True, state="d", grade=Grade.HAND_WORK), SweptToEnd("1")),
        *(LeftOut("2", "2_b"), Begun("3", "3_c", cells=9), LeftOut("3", "3_c")),
        Broken("4", "4_d", "42601"),
    ]
    with SweepProgress(4, {"1": 10, "2": 10, "3": 10, "4": 10}) as progress:
        for what in news:
            progress.news(Event(0, what))
            if isinstance(what, SweptToEnd):
                told = capsys.readouterr().err
                assert "1/4 1_a" in told
    told = re.sub(r"[0-9.]+ (ms|s)\b", "TIME", told + capsys.readouterr().err)
    assert told.splitlines() == [
        "   1/4 1_a  5 cells: 3 self-heals · 1 hand work · 1 unknown  TIME",
        "   2/4 2_b  left out, for there is no time",
        "   3/4 3_c  0 cells  TIME, and no time for the rest of it",
        "4_d fails with nothing in its way: 42601",
    ]

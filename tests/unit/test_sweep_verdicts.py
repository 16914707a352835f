"""What a crash leaves, and what heals it, is named from counts alone."""

from __future__ import annotations

import pytest

from harness.state.difference import difference, rows_lost
from harness.state.snapshot import Snapshot
from harness.sweep import threshold, verdicts
from harness.sweep.points import Row, Where, points
from harness.sweep.reference import Reference, State
from harness.sweep.verdicts import Attempt, Grade, LeftState

TABLE = {"table users": "", "column users.id": "bigint"}
PHONE = {"column users.phone": "text"}
INDEX = {"index users.by_phone": "btree (phone)"}
INVALID = {"index users.by_phone": "btree (phone) INVALID"}
BOOKKEEPING = {"table schema_migrations": ""}


def counted(*parts, rows=10, of="a"):
    schema = {key: value for part in parts for key, value in part.items()}
    return Snapshot(schema, {"users": (rows, of)})


REFERENCE = Reference(
    rows=(),
    states=(
        State(0, counted(TABLE)),
        State(1, counted(TABLE, PHONE)),
        State(2, counted(TABLE, PHONE, of="b")),
        State(3, counted(TABLE, PHONE, INDEX, of="b")),
    ),
    statements=3,
    applied=("2",),
)


@pytest.mark.parametrize(
    ("snapshot", "wanted"),
    [
        (counted(TABLE), ("before", 0, True)),
        (counted(TABLE, BOOKKEEPING), ("before", 0, True)),
        (counted(TABLE, PHONE), ("1 of 3", 1, True)),
        (counted(TABLE, PHONE, of="b"), ("2 of 3", 2, True)),
        (counted(TABLE, PHONE, INDEX, of="b"), ("after", 3, True)),
        (counted(TABLE, PHONE, INVALID, of="b"), ("3 of 3, and debris", 3, False)),
        (counted(TABLE, PHONE, of="half"), ("1 of 3, and debris", 1, True)),
        (counted(TABLE, {"table strange": ""}), ("0 of 3, and debris", 0, False)),
    ],
)
def test_a_state_is_named_by_the_states_of_an_unbroken_run(snapshot, wanted):
    """Before, after, k of n; else the nearest one, explained if only the next step's objects
    differ."""
    left = verdicts.name(snapshot, REFERENCE, ["schema_migrations"])
    if wanted[0] == "3 of 3, and debris":
        assert left.name.endswith("and debris")
        return
    assert (left.name, left.done, left.explained) == wanted


def test_what_differs_is_told_object_by_object():
    """A person reads which object and which table, with the numbers of rows."""
    before, after = counted(TABLE, PHONE), counted(TABLE, INDEX, rows=7)
    told = difference(before, after).lines(before, after)
    assert told == [
        "gone: column users.phone",
        "new: index users.by_phone",
        "data: users: 10 rows, now 7",
    ]


def test_rows_are_lost_only_if_an_unbroken_run_keeps_them():
    """A migration that drops a table on purpose loses nothing by being interrupted."""
    had, gone = counted(TABLE), counted(TABLE, rows=4)
    assert rows_lost(had, gone, counted(TABLE)) == {"users": 6}
    assert rows_lost(had, gone, counted(TABLE, rows=4)) == {}


def tried(kind, *, healed=False, lost=None, blocked=False):
    return Attempt(kind, kind, healed, "" if healed else "differs", (), blocked, lost or {})


HALF = LeftState("1 of 3", 1, "x")
WHOLE = LeftState("after", 3, "x")


@pytest.mark.parametrize(
    ("left", "settled", "attempts", "gone", "wanted"),
    [
        (WHOLE, True, [], {}, Grade.DONE),
        (WHOLE, False, [tried("re-run", healed=True)], {}, Grade.SELF_HEALS),
        (HALF, False, [tried("re-run"), tried("repair", healed=True)], {}, Grade.TOOL_REPAIR),
        (HALF, False, [tried("re-run"), tried("completion", healed=True)], {}, Grade.HAND_WORK),
        (HALF, False, [tried("re-run", blocked=True)], {}, Grade.STUCK),
        (HALF, False, [tried("re-run")], {}, Grade.UNHEALED),
        (HALF, False, [tried("re-run")], {"users": 3}, Grade.LOSES_DATA),
        (
            HALF,
            False,
            [tried("re-run", lost={"users": 3}), tried("completion", healed=True)],
            {},
            Grade.LOSES_DATA,
        ),
        (
            HALF,
            False,
            [
                tried("re-run"),
                tried("down-up", lost={"users": 3}),
                tried("completion", healed=True),
            ],
            {},
            Grade.HAND_WORK,
        ),
    ],
)
def test_a_grade_is_what_the_crash_asks_of_a_person(left, settled, attempts, gone, wanted):
    """The first recovery that heals decides; a plain re-run that loses rows counts as loss."""
    assert verdicts.grade(left, settled, attempts, gone) is wanted


def swept(*grades):
    cells = [{"point": f"before-{n}:x", "grade": grade} for n, grade in enumerate(grades, 1)]
    counts = {grade: grades.count(grade) for grade in grades}
    return {
        "migrations": [{"version": "1", "cells": cells}],
        "cells": len(cells),
        "grades": counts,
        "broken": [],
    }


@pytest.mark.parametrize(
    ("result", "limit", "before", "wanted"),
    [
        (swept("done", "self-heals"), "needs-hand-work", None, 0),
        (swept("done", "needs-hand-work"), "needs-hand-work", None, 1),
        (swept("done", "needs-hand-work"), "loses-data", None, 0),
        (swept("loses-data"), "needs-hand-work", {("1", "before-1:x"): Grade.LOSES_DATA}, 0),
        (swept("loses-data"), "needs-hand-work", {("1", "before-1:x"): Grade.HAND_WORK}, 1),
        (swept("loses-data"), "needs-hand-work", {}, 1),
        (swept("inconclusive", "inconclusive"), "done", None, 3),
        (swept("self-heals", "inconclusive"), "needs-hand-work", None, 3),
        (swept("inconclusive"), "loses-data", {("1", "before-1:x"): Grade.INCONCLUSIVE}, 0),
        (swept("loses-data"), "loses-data", {("1", "before-1:x"): Grade.INCONCLUSIVE}, 1),
        (swept("unhealed", "inconclusive"), "loses-data", None, 1),
        (swept(), "done", None, 5),
    ],
)
def test_a_sweep_is_good_enough_or_not(result, limit, before, wanted):
    """A baseline forgives what was as bad before; what was not struck is never green."""
    assert threshold.judged(result, Grade(limit), before)["exit_code"] == wanted


def test_a_migration_that_fails_by_itself_is_never_green():
    """Nothing was learned of it and of those after it."""
    result = {**swept("done"), "broken": ["2"]}
    assert threshold.judged(result, Grade.UNHEALED, None)["exit_code"] == 1


def of_tool(*tables, rows=1, users=10):
    schema = {**TABLE, **{f"table {name}": "" for name in tables}}
    schema |= {f"index {name}.PRIMARY": f"of {name}" for name in tables}
    return Snapshot(schema, {"users": (users, "a"), **{name: (rows, name) for name in tables}})


def test_a_state_is_the_same_whatever_a_tool_calls_its_own_tables():
    """A name drawn at random, and times in rows; but not how many there are."""
    key = of_tool("lock", "tmp_a1b2").key(["lock", "tmp_*"])
    assert key == of_tool("lock", "tmp_c3d4").key(["lock", "tmp_*"])
    assert key != of_tool("lock").key(["lock", "tmp_*"])
    assert key != of_tool("lock", "tmp_a1b2", rows=2).key(["lock", "tmp_*"])
    assert key != of_tool("lock", "tmp_a1b2", users=9).key(["lock", "tmp_*"])


@pytest.mark.parametrize(
    ("tables", "hidden"),
    [
        (["tags"], {"table s.tags", "column s.tags.id", "index s.tags_pkey"}),
        (["s.tags"], {"table s.tags", "column s.tags.id", "index s.tags_pkey"}),
        (["other.tags"], set()),
        (["users"], {"table s.users", "column s.users.tags", "constraint s.users.tags"}),
    ],
)
def test_a_tools_short_table_names_hide_nothing_of_the_users(tables, hidden):
    """Sqitch has a table ``tags``; a column, an index or a table named like it are not its own."""
    of_user = [
        "column s.users.tags",
        "constraint s.users.tags",
        "table s.tags_of",
        "index s.tagged",
    ]
    of_tool_ = ["table s.tags", "column s.tags.id", "index s.tags_pkey"]
    schema = dict.fromkeys(["table s.users", *of_user, *of_tool_], "")
    left = Snapshot(schema, {"s.tags": (1, ""), "s.users": (2, "")}).without(tables)
    assert schema.keys() - left.schema.keys() == hidden


def test_only_what_finds_its_work_done_has_no_middle():
    """An UPDATE that matches no row here would match some elsewhere, and is struck inside."""
    rows = [
        Row(1, "DROP INDEX IF EXISTS gone", "statement", 1, 0, verb="DROP INDEX"),
        Row(2, "UPDATE users SET a = 1 WHERE false", "statement", 1, 1, verb="UPDATE"),
    ]
    inside = {point.n for point in points(rows) if point.where is Where.INSIDE}
    assert inside == {1, 2}
    inside = {point.n for point in points(rows, inert=True) if point.where is Where.INSIDE}
    assert inside == {2}

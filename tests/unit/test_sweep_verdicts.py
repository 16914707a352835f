"""What a crash leaves, and what heals it, is named from counts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.record.timeline import Event
from harness.state.difference import difference, rows_lost
from harness.state.snapshot import Snapshot
from harness.sweep import results, threshold, verdicts
from harness.sweep.events import CellStruck, Referred, StateHealed, SweptToEnd, WayBackTried
from harness.sweep.points import Row, Where, points
from harness.sweep.reference import Reference, State
from harness.sweep.results import SweepHeader
from harness.sweep.rollback import Leads, Rollback
from harness.sweep.verdicts import HARM, Attempt, Grade, LeftState

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


def swept(*grades, header=None, referred=None, leads=Leads.BACK, finished=True):
    """A sweep of one migration whose cells have these grades."""
    told = [Referred("1", name="1_users", **(referred or {}))]
    for n, grade in enumerate(grades, 1):
        missed = "too quick" if grade == "inconclusive" else ""
        told.append(StateHealed("1", state=f"s{n}", grade=Grade(grade)))
        told.append(CellStruck("1", point=f"before-{n}:x", state=f"s{n}", missed=missed))
    told.append(WayBackTried("1", rollback=Rollback(leads, says="x")))
    told += [SweptToEnd("1")] if finished else []
    begin = SweepHeader(**{"planned": ("1",), **(header or {})})
    return results.of(begin, [Event(0, what) for what in told])


def exit_code(result, limit=Grade.LOSES_DATA, before=None):
    baseline = None if before is None else threshold.Baseline(before)
    return threshold.judged(result, Grade(limit), baseline).exit_code


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
    assert exit_code(result, limit, before) == wanted


def test_a_migration_that_fails_by_itself_is_never_green():
    """Nothing was learned of it and of those after it; a baseline forgives nothing of that."""
    one = swept("done")
    broken = replace(one.migrations[0], version="2", broken="42601", cells=(), finished=False)
    result = replace(one, planned=("1", "2"), migrations=(*one.migrations, broken))
    assert exit_code(result, Grade.UNHEALED) == 1
    had = {("2", "to its end"): Grade.INCONCLUSIVE, ("1", "before-1:x"): Grade.DONE}
    assert exit_code(result, Grade.UNHEALED, had) == 1


@pytest.mark.parametrize(
    ("leads", "limit", "wanted"),
    [
        (Leads.BACK, "needs-tool-repair", 0),
        (Leads.BACK_IN_OTHER_ORDER, "needs-tool-repair", 0),
        (Leads.IRREVERSIBLE, "needs-tool-repair", 0),
        (Leads.NOWHERE, "needs-tool-repair", 0),
        (Leads.UNKNOWN, "unhealed", 3),
        (Leads.LOSES_DATA, "loses-data", 1),
        (Leads.LOSES_DATA, "unhealed", 0),
        (Leads.OTHER_SCHEMA, "loses-data", 1),
        (Leads.REMOVES_MORE, "loses-data", 1),
        (Leads.FAILS, "unhealed", 1),
        (Leads.FAILS, "fails-on-rows", 0),
    ],
)
def test_a_way_down_that_lies_counts_by_what_it_does(leads, limit, wanted):
    """One that is not there is no lie; one that was not tried is not known."""
    assert exit_code(swept("self-heals", leads=leads), limit) == wanted


def test_a_baseline_forgives_a_lie_that_was_as_bad():
    """Worse is worse, and a lie of its own is new."""
    result = swept("done", leads=Leads.FAILS)
    assert exit_code(result, before={("1", "way back"): Grade.UNHEALED}) == 0
    assert exit_code(result, before={("1", "way back"): Grade.LOSES_DATA}) == 1
    assert exit_code(result, before={("1", "before-1:x"): Grade.DONE}) == 1


@pytest.mark.parametrize("limit", HARM)
def test_what_fails_on_rows_is_as_bad_as_can_be(limit):
    """Whatever the threshold is: with nothing in its way, it fails where there is data."""
    result = swept("done", referred={"fails_with_rows": "23502: null values"})
    assert exit_code(result, limit) == 1
    had = {("1", "before-1:x"): Grade.DONE}
    assert exit_code(result, limit, had) == 1
    assert exit_code(result, limit, {**had, ("1", "on rows"): Grade.FAILS_ON_ROWS}) == 0


@pytest.mark.parametrize(
    ("referred", "point"),
    [
        ({"without_rows": ("public.logs",)}, "rows of public.logs"),
        ({"idle": ("DELETE FROM a",)}, "work of DELETE FROM a"),
    ],
)
def test_what_met_no_row_is_not_known(referred, point):
    """Neither green nor counted against; a baseline may have it so."""
    result = swept("done", referred=referred)
    assert exit_code(result, Grade.UNHEALED) == 3
    judged = threshold.judged(result, Grade.UNHEALED, None)
    assert [(finding.point, finding.grade) for finding in judged.unknown] == [
        (point, Grade.INCONCLUSIVE)
    ]
    assert exit_code(result, Grade.UNHEALED, {("1", point): Grade.INCONCLUSIVE}) == 0


def test_what_another_tool_would_leave_is_not_known():
    """Unless somebody asked for the tool that keeps no record."""
    plain = {"plain_for": "dbmate"}
    assert exit_code(swept("done", header=plain)) == 3
    assert exit_code(swept("done", header={**plain, "sweep": {"tool": None}})) == 3
    assert exit_code(swept("done", header={**plain, "sweep": {"tool": "plain"}})) == 0


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ({"crashed": "RuntimeError()", "crashed_with": 70}, 70),
        ({"crashed": "no disk", "crashed_with": 4}, 4),
        ({"crashed": "RuntimeError()", "crashed_with": 0}, 70),
        ({"interrupted": 2}, 130),
        ({"interrupted": 15}, 143),
        ({"interrupted": 15, "crashed": "x"}, 143),
    ],
)
def test_what_ended_a_sweep_goes_before_what_it_found_out(header, wanted):
    """It is not the whole, good or bad; a baseline forgives nothing of that."""
    had = {("1", "before-1:x"): Grade.DONE}
    for grade in ("done", "loses-data"):
        result = swept(grade, header=header)
        assert exit_code(result) == wanted
        assert exit_code(result, before=had) == wanted


def test_a_sweep_that_was_cut_off_is_never_green():
    """Also where the sweep that it is compared with was cut off at the same place."""
    result = swept("done", finished=False)
    assert exit_code(result) == 3
    assert exit_code(result, before={("1", "to its end"): Grade.INCONCLUSIVE}) == 3
    never = swept("done", header={"planned": ("1", "2")})
    assert exit_code(never, before={("2", "to its end"): Grade.INCONCLUSIVE}) == 3


def test_cells_of_the_way_down_count_as_those_of_the_way_up():
    """Against the sweep, and as not known."""
    for grade, wanted in (("unhealed", 1), ("inconclusive", 3), ("self-heals", 0)):
        one = swept("done")
        (migration,) = one.migrations
        cell = replace(migration.cells[0], point="down-before-1:x", grade=Grade(grade), down=True)
        result = replace(one, migrations=(replace(migration, down_cells=(cell,)),))
        assert exit_code(result) == wanted
        assert len(result.every_cell) == 2


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
    assert schema.keys() - left.objects.keys() == hidden


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

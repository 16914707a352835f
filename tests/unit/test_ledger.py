"""The ledger finds every acknowledged write that is missing, and never one that is there."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.application.ledger import (
    EXAMPLES,
    Ledger,
    Op,
    Write,
    WriteOutcome,
    compare,
    expected,
    same,
)
from harness.ports import Answer

COLUMNS = ("email", "name")
OLD_KEYS = (1, 2, 3)
NEW_KEYS = (101, 102, 103)

steps = st.tuples(
    st.sampled_from(OLD_KEYS + NEW_KEYS),
    st.sampled_from(list(Op)),
    st.sampled_from(list(WriteOutcome)),
    st.sets(st.sampled_from(COLUMNS), min_size=1),
    st.booleans(),
)


class Simulated:
    """A table that never loses anything, and the history of what its writer was told."""

    def __init__(self, history) -> None:
        self.rows = {key: {"email": f"old{key}", "name": f"old{key}"} for key in OLD_KEYS}
        self.writes: list[Write] = []
        for n, (key, op, told, columns, arrives) in enumerate(history):
            self.send(n, key, op, told, dict.fromkeys(columns, f"v{n}"), arrives)

    def send(self, n, key, op, told, values, arrives) -> None:
        values = {} if op is Op.DELETE else values
        possible = (key in self.rows) != (op is Op.INSERT) and (
            op is not Op.INSERT or key in NEW_KEYS
        )
        if told is WriteOutcome.ACKNOWLEDGED and not possible:
            told = WriteOutcome.REFUSED
        if possible and (
            told is WriteOutcome.ACKNOWLEDGED or (told is WriteOutcome.UNKNOWN and arrives)
        ):
            if op is Op.DELETE:
                del self.rows[key]
            else:
                self.rows[key] = {"email": None, "name": None} | self.rows.get(key, {}) | values
        self.writes.append(Write(op, key, values, 10 * n, 10 * n + 5, told))

    def settled_keys(self) -> list[int]:
        """Keys whose last write was acknowledged and which never had an unknown one."""
        unknown = {write.key for write in self.writes if write.outcome is WriteOutcome.UNKNOWN}
        acked = {write.key for write in self.writes if write.outcome is WriteOutcome.ACKNOWLEDGED}
        return sorted(acked - unknown)


UNSURE_INSERT = (2, Op.INSERT, WriteOutcome.UNKNOWN, {"email"}, False)
NEXT_UPDATE = (2, Op.UPDATE, WriteOutcome.ACKNOWLEDGED, {"name"}, False)


@given(st.lists(steps, max_size=30))
@example([UNSURE_INSERT, NEXT_UPDATE])
def test_a_table_that_kept_every_acknowledged_write_is_never_accused(history):
    """Whatever the history, and whichever way unknown writes went: nothing is reported."""
    world = Simulated(history)
    report = compare(expected(world.writes, COLUMNS), world.rows)
    assert (report.lost, report.changed, report.resurrected, report.examples) == (0, 0, 0, ())
    told = [write.outcome for write in world.writes]
    assert report.acknowledged == told.count(WriteOutcome.ACKNOWLEDGED)
    assert report.unknown == told.count(WriteOutcome.UNKNOWN)


@given(st.lists(steps, min_size=1, max_size=30))
def test_every_planted_loss_is_found_and_named(history):
    """For every key with acknowledged writes only: drop, change or bring back its row."""
    world = Simulated(history)
    wanted = expected(world.writes, COLUMNS)
    for key in world.settled_keys():
        rows = {k: dict(row) for k, row in world.rows.items()}
        acknowledged = wanted.states[key][0]
        if acknowledged is None:
            rows[key] = {"email": "back", "name": "back"}
            assert compare(wanted, rows).resurrected == 1
        else:
            del rows[key]
            assert compare(wanted, rows).lost == 1
            rows[key] = world.rows[key] | dict.fromkeys(acknowledged, "planted")
            assert compare(wanted, rows).changed == len(acknowledged)
        report = compare(wanted, rows)
        assert len(report.examples) == 1
        assert f"key {key}:" in report.examples[0]
        assert report.finding().answer is Answer.NOT_HELD


@given(st.lists(steps, min_size=1, max_size=30))
def test_each_acknowledged_value_of_a_dropped_column_is_lost(history):
    """A column that the database no longer has is a loss of values, not an accident."""
    world = Simulated(history)
    wanted = expected(world.writes, COLUMNS)
    keys = world.settled_keys()
    states = {key: wanted.states[key] for key in keys}
    wanted = dataclasses.replace(wanted, states=states)
    rows = {key: {"name": row["name"]} for key, row in world.rows.items()}
    assert compare(wanted, rows).lost == sum("email" in (states[key][0] or {}) for key in keys)


def write(op: Op, outcome: WriteOutcome, key: int = 7, **values: str) -> Write:
    return Write(op, key, values, 1_000_000, 2_000_000, outcome)


SURE, UNSURE, REFUSED = WriteOutcome.ACKNOWLEDGED, WriteOutcome.UNKNOWN, WriteOutcome.REFUSED
INSERTED = write(Op.INSERT, SURE, email="a")


@pytest.mark.parametrize(
    "unsure, legal, illegal",
    [
        (write(Op.UPDATE, UNSURE, email="b"), [{"email": "a"}, {"email": "b"}], {"email": "c"}),
        (write(Op.DELETE, UNSURE), [{"email": "a"}, None], {"email": "b"}),
    ],
)
def test_an_unknown_write_may_have_happened_or_not_but_nothing_else(unsure, legal, illegal):
    """Either outcome is legal; a third is not."""
    wanted = expected([INSERTED, unsure], COLUMNS)
    for row in legal:
        report = compare(wanted, {} if row is None else {7: row})
        assert report.finding().answer is Answer.HELD
    assert compare(wanted, {7: illegal}).changed == 1


def test_an_acknowledged_write_settles_what_was_unknown_before_it():
    """An update that hit a row proves that the row was there."""
    history = [write(Op.INSERT, UNSURE, email="a"), write(Op.UPDATE, SURE, email="b")]
    wanted = expected(history, COLUMNS)
    assert compare(wanted, {7: {"email": "b"}}).lost == 0
    assert compare(wanted, {}).lost == 1


def test_a_refused_write_that_is_there_after_all_is_a_change():
    """What the server refused must not replace what it acknowledged."""
    wanted = expected([INSERTED, write(Op.UPDATE, REFUSED, email="b")], COLUMNS)
    assert compare(wanted, {7: {"email": "b"}}).changed == 1


def test_a_key_without_an_acknowledged_write_is_held_to_nothing():
    """The application was promised nothing about it."""
    history = [write(Op.INSERT, UNSURE, 8, email="x"), write(Op.UPDATE, REFUSED, 9, email="y")]
    assert expected(history, COLUMNS).states == {}


def test_columns_outside_the_ledger_are_not_compared():
    """Only named columns are the application's to keep."""
    history = [write(Op.INSERT, SURE, email="a", name="n")]
    assert compare(expected(history, ("email",)), {7: {"email": "a", "name": "?"}}).changed == 0


@pytest.mark.parametrize("history", [[], [write(Op.UPDATE, UNSURE, email="a")]])
def test_without_an_acknowledged_write_there_is_no_answer(history):
    """Nothing to compare is inconclusive, never a pass."""
    finding = compare(expected(history, COLUMNS), {}).finding()
    assert (finding.answer, finding.population) == (Answer.UNANSWERABLE, 0)


def test_the_finding_says_how_many_and_which():
    """Counts, the first few examples, and when each was last acknowledged."""
    history = [write(Op.INSERT, SURE, key, email="a") for key in range(20)]
    finding = compare(expected(history, COLUMNS), {0: {"email": "a"}}).finding()
    assert (finding.lost, finding.population) == (19, 20)
    assert finding.found.startswith("20 acknowledged writes: 19 lost, 0 changed, 0 resurrected")
    assert finding.found.count("the row is missing (last acknowledged at 2 ms)") == EXAMPLES


def test_a_write_in_flight_is_unknown_until_it_is_answered():
    """So a ledger read at any moment is already a legal history."""
    ledger = Ledger()
    place = ledger.sent(Op.INSERT, 7, {"email": "a"}, 5)
    (pending,) = ledger.writes()
    assert (pending.outcome, pending.t_acked_ns) == (WriteOutcome.UNKNOWN, None)
    ledger.answered(place, WriteOutcome.ACKNOWLEDGED, 9)
    (answered,) = ledger.writes()
    assert (answered.outcome, answered.t_sent_ns, answered.t_acked_ns) == (
        WriteOutcome.ACKNOWLEDGED,
        5,
        9,
    )


@pytest.mark.parametrize(
    "acknowledged, found, equal",
    [
        ("a", "a", True),
        ("a", "A", False),
        ("a", None, False),
        ("", None, False),
        ("17", 17, True),
        ("17", Decimal("17.00"), True),
        ("17.5", 17.5, True),
        ("17", 18, False),
        ("seventeen", 17, False),
        ("true", True, True),
        ("1", True, True),
        ("f", False, True),
        ("true", False, False),
        ("2024-02-15", date(2024, 2, 15), True),
        ('{"a": 1}', {"a": 1}, True),
        ('{"a": 1}', {"a": 2}, False),
        ("not json", {"a": 1}, False),
        ("é", "é".encode(), True),
        ("e", "é".encode(), False),
    ],
)
def test_a_value_is_recognised_whatever_type_it_is_read_as(acknowledged, found, equal):
    """A migration may change a column's type; the value counts, not its spelling."""
    assert same(acknowledged, found) is equal

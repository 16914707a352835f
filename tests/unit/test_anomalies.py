"""What was seen destroyed stays on the account, and nobody is accused of what they did not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from harness.application.anomalies import Anomalies, Observation, counted, each_value
from harness.application.ledger import Ledger
from harness.application.writes import Op, WriteOutcome

COLUMNS = ("email", "name")
SURE, REFUSED, UNSURE = WriteOutcome.ACKNOWLEDGED, WriteOutcome.REFUSED, WriteOutcome.UNKNOWN
Row = dict[str, Any] | None

# ---------------------------------------------------------------------- reads among writes


@dataclass(frozen=True)
class Sent:
    """A write: waits, is sent, takes effect, is answered; the answer is noted still later."""

    op: Op
    columns: frozenset[str]
    wait: int
    effect: int
    answer: int
    noted: int
    unsure: bool
    arrives: bool


@dataclass(frozen=True)
class Read:
    key: int
    sent: int
    point: int
    answer: int
    judged: int
    columns: frozenset[str]


LATEST = 4
delay = st.integers(0, LATEST)
writes = st.builds(
    Sent,
    op=st.sampled_from([Op.INSERT, Op.UPDATE, Op.UPDATE, Op.UPDATE, Op.DELETE]),
    columns=st.frozensets(st.sampled_from(COLUMNS), min_size=1),
    wait=delay,
    effect=delay,
    answer=delay,
    noted=delay,
    unsure=st.sampled_from([False] * 7 + [True]),
    arrives=st.booleans(),
)
reads = st.builds(
    Read,
    key=st.sampled_from([1, 2]),
    sent=st.integers(0, 60),
    point=delay,
    answer=delay,
    judged=delay,
    columns=st.sampled_from([frozenset(COLUMNS), frozenset({"email"}), frozenset()]),
)


@dataclass
class Concurrent:
    """A database that keeps every promise, its clients, and whoever destroys something."""

    rows: dict[int, dict] = field(default_factory=lambda: {1: {"email": "old", "name": "old"}})
    found: list[tuple[Read, Row, Any]] = field(default_factory=list)
    """Each read with its row, and what was said of it."""

    def __post_init__(self) -> None:
        self.ledger = Ledger(COLUMNS)
        self.anomalies = Anomalies(self.ledger)
        self.anomalies.reference_ns = -1
        self.todo: list[tuple[int, int, Any]] = []

    def at(self, time: int, what) -> None:
        self.todo.append((time, len(self.todo), what))

    def run(self) -> None:
        while self.todo:
            self.todo.sort(key=lambda one: one[:2], reverse=True)
            time, _, what = self.todo.pop()
            what(time)

    def work(self, key: int, plan: list[Sent], now: int = 0) -> None:
        """The next write of a key's only worker; after one without an answer it stops."""
        if not plan:
            return
        write, n = plan[0], len(plan)
        values = {} if write.op is Op.DELETE else dict.fromkeys(write.columns, f"k{key}v{n}")
        sent = now + write.wait
        state: dict[str, Any] = {}

        def send(time: int) -> None:
            state["place"] = self.ledger.sent(write.op, key, values, time)

        def effect(_: int) -> None:
            possible = (key in self.rows) != (write.op is Op.INSERT)
            possible = possible and (write.op is not Op.INSERT or key == 2)
            state["outcome"] = SURE if possible else REFUSED
            if possible and (write.arrives or not write.unsure):
                if write.op is Op.DELETE:
                    del self.rows[key]
                else:
                    self.rows[key] = {"email": None, "name": None} | self.rows.get(key, {}) | values

        def answer(time: int) -> None:
            told = UNSURE if write.unsure else state["outcome"]
            self.at(time + write.noted, lambda _: note(told, time))
            gone = write.op is Op.DELETE and told is SURE
            if told is not UNSURE and not gone:
                self.work(key, plan[1:], time + write.noted + 1)

        def note(told: WriteOutcome, time: int) -> None:
            self.ledger.answered(state["place"], told, time)

        self.at(sent, send)
        self.at(sent + write.effect, effect)
        self.at(sent + write.effect + write.answer, answer)

    def read(self, read: Read) -> None:
        seen: dict[str, Row] = {}

        def point(_: int) -> None:
            row = self.rows.get(read.key)
            seen["row"] = None if row is None else {c: row[c] for c in read.columns}

        def judge(_: int) -> None:
            answered = read.sent + read.point + read.answer
            one = Observation(read.key, seen["row"], read.columns, read.sent, answered)
            self.found.append((read, seen["row"], self.anomalies.read(one)))

        self.at(read.sent + read.point, point)
        self.at(read.sent + read.point + read.answer + read.judged, judge)

    def destroy(self, time: int, key: int, how: str) -> None:
        def strike(_: int) -> None:
            row = self.rows.get(key)
            if how == "delete":
                self.rows.pop(key, None)
            elif row is None:
                self.rows[key] = dict.fromkeys(COLUMNS, "planted")
            else:
                row.update(dict.fromkeys(COLUMNS, None if how == "empty" else "planted"))

        self.at(time, strike)


def plan(first: Op) -> st.SearchStrategy:
    """Most workers begin with a write of the whole row, so that something is promised."""
    whole = Sent(first, frozenset(COLUMNS), 0, 1, 1, 0, False, True)
    rest = st.lists(writes, max_size=6)
    return st.one_of(rest, rest.map(lambda later: [whole, *later]))


plans = st.tuples(plan(Op.UPDATE), plan(Op.INSERT))


@settings(max_examples=200)
@given(plans, st.lists(reads, max_size=12))
def test_no_read_is_accused_while_every_promise_is_kept(both, looks):
    """However sends, effects, answers and notes lie, on two keys, with answers that never came."""
    world = Concurrent()
    for key, plan in enumerate(both, 1):
        world.work(key, plan)
    for look in looks:
        world.read(look)
    world.run()
    assert [one for one in world.found if one[2] is not None] == []
    assert world.anomalies.reads == len(looks)


def is_promised(world: Concurrent, read: Read) -> set[str]:
    """Columns that an acknowledged write had surely set, in a row that surely was there.

    A delete that may not have been noted yet when the read was judged leaves nothing sure.
    """
    promised: set[str] = set()
    for write in world.ledger.writes():
        if write.key != read.key or write.t_sent_ns > read.sent + read.point + read.answer:
            continue
        settled = write.t_acked_ns is not None and write.t_acked_ns + LATEST <= read.sent
        if write.op is Op.DELETE and not (settled and write.outcome is REFUSED):
            return set()
        if write.op is Op.INSERT and write.outcome is not REFUSED:
            promised &= set(write.values)
        if settled and write.outcome is SURE:
            promised |= set(write.values)
    return promised


@settings(max_examples=200)
@given(
    plans,
    st.lists(reads, min_size=6, max_size=16),
    st.integers(3, 20),
    st.sampled_from([1, 2]),
    st.sampled_from(["delete", "empty", "planted"]),
)
def test_every_planted_violation_that_a_read_meets_is_found(both, looks, time, key, how):
    """A vanished row, an emptied or a garbled value: each read that saw it says so."""
    world = Concurrent()
    for number, plan in enumerate(both, 1):
        world.work(number, plan)
    world.destroy(time, key, how)
    for look in looks:
        world.read(look)
    world.run()
    met = 0
    for read, row, said in world.found:
        promised = is_promised(world, read)
        broken = {
            c for c in promised if row is not None and c in row and row[c] in (None, "planted")
        }
        vanished = row is None and bool(promised)
        if vanished or broken:
            met += 1
            assert said is not None, f"{read} found {row}"
            assert said.counted
            assert said.observation.row == row
    event(f"met by a read: {met > 0}")
    assert world.anomalies.stale_reads >= met


def test_a_deleted_row_that_is_read_again_is_found():
    """Its delete was acknowledged before the read was sent."""
    world = Concurrent()
    world.work(1, [Sent(Op.DELETE, frozenset(), 1, 1, 1, 0, False, True)])
    world.destroy(10, 1, "planted")
    world.read(Read(1, 12, 1, 1, 0, frozenset()))
    world.run()
    ((_, _, said),) = world.found
    assert [(d.cell, d.kind) for d in said.deviations] == [("", "resurrected")]
    assert str(said.deviations[0]) == "the deleted row is back"


def test_a_stale_value_is_found_although_it_was_right_once():
    """The value before the last acknowledged one is as wrong as any other."""
    ledger = Ledger(COLUMNS)
    anomalies = Anomalies(ledger)
    for n in (1, 2):
        ledger.answered(ledger.sent(Op.UPDATE, 1, {"email": f"v{n}"}, 10 * n), SURE, 10 * n + 5)
    said = anomalies.read(Observation(1, {"email": "v1"}, ["email"], 30, 31))
    assert said.legal == ({"email": "v2"},)
    assert str(said.deviations[0]) == "email is 'v1', acknowledged was 'v2'"
    assert anomalies.read(Observation(1, {"email": "v1"}, ["email"], 24, 31)) is None


def test_a_row_that_nobody_wrote_is_never_accused():
    """Whatever is in it: the application was promised nothing."""
    anomalies = Anomalies(Ledger(COLUMNS))
    assert anomalies.read(Observation(5, None, COLUMNS, 1, 2)) is None
    assert anomalies.read(Observation(5, {"email": "?"}, ["email"], 1, 2)) is None


# ---------------------------------------------------------------------- checks between steps

KEYS = (1, 2)
SPARED = (8, 9)
"""Rows that the application never writes."""
NOTHING: dict[str, Any] = {}


class Recovered:
    """A table with an application at work, an incident, and somebody who repairs it, or not."""

    def __init__(self) -> None:
        self.rows: dict[int, dict] = {
            key: {"email": f"e{key}", "name": f"n{key}"} for key in (*KEYS, *SPARED)
        }
        self.columns = set(COLUMNS)
        self.there = True
        self.aside: dict[str, dict[int, Any]] = {}
        """Columns under another name."""
        self.added: set[str] = set()
        """Columns added since the last check: a column is seen empty before it is filled."""
        self.truth = {key: dict(row) for key, row in self.rows.items()}
        self.ledger = Ledger(COLUMNS)
        self.anomalies = Anomalies(self.ledger)
        self.now = 0
        self.counted = 0
        self.harmed = False

    def tick(self) -> int:
        self.now += 10
        return self.now

    # what the application does

    def write(self, key: int, columns) -> None:
        values = {column: f"w{self.tick()}" for column in sorted(columns)}
        if self.there and key in self.rows and set(columns) <= self.columns:
            self.rows[key].update(values)
            self.truth[key] = {**self.truth[key], **values}
            place = self.ledger.sent(Op.UPDATE, key, values, self.tick())
            self.ledger.answered(place, SURE, self.tick())

    def read(self, key: int) -> None:
        if self.there:
            one = Observation(key, self.seen(key), self.columns, self.tick(), self.tick())
            said = self.anomalies.read(one)
            self.counted += said is not None and said.counted

    # what is done to the table

    def drop(self, column: str) -> None:
        self.columns.discard(column)

    def rename(self, column: str) -> None:
        if column in self.columns and column not in self.aside:
            self.aside[column] = {key: row[column] for key, row in self.rows.items()}
            self.columns.discard(column)

    def garble(self, key: int, column: str) -> None:
        self.put(key, column, f"garbage {self.tick()}")

    def remove(self, key: int) -> None:
        if self.there:
            self.rows.pop(key, None)

    def hide(self) -> None:
        self.there = False

    # what repairs it

    def show(self) -> None:
        self.there = True

    def rename_back(self, column: str) -> None:
        if self.there and column in self.aside and column not in self.columns:
            self.columns.add(column)
            kept = self.aside.pop(column)
            for key, row in self.rows.items():
                row[column] = kept.get(key)

    def add(self, column: str, value: Any) -> None:
        if self.there and column not in self.columns:
            self.columns.add(column)
            self.added.add(column)
            for row in self.rows.values():
                row[column] = value

    def restore(self, key: int, column: str) -> None:
        if column not in self.added or key in KEYS:
            self.put(key, column, self.truth[key][column])

    def bring_back(self, key: int) -> None:
        if self.there and key not in self.rows and (key in KEYS or not self.added):
            self.rows[key] = dict(self.truth[key])

    # how it is looked at

    def put(self, key: int, column: str, value: Any) -> None:
        if self.there and key in self.rows and column in self.columns:
            self.rows[key][column] = value

    def seen(self, key: int) -> Row:
        row = self.rows.get(key) if self.there else None
        return None if row is None else {column: row[column] for column in self.columns}

    def check(self, after: str, reference: bool = False) -> None:
        now = self.tick()
        empty = {}
        for column in self.columns if self.there else ():
            held = {self.rows[key][column] for key in SPARED if key in self.rows}
            if len(held) == 1:
                empty[column] = held.pop()
        columns = COLUMNS if reference else self.columns
        hidden = self.hidden() if reference else set()
        self.anomalies.check(
            [
                Observation(key, self.seen(key), columns, now, now)
                for key in sorted({write.key for write in self.ledger.writes()})
                if self.there or reference
            ],
            after,
            hidden=hidden,
            empty=empty,
        )
        if reference:
            self.anomalies.reference_ns = now
        self.added.clear()

    def hidden(self) -> set[tuple[int, str]]:
        if not self.there:
            return {
                (key, cell)
                for key in KEYS
                if key in self.rows
                for cell in ("", *self.columns)
                if not cell or self.rows[key][cell] == self.truth[key][cell]
            }
        return {
            (key, column)
            for column, kept in self.aside.items()
            for key in KEYS
            if key in self.rows and kept.get(key) == self.truth[key][column]
        }

    def do(self, what: tuple) -> None:
        getattr(self, what[0])(*what[1:])


key, column = st.sampled_from(KEYS), st.sampled_from(COLUMNS)
any_key = st.sampled_from(KEYS + SPARED)
some = st.frozensets(column, min_size=1)
work = st.one_of(
    st.tuples(st.just("write"), key, some),
    st.tuples(st.just("read"), key),
)
harm = st.one_of(
    st.tuples(st.just("drop"), column),
    st.tuples(st.just("garble"), any_key, column),
    st.tuples(st.just("remove"), any_key),
)
hiding = st.one_of(st.tuples(st.just("hide")), st.tuples(st.just("rename"), column))
repair = st.one_of(
    st.tuples(st.just("show")),
    st.tuples(st.just("rename_back"), column),
    st.tuples(st.just("add"), column, st.sampled_from([None, "", 0])),
    st.tuples(st.just("restore"), any_key, column),
    st.tuples(st.just("bring_back"), any_key),
)
known = st.lists(work, max_size=4).map(
    lambda more: [*(("write", key, frozenset(COLUMNS)) for key in KEYS), *more]
)


def phase(*of: st.SearchStrategy, least: int = 0) -> st.SearchStrategy:
    return st.lists(st.one_of(*of), min_size=least, max_size=6)


def lived(before, incident, steps) -> Recovered:
    world = Recovered()
    for what in (*before, *incident):
        world.do(what)
    world.check("", reference=True)
    world.harmed = bool(world.anomalies.opened(incident=True))
    for n, step in enumerate(steps):
        for what in step:
            world.do(what)
        world.check(f"step {n}")
    return world


@settings(max_examples=300)
@given(known, phase(harm, hiding, work), st.lists(phase(repair, work), max_size=5))
@example(  # a column is dropped, added empty, written by the application, filled where it is empty
    [("write", 1, {"name"}), ("write", 2, {"name"})],
    [("drop", "name")],
    [
        [("add", "name", None), ("read", 2)],
        [("write", 1, {"name"}), ("read", 1)],
        [("restore", 2, "name"), ("read", 2)],
    ],
)
@example([("write", 1, {"name"})], [("garble", 1, "name"), ("read", 1)], [[("read", 1)]])
def test_nobody_is_accused_of_the_incident(before, incident, steps):
    """Dropped, garbled, vanished, read meanwhile, overwritten before it is repaired: no step's."""
    world = lived(before, incident, steps)
    event(f"the incident destroyed something: {world.harmed}")
    assert world.counted == 0
    assert world.anomalies.for_good == world.anomalies.misread == []
    assert world.anomalies.opened(incident=False) == []


def wanted_lost(before, steps) -> list[tuple[int, str]]:
    """By the definition: found destroyed at the end of a step, and not found back, by a check or
    a read, before it was written again."""
    world, destroyed, lost = Recovered(), set(), []
    for what in before:
        world.do(what)
    for step in steps:
        for what in step:
            writes = len(world.ledger.writes())
            world.do(what)
            if what[0] == "read" and (row := world.seen(what[1])) is not None:
                right = {cell for cell in row if row[cell] == world.truth[what[1]][cell]}
                destroyed -= {(what[1], cell) for cell in right}
            for write in world.ledger.writes()[writes:]:
                over = {(write.key, column) for column in write.values} & destroyed
                lost += sorted(over)
                destroyed -= over
        for key in {write.key for write in world.ledger.writes()}:
            known = {c for w in world.ledger.writes() if w.key == key for c in w.values}
            row = world.seen(key)
            for cell in known if row is None else known & row.keys():
                broken = row is None or row[cell] != world.truth[key][cell]
                destroyed = destroyed | {(key, cell)} if broken else destroyed - {(key, cell)}
    return sorted(lost)


@settings(max_examples=300)
@given(known, st.lists(phase(harm, work, repair, work, least=2), min_size=2, max_size=6))
@example(
    [("write", 1, {"name"})],
    [[("garble", 1, "name")], [("write", 1, {"name"})]],
)
def test_what_a_step_destroyed_and_the_application_overwrote_is_lost_for_good(before, steps):
    """Exactly that, whatever else is dropped, garbled, deleted and repaired."""
    world = lived(before, [], steps)
    found = [(a.key, a.cell) for a in world.anomalies.for_good if a.cell]
    from_reads = [(a.key, a.cell) for a in world.anomalies.for_good if a.cell and a.misread]
    wanted = wanted_lost(before, steps)
    event(f"lost: {bool(wanted)}")
    assert sorted(set(wanted) - set(found)) == [], "it was forgotten"
    assert sorted(set(found) - set(wanted) - set(from_reads)) == [], "nobody destroyed it"


HIDDEN = [("rename", "name")]
DROPPED = [("drop", "name")]
VANISHED = [("remove", 1)]
STORIES = {
    # what the incident did, what each step and the application did then, what is lost for good
    "put back and garbled in one step, then overwritten": (
        HIDDEN,
        [[("rename_back", "name"), ("garble", 1, "name")], [("write", 1, {"name"})]],
        ["changed"],
    ),
    "added empty, overwritten, then filled": (
        HIDDEN,
        [[("add", "name", None)], [("write", 1, {"name"})], [("restore", 2, "name")]],
        [],
    ),
    "added with a default, overwritten, then filled": (
        HIDDEN,
        [[("add", "name", "")], [("write", 1, {"name"})], [("restore", 2, "name")]],
        [],
    ),
    "added empty, filled with something else, then overwritten": (
        HIDDEN,
        [[("add", "name", None)], [("garble", 1, "name")], [("write", 1, {"name"})]],
        ["changed"],
    ),
    "nothing was left to destroy": (
        DROPPED,
        [[("add", "name", None)], [("garble", 1, "name")], [("write", 1, {"name"})]],
        [],
    ),
    "a row that the incident deleted, brought back and garbled": (
        VANISHED,
        [[("bring_back", 1)], [("garble", 1, "name")], [("write", 1, {"name"})]],
        ["changed"],
    ),
    "garbled, and the other column overwritten": (
        [],
        [[("garble", 1, "name")], [("write", 1, {"email"})]],
        [],
    ),
    "garbled, restored, then overwritten": (
        [],
        [[("garble", 1, "name")], [("restore", 1, "name")], [("write", 1, {"name"})]],
        [],
    ),
    "restored only after it was overwritten": (
        [],
        [[("garble", 1, "name")], [("write", 1, {"name"})], [("restore", 1, "name")]],
        ["changed"],
    ),
    "destroyed twice": (
        [],
        [
            [("garble", 1, "name")],
            [("write", 1, {"name"}), ("garble", 1, "name")],
            [("write", 1, {"name"})],
        ],
        ["changed", "changed"],
    ),
    "dropped by a step, added empty, then overwritten": (
        [],
        [[("drop", "name")], [("add", "name", None)], [("write", 1, {"name"})]],
        ["changed"],
    ),
    "a row that a step deleted and another brought back, then overwritten": (
        [],
        [[("remove", 1)], [("bring_back", 1), ("write", 1, {"name", "email"})]],
        ["lost"],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_who_destroyed_it_and_when_it_was_overwritten_decides(story):
    """The incident, a step that brought the value back broken, a step that broke it."""
    incident, steps, wanted = STORIES[story]
    world = lived([("write", key, set(COLUMNS)) for key in KEYS], incident, steps)
    lost = each_value(world.anomalies.for_good)
    assert [anomaly.kind for anomaly in lost] == wanted
    assert counted(lost).total() == len(wanted)


def test_it_says_after_which_step_and_when():
    """The step that had just ended when it was first seen, also if a read saw it before."""
    steps = [[("garble", 1, "name"), ("read", 1)], [], [("write", 1, {"name"})]]
    world = lived([("write", 1, set(COLUMNS))], [], steps)
    (anomaly,) = world.anomalies.for_good
    assert (anomaly.after, anomaly.misread) == ("step 0", True)
    at_ms = anomaly.t_ns / 1e6
    assert str(anomaly) == (
        f"key 1: name is {anomaly.deviation.found!r}, acknowledged was 'w20', "
        f"destroyed after step 'step 0', as seen at {at_ms:.0f} ms"
    )


def test_what_a_read_met_counts_although_it_came_back():
    """No check at the end of a step can undo what was read in between; it counts once."""
    world = lived(
        [("write", 1, set(COLUMNS))],
        [],
        [[("garble", 1, "name"), ("read", 1), ("read", 1)], [("restore", 1, "name")]],
    )
    assert (world.counted, world.anomalies.stale_reads) == (2, 2)
    assert [a.kind for a in world.anomalies.misread] == ["changed"]
    assert world.anomalies.for_good == []


def test_a_read_that_is_judged_late_is_not_accused_of_what_was_put_right_meanwhile():
    """It was sent while the incident's damage stood, and answered before the check."""
    world = lived([("write", 1, set(COLUMNS))], [("garble", 1, "name")], [])
    late = Observation(1, world.seen(1), world.columns, world.tick(), world.tick())
    world.restore(1, "name")
    world.check("mend it")
    assert world.anomalies.read(late).counted is False
    world.garble(1, "name")
    now = Observation(1, world.seen(1), world.columns, world.tick(), world.tick())
    assert world.anomalies.read(now).counted is True


def test_a_write_without_an_answer_that_is_there_has_overwritten_what_was_destroyed():
    """What a later check finds is legal, and is not what was destroyed."""
    world = lived([("write", 1, set(COLUMNS))], [], [[("garble", 1, "name")]])
    world.ledger.sent(Op.UPDATE, 1, {"name": "unsure"}, world.tick())
    world.rows[1]["name"] = "unsure"
    world.check("wait")
    assert [anomaly.after for anomaly in world.anomalies.for_good] == ["step 0"]


def test_a_read_that_finds_it_back_is_as_good_as_a_check():
    """Unless it was sent before it was destroyed, and is only judged late."""
    world = lived([("write", 1, set(COLUMNS)), ("write", 2, set(COLUMNS))], [], [])
    early = [
        Observation(key, world.seen(key), world.columns, world.tick(), world.tick())
        for key in (1, 2)
    ]
    world.garble(1, "name")
    world.garble(2, "name")
    world.check("wreck it")
    for one in early:
        assert world.anomalies.read(one) is None
    for key in (1, 2):
        world.restore(key, "name")
    world.read(1)
    for key in (1, 2):
        world.write(key, {"name"})
    world.check("wait")
    assert [anomaly.key for anomaly in world.anomalies.for_good] == [2]

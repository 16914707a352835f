"""What a read may find: every state that some moment of it allows, and no other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.application.writes import UNTOLD, History, Op, Write, WriteOutcome

COLUMNS = ("email", "name")
SURE, REFUSED, UNSURE = WriteOutcome.ACKNOWLEDGED, WriteOutcome.REFUSED, WriteOutcome.UNKNOWN
NEVER = 99


def made(*writes: Write) -> History:
    history = History(COLUMNS)
    for write in writes:
        place = history.sent(Write(write.op, write.key, write.values, write.t_sent_ns))
        history.answered(place, write)
    return history


def update(sent: int, acked: int | None, outcome: WriteOutcome = SURE, **values: str) -> Write:
    return Write(Op.UPDATE, 7, values, sent, acked, outcome)


def delete(sent: int, acked: int | None, outcome: WriteOutcome = SURE) -> Write:
    return Write(Op.DELETE, 7, {}, sent, acked, outcome)


@st.composite
def of_one_key(draw) -> list[Write]:
    """Writes one after the other, as one worker sends them; only the last may lack an answer."""
    writes, now = [Write(Op.UPDATE, 7, {"email": "e", "name": "n"}, 0, 1, SURE)], 1
    for n in range(draw(st.integers(0, 3))):
        sent = now + draw(st.integers(1, 3))
        now = sent + draw(st.integers(0, 3))
        columns = draw(st.sets(st.sampled_from(COLUMNS), min_size=1))
        op = draw(st.sampled_from([Op.UPDATE, Op.UPDATE, Op.DELETE]))
        outcome = draw(st.sampled_from([SURE, SURE, REFUSED, UNSURE]))
        values = {} if op is Op.DELETE else dict.fromkeys(columns, f"v{n}")
        writes.append(Write(op, 7, values, sent, None if outcome is UNSURE else now, outcome))
        if outcome is UNSURE or (op is Op.DELETE and outcome is SURE):
            break
    return writes


def possible(writes: list[Write], sent: int, answered: int) -> list[dict | None]:
    """Every row that is there at some moment of the read, whenever each write takes effect."""
    moments = [
        [NEVER]
        if write.outcome is REFUSED
        else [*range(write.t_sent_ns, 30), NEVER]
        if write.outcome is UNSURE
        else range(write.t_sent_ns, write.t_acked_ns + 1)
        for write in writes
    ]
    found: list[dict | None] = []
    for effects in itertools.product(*moments):
        happened = [effect for effect in effects if effect != NEVER]
        if happened != sorted(happened):
            continue
        for at in range(2 * sent - 1, 2 * answered + 2):  # before and after what ties with it
            row: dict | None = None
            for write, effect in zip(writes, effects, strict=True):
                if 2 * effect <= at:
                    row = None if write.op is Op.DELETE else {**(row or {}), **write.values}
            if row not in found:
                found.append(row)
    return found


@given(of_one_key(), st.integers(2, 12), st.integers(0, 5))
def test_it_is_what_every_order_of_effects_allows_and_nothing_else(writes, sent, lasts):
    """Tried out: each write takes effect at each moment between its send and its answer."""
    legal = made(*writes).legal(sent, sent + lasts)
    wanted = possible(writes, sent, sent + lasts)
    assert [state for state in wanted if state not in legal] == [], "a read would be accused"
    assert [state for state in legal if state not in wanted] == [], "a stale one would pass"


@given(of_one_key(), st.integers(2, 12))
def test_what_is_legal_never_shrinks_while_a_read_lasts(writes, sent):
    """The longer it is on its way, the more it may have seen."""
    history = made(*writes)
    for answered in range(sent, sent + 8):
        longer = history.legal(sent, answered + 1)
        assert all(state in longer for state in history.legal(sent, answered))


@given(of_one_key(), st.integers(2, 12), st.integers(0, 5))
def test_it_is_asked_at_any_time_and_says_the_same_later(writes, sent, lasts):
    """What was folded once is kept, and asking early spoils nothing."""
    history = History(COLUMNS)
    for write in writes:
        place = history.sent(Write(write.op, write.key, write.values, write.t_sent_ns))
        history.legal(sent, sent + lasts)
        history.answered(place, write)
        history.legal(sent, sent + lasts)
    assert set(map(str, history.legal(sent, sent + lasts))) == set(
        map(str, made(*writes).legal(sent, sent + lasts))
    )


@pytest.mark.parametrize(
    "sent, answered, legal",
    [
        (0, 4, UNTOLD),
        (0, 15, (*UNTOLD, {"email": "a"})),
        (21, 25, ({"email": "a"},)),
        (25, 35, ({"email": "a"}, {"email": "b"})),
        (40, 45, ({"email": "a"}, {"email": "b"})),
        (41, 45, ({"email": "b"},)),
        (55, 58, ({"email": "b"}, None)),
        (61, 70, (None,)),
    ],
)
def test_before_while_and_after_a_write(sent, answered, legal):
    """Three writes, sent at 10, 30 and 50, each answered ten later."""
    history = made(update(10, 20, email="a"), update(30, 40, email="b"), delete(50, 60))
    assert history.legal(sent, answered) == legal


def test_a_write_in_flight_may_be_seen_or_not():
    """Until its answer is noted, whatever it will be."""
    history = made(update(1, 2, email="a"))
    place = history.sent(Write(Op.UPDATE, 7, {"email": "b"}, 10))
    both = ({"email": "a"}, {"email": "b"})
    assert history.legal(20, 21) == both
    history.answered(place, update(10, 15, REFUSED, email="b"))
    assert history.legal(20, 21) == ({"email": "a"},)


def test_the_write_a_value_is_of_is_the_last_that_covers_it():
    """By column; a delete covers them all, what is refused or unanswered covers nothing."""
    history = made(
        update(1, 2, email="a", name="a"),
        update(3, 4, name="b"),
        update(5, 6, REFUSED, email="c"),
        update(7, 8, email="d"),
    )
    assert [history.place("email", at) for at in (1, 3, 7, 9)] == [-1, 0, 0, 3]
    assert [history.place("name", at) for at in (3, 5, 9)] == [0, 1, 1]
    assert history.overwritten_ns("email", 2) == 8
    assert history.overwritten_ns("email", 7) is None
    assert made(update(1, 2, email="a"), delete(3, 4)).overwritten_ns("email", 2) == 4

"""Which part of a list makes a test fail, and how it is told; no server."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from harness.row_generation import FailingRow, FailingRows, Failure
from harness.row_generation.effect import _target
from harness.row_generation.search import OutOfTries, Tries, minimal, named_in


@given(some.integers(1, 300), some.data())
def test_a_minimal_part_is_found_in_few_tests(size, data):
    """All that is needed and nothing else, in about log2(n) + 1 tests for each item."""
    needed = data.draw(some.sets(some.integers(0, size - 1), min_size=1, max_size=3))
    asked = []

    def fails(part):
        asked.append(part)
        return needed <= set(part)

    assert set(minimal(range(size), fails)) == needed
    assert len(asked) <= (len(needed)) * (math.ceil(math.log2(size + 1)) + 1) + 1


CAUSE = some.sets(some.integers(0, 40), min_size=1, max_size=2)


@given(some.lists(CAUSE, min_size=1, max_size=4))
def test_one_of_several_causes_is_found(causes):
    """What is found fails, and none of it can be left out."""

    def fails(part):
        return any(cause <= set(part) for cause in causes)

    found = minimal(range(41), fails)
    assert fails(found)
    assert not any(fails([x for x in found if x != item]) for item in found)


def test_a_hint_saves_tests():
    """What the error names is tried first; a wrong hint costs one test."""
    asked = []

    def fails(part):
        asked.append(part)
        return 700 in part

    assert minimal(range(1000), fails, lambda left: [700]) == [700]
    assert len(asked) <= 2
    asked.clear()
    assert minimal(range(1000), fails, lambda left: [1]) == [700]
    assert len(asked) <= 12


def test_what_fails_only_as_a_whole_is_told_as_a_whole():
    """A test that contradicts itself does not make the search go on for ever."""
    assert minimal([1, 2, 3], lambda part: False) == [1, 2, 3]


def test_tries_are_counted_and_answers_remembered():
    """The same question costs nothing; one too many is refused."""
    tries = Tries(2)
    assert tries.answer("a", lambda: (True, "said a"))
    assert not tries.answer("b", lambda: (False, "said b"))
    assert (tries.spent, tries.said) == (2, "said a")
    assert tries.answer("a", lambda: pytest.fail("asked again"))
    with pytest.raises(OutOfTries):
        tries.answer("c", lambda: (True, ""))


VALUES = {1: ["ada@x.io", 7], 2: ["bob@x.io", 12], 3: ["bobby", None], 4: ["", 12], 5: ["", 12]}


@pytest.mark.parametrize(
    "message, named",
    [
        ("Key (lower(mail))=(BOB@x.io) is duplicated", [2]),
        ("Data too long for column 'a' at row 3", [3]),
        ("Duplicate entry '7' for key 'score'", [1]),
        ("is 7 too many", []),
        ("nothing to see", []),
        ("12 here and '12' there", []),
    ],
)
def test_rows_that_a_message_names(message, named):
    """By a value as a word, a short one between quotes, or the row's place; not what most share."""
    assert named_in(message, [1, 2, 3, 4, 5], VALUES) == named


def test_failures_are_alike_by_their_code():
    """Without one by their words, but for what differs from row to row."""
    assert Failure("23505", "a").is_like(Failure("23505", "b"))
    assert not Failure("23505", "a").is_like(Failure("23503", "a"))
    one = Failure("", "working …\nERROR: value 'a' of row 7 is bad\nbye 1")
    assert one.is_like(Failure("", "ERROR: value 'bc' of row 19 is bad"))
    assert not one.is_like(Failure("", "ERROR: no such table"))


def rows(*keys: int) -> tuple[FailingRow, ...]:
    return tuple(FailingRow(f"id {key}", {"email": f"'m{key}'"}) for key in keys)


FAILURE = Failure("22001", "value too long")


@pytest.mark.parametrize(
    "found, told",
    [
        (FailingRows(FAILURE), "fails on empty tables, too"),
        (FailingRows(FAILURE, why_not="x"), "fails; on which rows is not known: x"),
        (
            FailingRows(FAILURE, "users", 200, any_row=True, complete=True),
            "fails on any row of users (3 of 200 rows, each tried alone)",
        ),
        (
            FailingRows(FAILURE, "users", 1, any_row=True, complete=True, also=("teams",)),
            "fails on any row of users, if teams have rows",
        ),
        (
            FailingRows(FAILURE, "users", 200, (rows(3), rows(9)), complete=True),
            "fails on 2 of 200 rows of users: id 3 (email 'm3'), id 9 (email 'm9')",
        ),
        (
            FailingRows(FAILURE, "users", 200, (rows(3),)),
            "fails on at least 1 of 200 rows of users: id 3 (email 'm3'), …",
        ),
        (
            FailingRows(FAILURE, "users", 200, (rows(3, 9),), complete=True),
            "fails on rows that do not go together, once among 200 rows of users: "
            "id 3 (email 'm3') with id 9 (email 'm9')",
        ),
        (
            FailingRows(FAILURE, "users", 200, among=25),
            "fails on some of 25 rows of users, of 200",
        ),
    ],
)
def test_what_was_found_is_told_in_words(found, told):
    """As much as is known, and the error with its code."""
    assert str(found) == f"{told}: 22001: value too long"


@pytest.mark.parametrize(
    "statement, target",
    [
        ("UPDATE users SET a = 1", ("UPDATE", "users")),
        ('update only public."users" set a = 1', ("UPDATE", 'public."users"')),
        ("/* UPDATE x */ DELETE FROM `users` WHERE 1", ("DELETE", "`users`")),
        ("INSERT IGNORE INTO users SELECT 1", ("INSERT", "users")),
        ("WITH x AS (SELECT 1 FOR UPDATE) UPDATE u SET a = 'DELETE FROM y'", ("UPDATE", "u")),
        ("WITH x AS (SELECT 1) SELECT * FROM x", None),
        ("ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES b ON UPDATE CASCADE", None),
        ("SELECT * FROM users FOR UPDATE", None),
        ("CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW DELETE FROM x", None),
    ],
)  # fmt: skip
def test_the_table_that_a_statement_changes(statement, target):
    """By its own verb, not by one in a comment, a text or a clause."""
    assert _target(statement) == target

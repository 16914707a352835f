"""What of a definition is left out because it differs from run to run, and that the rest is not."""

from __future__ import annotations

import doctest

import pytest

from harness.state import volatile
from harness.state.snapshot import Snapshot
from harness.state.volatile import of_runs, parts, steady


def test_the_examples_in_its_texts_are_true():
    assert doctest.testmod(volatile).failed == 0


@pytest.mark.parametrize(
    "one, other, left_out",
    [
        ("text WITH (n=5, v=17)", "text WITH (n=5, v=18)", ("v=…",)),
        ("int DEFAULT 1 COMMENT 'a9'", "int DEFAULT 2 COMMENT 'b7'", ("DEFAULT …", "COMMENT '…")),
        ("a71", "b2", ("…",)),
        ("ON '2026-01-31 23:59:59' DO", "ON '2026-01-31 23:59:58' DO", ("ON '… …",)),
        ("made 4 of 5", "made 3 of 5", ("made …",)),
        ("text", "text WITH (v=18)", ()),
    ],
)
def test_a_part_is_known_by_the_word_before_it(one, other, left_out):
    assert parts(one, other) == left_out
    assert steady(one, left_out) == steady(other, left_out)


def test_all_else_is_still_compared():
    """Another type, another limit, one word more: only the part itself may be anything."""
    left_out = parts("varchar(20) WITH (v=17)", "varchar(20) WITH (v=18)")
    seen = {
        steady(told, left_out)
        for told in (
            "varchar(20) WITH (v=3)",
            "varchar(21) WITH (v=3)",
            "text WITH (v=3)",
            "varchar(20) NOT NULL WITH (v=3)",
            "varchar(20) WITH (iv=3)",
            "varchar(20) WITH (iv=4)",
            "varchar(20)",
        )
    }
    assert len(seen) == 7
    assert steady("varchar(20) WITH (v=9)", left_out) in seen


def test_a_part_with_no_word_before_it_is_the_first_one_only():
    left_out = parts("a71 is it", "b2 is it")
    assert steady("c3 is it", left_out) == steady("a71 is it", left_out)
    assert steady("c3 is that", left_out) != steady("a71 is it", left_out)


def test_a_number_may_be_quoted_in_one_state_and_bare_in_another():
    """MariaDB quotes the default of a text, and not that of a number."""
    left_out = parts("varchar(60) DEFAULT '17'", "varchar(60) DEFAULT '18'")
    assert steady("bigint DEFAULT 17", left_out) == steady("bigint DEFAULT 18", left_out)


def test_signs_of_patterns_are_taken_as_they_are():
    one, other = r"CHECK (x ~ '^\d+$') [a] v=1", r"CHECK (x ~ '^\d+$') [a] v=2"
    left_out = parts(one, other)
    assert steady(one, left_out) == steady(other, left_out) == r"CHECK (x ~ '^\d+$') [a] v=…"
    backslash = parts(r"E '\1 x=1'", r"E '\1 x=2'")
    assert steady(r"E '\1 x=3'", backslash) == r"E '\1 x=…'"


def test_two_runs_tell_of_what_is_in_both():
    """What is only in one differs by its name, and that is told as it is."""
    one = {"comment a": "n 1", "comment b": "n 1", "comment c": "n 1"}
    other = {"comment a": "n 2", "comment b": "n 1", "comment d": "n 1"}
    assert of_runs(one, other) == {"comment a": ("n …",)}


def test_a_snapshot_leaves_out_the_parts_of_the_objects_named():
    told = Snapshot({"a": "n 1", "b": "n 1", "c": "n 1"}, {})
    steadied = told.steadied({"a": ("n …",), "b": (), "gone": ()})
    assert steadied.objects == {"a": "n …", "b": "", "c": "n 1"}
    assert steadied.steadied({"a": ("n …",), "b": ()}) == steadied

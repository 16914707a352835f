"""The small rules that the words of a scenario follow."""

from __future__ import annotations

import pytest
from made_of import fault, procedure, trial

from harness.model import Moment, Scope, in_dialect, words_of


@pytest.mark.parametrize(
    "scope, holds",
    [
        (Scope(), True),
        (Scope(("fake",)), True),
        (Scope(("fake", "online-ddl")), True),
        (Scope(("fake", "other")), False),
        (Scope(("not-other",)), True),
        (Scope(("not-fake",)), False),
        (Scope((), ("early",)), True),
        (Scope((), ("late",)), False),
        (Scope(("fake",), ("late", "early")), True),
        (Scope(("other",), ("early",)), False),
    ],
)
def test_a_scope_holds_where_all_its_words_do(scope: Scope, holds: bool) -> None:
    """Every word of where:, and one of the faults if any are named."""
    assert scope.covers(frozenset({"fake", "online-ddl", "autocommit"}), "early") is holds


@pytest.mark.parametrize(
    "traits, mode, atomic",
    [
        ({"transactional-ddl"}, "one-transaction", True),
        ({"transactional-ddl"}, "whole-file", True),
        ({"transactional-ddl"}, "autocommit", False),
        ({"transactional-ddl"}, "per-statement", False),
        (set(), "one-transaction", False),
        (set(), "whole-file", False),
    ],
)
def test_a_cell_is_atomic_only_if_engine_and_mode_are(traits, mode, atomic) -> None:
    """A transaction around DDL that commits by itself protects nothing."""
    assert ("atomic" in words_of("fake", frozenset(traits), mode)) is atomic


@pytest.mark.parametrize(
    "sql, expected",
    [
        ("X", "X"),
        ({"postgres": "P", "mysql": "M", "mariadb": "A"}, "A"),
        ({"postgres": "P", "mysql": "M"}, "M"),
        ({"postgres": "P"}, None),
    ],
)
def test_mariadb_speaks_mysql_where_it_has_no_words_of_its_own(sql, expected) -> None:
    """The first name that has a text wins; none is no statement at all."""
    assert in_dialect(sql, "mariadb", "mysql") == expected


@pytest.mark.parametrize(
    "moment, number, words",
    [
        (Moment(before=1), 1, "before statement 1"),
        (Moment(after=2), 2, "after statement 2"),
        (Moment(inside=3), 3, "inside statement 3"),
        (Moment(), 0, "when the migration is done"),
    ],
)
def test_a_moment_can_be_read_aloud(moment: Moment, number: int, words: str) -> None:
    """As reports print it."""
    assert (moment.statement, str(moment)) == (number, words)


@pytest.mark.parametrize(
    "changes, name",
    [
        ({}, "outage/fake/autocommit/early/redo"),
        ({"round": 3}, "outage/fake/autocommit/early/redo@3"),
        ({"fault": fault("late")}, "outage/fake/autocommit/late/redo"),
        (
            {"purpose": "nothing-done", "procedure": None},
            "outage/fake/autocommit/early/nothing-done",
        ),
        ({"purpose": "no-injection"}, "outage/fake/autocommit/early/no-injection"),
    ],
)
def test_a_trial_is_named_by_its_cell(changes: dict, name: str) -> None:
    """Stable across runs; a repeated round says its number."""
    assert trial(**changes).id == name


def test_a_decoy_is_what_names_its_catch() -> None:
    """Recoveries name none."""
    assert (procedure("a", caught_by=("c",)).is_decoy, procedure("a").is_decoy) == (True, False)

"""What healed a state of the tool's own making heals it where it comes again, until it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.layouts import Migration
from harness.state.snapshot import Snapshot
from harness.sweep import cures
from harness.sweep.cures import Cure, Cures
from harness.sweep.points import Row
from harness.sweep.pruning import Rule
from harness.sweep.reference import Reference, State
from harness.sweep.subject import Crash, Subject
from harness.sweep.verdicts import Attempt, LeftState

EMPTY = Snapshot({}, {})
ROWS = (Row(1, "INSERT INTO v", "bookkeeping"), Row(2, "CREATE TABLE t (a int)", "statement", 1))
AGAIN = Attempt("run it again", "re-run", healed=False)
FORCED = Attempt("force, then again", "repair", healed=True)
BY_HAND = Attempt("by hand", "completion", healed=True)


def crash(version: str, left: str, *, settled: bool = False) -> Crash:
    reference = Reference(ROWS, (State(0, EMPTY),), 1, ())
    migration = Migration(version, "m", None, None, (Path(f"{version}.sql").name,))
    subject = Subject(migration, "0", reference, EMPTY, "base")
    return Crash(subject, LeftState(left), EMPTY, settled, stuck=not settled)


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch):
    """No share beyond the second of each kind."""
    monkeypatch.setattr(cures, "SHARE", 0.0)


def taught(left: str = "before", *attempts: Attempt, settled: bool = False) -> Cures:
    """After the first two migrations of a shape, the second of which was an audit."""
    known = Cures()
    for version in ("1", "2"):
        one = crash(version, left, settled=settled)
        assert known.shown(one, "") is None
        known.learn(one, "", f"{version} state", attempts or (AGAIN, FORCED, BY_HAND))
    return known


def test_the_third_of_a_kind_follows_the_first():
    """Up to what healed it, and by name of the state that has shown it."""
    shown = taught().shown(crash("3", "before"), "")
    assert shown is not None
    assert (shown.state, shown.attempts) == ("1 state", (AGAIN, FORCED))


def test_the_second_of_a_kind_is_an_audit():
    """One that comes out otherwise revokes the rule."""
    known = Cures()
    known.learn(crash("1", "before"), "", "1 state", (AGAIN, FORCED))
    assert known.shown(crash("2", "before"), "") is None
    healed = Attempt("run it again", "re-run", healed=True)
    assert known.learn(crash("2", "before"), "", "2 state", (healed,)) == ("1 state", False)
    assert known.revoked == {Rule.TOOL_STATE}
    assert known.shown(crash("3", "before"), "") is None


def test_what_was_not_tried_any_more_is_no_difference():
    """Behind the first that heals nothing is compared."""
    known = Cures()
    known.learn(crash("1", "before"), "", "1 state", (AGAIN, FORCED, BY_HAND))
    assert known.learn(crash("2", "before"), "", "2 state", (AGAIN, FORCED)) == ("1 state", True)


@pytest.mark.parametrize(
    ("left", "settled", "attempts"),
    [
        ("after", False, (AGAIN, FORCED)),
        ("1 of 2", False, (AGAIN, FORCED)),
        ("before", False, (AGAIN, Attempt("force", "repair", healed=False))),
        ("before", False, (AGAIN, BY_HAND)),
        ("before", False, (AGAIN, Attempt("down, then up", "down-up", healed=True))),
        ("after", True, (AGAIN, BY_HAND)),
        ("before", False, (Attempt("run it again", "re-run", lost={"t": 1}), FORCED)),
    ],
)
def test_what_depends_on_the_file_follows_nothing(left, settled, attempts):
    """All is there and the tool does not know it; half is there; nothing healed; it was healed by
    hand or by the way down, which another file may not have; rows were lost.
    """
    known = Cures()
    known.learn(crash("1", left, settled=settled), "", "1 state", attempts)
    known.learn(crash("2", left, settled=settled), "", "2 state", attempts)
    told = [known.shown(crash(version, left, settled=settled), "") for version in ("3", "4")]
    assert told == [None, None], "the first is an audit, the second would follow"


def test_all_is_there_and_the_tool_knows_it():
    """Then there is nothing to run, in any migration. A tool without a record runs it once more:
    what comes of that is the file's, and one file that bears it says nothing of the others.
    """
    again, known, bare = Attempt("run it again", "re-run", healed=True), Cures(), Cures()
    for version in ("1", "2"):
        one = crash(version, "after", settled=True)
        assert known.shown(one, version) is None
        known.learn(one, version, f"{version} state", (again,))
        bare.learn(one, "", f"{version} state", (again,))
    third = crash("3", "after", settled=True)
    assert known.shown(third, "3") is not None
    assert bare.shown(third, "") is None
    assert bare.learn(third, "", "3 state", (AGAIN, BY_HAND)) is None
    assert not bare.revoked


def test_where_the_tool_does_not_know_it_its_cure_is_tried_first():
    """Until one state of the kind is healed otherwise."""
    known = Cures()
    known.learn(crash("1", "after"), "", "1 state", (AGAIN, FORCED))
    assert known.likely(crash("2", "after"), "") == Cure("repair", 0)
    known.learn(crash("2", "after"), "", "2 state", (AGAIN, BY_HAND))
    assert known.likely(crash("3", "after"), "") is None


def test_another_shape_is_another_kind():
    """And so is another belief of the tool's."""
    known = taught()
    assert known.shown(crash("3", "before", settled=True), "") is None
    assert known.shown(crash("3", "before"), "2") is None
    assert Cures(exhaustive=True).shown(crash("3", "before"), "") is None

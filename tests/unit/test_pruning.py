"""Which crash points are struck and which follow, by hand-made runs; and that a lie is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from harness.layouts import Migration
from harness.record.timeline import Event, Timeline
from harness.state.snapshot import Snapshot
from harness.sweep.events import CellStruck, RuleAudited
from harness.sweep.matrix import Matrix
from harness.sweep.points import OF_RIVALS, Point, Row, Way, Where, points
from harness.sweep.pruning import Follower, Pruner, Rule
from harness.sweep.reference import Reference
from harness.sweep.resumption import Known, known
from harness.sweep.subject import Subject
from harness.sweep.verdicts import LeftState

BEGIN, COMMIT = ("bookkeeping", "BEGIN", True), ("commit", "COMMIT", False)


def rows(*told: tuple[str, str, bool]) -> tuple[Row, ...]:
    """(kind, label, whether a transaction is open behind it) of each message."""
    return tuple(
        Row(n, label, kind, int(kind == "statement"), open_after=is_open)
        for n, (kind, label, is_open) in enumerate(told, 1)
    )


def file_of(count: int, version: int = 1) -> tuple[Row, ...]:
    """A tool that marks itself at work, then runs a file in one transaction."""
    work = [("statement", f"ALTER TABLE t ADD COLUMN c{n} integer", True) for n in range(count)]
    return rows(
        ("bookkeeping", f"INSERT INTO log VALUES ({version}, 'x')", False), BEGIN, *work, COMMIT
    )


def texts(of: Sequence[Row]) -> list[str]:
    return [row.label for row in of]


def cell(point: Point, state: str) -> CellStruck:
    return CellStruck("1", point=point.id, left=LeftState(state, 0, state))


def as_the_rules_say(of: Sequence[Row]) -> Callable[[Point], str]:
    """The state is how many messages' work lasts; a client that is killed leaves its statement."""

    def state(point: Point) -> str:
        behind = point.n if point.where is Where.ANSWERED else point.n - 1
        lasts = sum(not row.open_after for row in of[:behind])
        inside = point.where is Where.INSIDE and not of[point.n - 1].open_after
        return str(lasts + (inside and point.way is Way.CLIENT_SIGKILL))

    return state


def swept(
    pruner: Pruner, of: Sequence[Row], state: Callable[[Point], str], version: str = "1"
) -> tuple[dict[str, CellStruck], list[Follower]]:
    """What was struck, and who follows; the pruner has learned from it."""
    every = points(of)
    plan = pruner.plan(of, texts(of), every, down=False)
    cells = {point.id: cell(point, state(point)) for point in plan.struck}
    refuted = pruner.refuted(plan, cells)
    cells |= {f.point.id: cell(f.point, state(f.point)) for f in refuted}
    followers = [f for f in plan.followers if f not in refuted]
    whole = cells | {f.point.id: cells[f.leader.id] for f in followers}
    pruner.learn(of, every, whole, down=False)
    return cells, followers


def test_a_long_transaction_is_struck_at_its_ends_and_its_commit():
    """Forty statements are as many crash points as three; every way of dying is among them."""
    few, many = (swept(Pruner(), run, as_the_rules_say(run)) for run in (file_of(3), file_of(40)))
    assert len(many[0]) == len(few[0])
    ends = {name for name in many[0] if name.startswith(("before-3", "inside-42", "before-43"))}
    of_one_run = {*Way} - OF_RIVALS - {Way.REPLY_LOST}
    assert {name.partition(":")[2] for name in ends} >= {*map(str, of_one_run)}
    assert {f.rule for f in many[1]} == {Rule.OPEN_TRANSACTION}
    assert {f.leader.id for f in many[1]} == {"before-2:client-sigkill"}


def test_every_follower_leaves_what_its_leader_leaves():
    """Where the rules hold, nothing that follows would have been told otherwise."""
    run = file_of(7)
    state = as_the_rules_say(run)
    _, followers = swept(Pruner(), run, state)
    assert [f for f in followers if state(f.point) != state(f.leader)] == []


@pytest.mark.parametrize(
    "text",
    ["SELECT setval('s', 1)", "COPY t TO '/tmp/t'", "CALL mend()", "select pg_advisory_lock(1)"],
)
def test_what_a_rollback_does_not_undo_is_struck(text):
    run = file_of(9)
    told = texts(run)
    told[5] = text
    plan = Pruner().plan(run, told, points(run), down=False)
    assert plan.followers == ()
    assert Pruner().plan(run, texts(run), points(run), down=False).followers != ()


def test_without_transactions_for_ddl_and_when_asked_for_all_is_struck():
    run = file_of(9)
    for pruner in (Pruner(exhaustive=True), Pruner(undoes_ddl=False)):
        plan = pruner.plan(run, texts(run), points(run), down=False)
        assert (len(plan.struck), plan.followers) == (len(points(run)), ())


def test_ends_that_differ_speak_for_nobody():
    """A tool that commits what it has when it is told to stop: SIGTERM is struck everywhere."""
    run = file_of(9)
    usual = as_the_rules_say(run)

    def state(point: Point) -> str:
        commits = point.way is Way.CLIENT_SIGTERM and point.n == 11
        return "committed" if commits else usual(point)

    cells, followers = swept(Pruner(), run, state)
    assert Way.CLIENT_SIGTERM not in {f.point.way for f in followers if f.point.where == "before"}
    assert {"before-6:client-sigterm", "before-7:client-sigterm"} <= cells.keys()


def test_the_tools_own_messages_are_struck_in_full_once():
    """For the first migration of a shape; of the next the same points follow."""
    pruner = Pruner()
    first, none = swept(pruner, file_of(1), as_the_rules_say(file_of(1)))
    assert none == []
    second, followers = swept(pruner, file_of(1, 2), as_the_rules_say(file_of(1, 2)), "2")
    assert first.keys() == second.keys() | {f.point.id for f in followers}
    assert {f.rule for f in followers} == {Rule.OWN_MESSAGES, Rule.DEAD_SESSION}
    assert {f.point.where for f in followers} == {Where.BEFORE, Where.ANSWERED}
    leaders = {f.leader.id for f in followers}
    assert leaders <= second.keys()


def test_another_shape_is_learned_by_itself():
    pruner = Pruner()
    swept(pruner, file_of(1), as_the_rules_say(file_of(1)))
    other = rows(BEGIN, ("statement", "ALTER TABLE t", False), BEGIN, COMMIT)
    _, followers = swept(pruner, other, as_the_rules_say(other))
    assert followers == []


def test_what_the_first_has_shown_to_be_otherwise_is_struck_in_the_next():
    """A tool that sends its statement again where its connection was lost."""
    pruner, run = Pruner(), file_of(1)
    usual = as_the_rules_say(run)

    def state(point: Point) -> str:
        again = point.way is Way.CONNECTION_LOST and point.n == 3
        return "through" if again else usual(point)

    swept(pruner, run, state)
    cells, followers = swept(pruner, file_of(1, 2), state, "2")
    assert "before-3:connection-lost" in cells
    assert "before-3:session-kill" in {f.point.id for f in followers}


def test_a_share_of_each_rule_is_audited():
    """One at least, and one of twenty over the whole sweep."""
    pruner, run = Pruner(draw="x"), file_of(60)
    _, followers = swept(pruner, run, as_the_rules_say(run))
    drawn = pruner.audits(followers, "1")
    assert len(drawn) == int(0.05 * len(followers))
    again = [a for n in range(40) for a in pruner.audits(followers[:10], str(n))]
    assert 20 <= len(again) <= 21
    assert Pruner(draw="x").audits(followers, "1") == drawn
    assert Pruner(draw="y").audits(followers, "1") != drawn


def test_a_revoked_rule_is_used_no_more():
    pruner, run = Pruner(), file_of(9)
    pruner.revoked.add(Rule.OPEN_TRANSACTION)
    assert pruner.plan(run, texts(run), points(run), down=False).followers == ()


class FakeStriker:
    """Leaves what it is told, and keeps what it struck."""

    def __init__(self, state: Callable[[Point], str]) -> None:
        self.state = state
        self.struck: list[str] = []

    def strike(self, subject: object, todo: Sequence[Point]) -> dict[str, CellStruck]:
        self.struck += [point.id for point in todo]
        return {point.id: cell(point, self.state(point)) for point in todo}


def filled(
    state: Callable[[Point], str], run: Sequence[Row], before: Known | None = None
) -> tuple[FakeStriker, list[object]]:
    """The matrix of one migration: who was struck, and what was written down."""
    striker, record = FakeStriker(state), Timeline()
    reference = Reference(tuple(run), (), len(run), (), texts=tuple(texts(run)))
    subject = Subject(Migration("1", "1", None, None, ()), "0", reference, Snapshot({}, {}), "base")
    Matrix(striker, Pruner(draw="x"), record, before or Known()).fill(subject, frozenset(Way))
    return striker, [event.what for event in record.events()]


def test_every_cell_is_told_and_says_whether_it_was_struck():
    run = file_of(30)
    striker, told = filled(as_the_rules_say(run), run)
    cells = {c.point: c for c in told if isinstance(c, CellStruck)}
    assert set(striker.struck) | {p for p, c in cells.items() if c.rule} == {
        p.id for p in points(run)
    }
    audits = [a for a in told if isinstance(a, RuleAudited)]
    assert {a.held for a in audits} == {True}
    assert {a.point for a in audits} <= set(striker.struck)
    assert [c for c in cells.values() if c.rule and c.point in striker.struck] == []
    assert {c.like for c in cells.values() if c.rule} == {"before-2:client-sigkill"}


def test_an_audit_that_finds_otherwise_revokes_the_rule_and_all_is_struck():
    """Both ends leave what the rule says, and nothing between them does."""
    run = file_of(30)
    usual = as_the_rules_say(run)

    def state(point: Point) -> str:
        return "other" if 4 < point.n < 30 and point.where is Where.BEFORE else usual(point)

    striker, told = filled(state, run)
    assert sorted(striker.struck) == sorted({p.id for p in points(run)})
    assert False in {a.held for a in told if isinstance(a, RuleAudited)}
    assert [c for c in told if isinstance(c, CellStruck) and c.rule] == []


def test_an_audit_that_missed_has_shown_nothing():
    """The rule is not blamed for it, and owes another one."""
    pruner, run = Pruner(draw="x"), file_of(5)
    _, followers = swept(pruner, run, as_the_rules_say(run))
    (drawn,) = pruner.audits(followers[:2], "1")
    assert pruner.audits(followers[:2], "2") == []
    pruner.missed(drawn)
    assert len(pruner.audits(followers[:2], "3")) == 1


def test_a_cell_that_followed_by_rule_teaches_nothing():
    """Else a rule would be believed because it was believed before."""
    pruner, run = Pruner(), file_of(1)
    state = as_the_rules_say(run)
    cells = {p.id: replace(cell(p, state(p)), rule="own-messages") for p in points(run)}
    pruner.learn(run, points(run), cells, down=False)
    assert pruner.plan(run, texts(run), points(run), down=False).followers == ()


def test_a_sweep_that_is_taken_up_again_knows_what_was_shown():
    """A rule that was revoked stays so; what was struck already is an audit."""
    audit = RuleAudited("1", point="x", rule="own-messages", held=False)
    held = RuleAudited("1", point="y", rule="dead-session", held=True)
    assert known([Event(0, audit), Event(1, held)]).revoked == {"own-messages"}
    run = file_of(30)
    usual = as_the_rules_say(run)
    odd = Point(9, Where.BEFORE, Way.SESSION_KILL)
    before = Known(cells={("1", odd.id): cell(odd, "other")})
    striker, told = filled(usual, run, before)
    assert [a.point for a in told if isinstance(a, RuleAudited) and not a.held] == [odd.id]
    assert len(striker.struck) == len(points(run)) - 1

"""A claim tells a world before from a world after, and never takes an error for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from at_work import DEADLINE_S, ROW, STATEMENTS, AtWork
from conftest import ROWS, Bench

from harness.drill.ask import find
from harness.errors import DatabaseError
from harness.model import Claim
from harness.ports import Answer
from harness.state.snapshot import schema_of
from harness.verbs.claims.alert import Alert
from harness.verbs.claims.column import ColumnClaim
from harness.verbs.claims.constraint import ConstraintClaim
from harness.verbs.claims.cost import CostClaim
from harness.verbs.claims.index import IndexClaim
from harness.verbs.claims.like_before import LikeBefore
from harness.verbs.claims.query import Query
from harness.verbs.claims.rows import RowsClaim
from harness.verbs.claims.schema import Schema
from harness.verbs.claims.session import SessionClaim
from harness.verbs.claims.tool import ToolClaim
from harness.verbs.claims.waiting import Waiting
from harness.verbs.holds.row_lock import RowLock

HELD, NOT_HELD = Answer.HELD, Answer.NOT_HELD
WITH_INDEX = (*STATEMENTS, "CREATE INDEX users_score ON users (score)")
TABLE = [
    # claim, before the migration, after it
    (ColumnClaim("users.phone"), NOT_HELD, HELD),
    (ColumnClaim("users.phone", exists=False), HELD, NOT_HELD),
    (ColumnClaim("users.email", nullable=False), HELD, HELD),
    (ColumnClaim("users.email", nullable=True), NOT_HELD, NOT_HELD),
    (IndexClaim("users.users_phone"), NOT_HELD, HELD),
    (IndexClaim("users.users_phone", exists=False), HELD, NOT_HELD),
    (IndexClaim("users.users_name", unique=True), NOT_HELD, NOT_HELD),
    (ConstraintClaim("unique", "users.email"), HELD, HELD),
    (ConstraintClaim("unique", "users.name"), NOT_HELD, NOT_HELD),
    (ConstraintClaim("foreign", "users.team_id", exists=False), NOT_HELD, NOT_HELD),
    (ConstraintClaim("check", "users.score", called="users_score_sane"), HELD, HELD),
    (ConstraintClaim("check", "users.score", called="users_score_odd"), NOT_HELD, NOT_HELD),
    (RowsClaim("users", "email IS NULL", "none"), HELD, HELD),
    (RowsClaim("users", f"score >= {ROWS}", "some"), HELD, HELD),
    (RowsClaim("users", "score > 1", "all"), NOT_HELD, NOT_HELD),
    (Alert("SELECT count(*) FROM users", above=ROWS - 1), HELD, HELD),
    (Alert("SELECT count(*) FROM users", above=ROWS, within_s=0.2), NOT_HELD, NOT_HELD),
    (Alert("SELECT count(*) FROM users", above=ROWS, fires=False), HELD, HELD),
    (Alert("SELECT count(*) FROM users", fires=False, within_s=0.2), NOT_HELD, NOT_HELD),
    (Alert("SELECT id FROM users WHERE id = -1", fires=False), HELD, HELD),
    (Query("SELECT count(*) FROM users", equals=ROWS), HELD, HELD),
    (Query("SELECT count(*) FROM users", at_least=ROWS + 1), NOT_HELD, NOT_HELD),
    (Query("SELECT count(*) FROM users", at_most=ROWS), HELD, HELD),
    (Query("SELECT email FROM users WHERE id = -1", equals="x"), NOT_HELD, NOT_HELD),
    (Schema("as-before"), HELD, NOT_HELD),
    (Schema("as-migrated"), NOT_HELD, HELD),
    (LikeBefore("users.email"), HELD, HELD),
    (LikeBefore("users"), HELD, HELD),
    (CostClaim("SELECT name FROM users WHERE score = 77", at_most_times=0.5), NOT_HELD, HELD),
    (CostClaim("SELECT name FROM users WHERE score = 77", at_least_times=0.9), HELD, NOT_HELD),
    (SessionClaim("migration", exists=False), HELD, HELD),
    (Waiting("anybody", exists=False), HELD, HELD),
]


@pytest.fixture
def make(bench: Bench) -> Iterator[Any]:
    made: list[AtWork] = []

    def begin(*args: Any, **more: Any) -> AtWork:
        made.append(AtWork(bench, *args, **more))
        return made[-1]

    yield begin
    for work in made:
        work.close()


def answers(work: AtWork, claims: list[Any]) -> list[Answer]:
    return [find(work.target, Claim("it", claim)).answer for claim in claims]


def test_a_claim_tells_before_from_after(make) -> None:
    """Every line of the table, in a world that the migration has not and has changed."""
    work, control = make(WITH_INDEX), make(WITH_INDEX)
    assert control.start().outcome(DEADLINE_S).finished
    with control.target.session("verifier") as session:
        work.target.migrated = schema_of(work.engine, session)
    claims = [claim for claim, *_ in TABLE]
    before = answers(work, claims)
    assert work.start().outcome(DEADLINE_S).finished
    after = answers(work, claims)
    assert list(zip(claims, before, after, strict=True)) == TABLE


def test_a_check_over_untold_columns_is_no_proof_of_absence(make) -> None:
    """Where the catalogue does not say what a check is over, nobody may say that it is gone."""
    work = make()
    with work.target.session("verifier") as session:
        checks = work.engine.catalog.constraints(session, "users").values()
    told = all(c.columns for c in checks if c.kind == "check")
    gone = ConstraintClaim("check", "users.score", exists=False)
    assert answers(work, [gone]) == [NOT_HELD if told else Answer.UNANSWERABLE]


def test_one_changed_value_is_found_and_counted(make) -> None:
    """Among two thousand rows; a value that the application wrote is not held against anybody."""
    work = make()
    with work.target.session("operator") as session:
        session.run("UPDATE users SET email = 'other@example.test' WHERE id = 5")
    finding = LikeBefore("users.email").check(work.target)
    assert (finding.answer, finding.lost, finding.population) == (NOT_HELD, 1, ROWS)

    @dataclass
    class Wrote:
        def touched(self, _table: str) -> tuple[int, ...]:
            return (5,)

    work.target.app = Wrote()
    finding = LikeBefore("users.email").check(work.target)
    work.target.app = None
    assert (finding.answer, finding.lost) == (HELD, 0)


def test_a_claim_about_no_rows_says_so(make) -> None:
    """Zero of zero holds and proves nothing: the population tells it."""
    finding = RowsClaim("users", "score > 0", "all", among="id < 0").check(make().target)
    assert (finding.answer, finding.population) == (HELD, 0)


def test_who_waits_for_whom_is_seen_while_it_lasts(make) -> None:
    """The migration behind the blocker, both alive; nobody once the hold is open."""
    work, hold = make(), RowLock("users", ROW)
    work.start()
    point = work.go_to("before", 2)
    hold.arm(work.target)
    work.target.migration.go(point)
    work.wait_until_parked()
    claims = [
        Waiting("migration", "blocker"),
        Waiting("application"),
        SessionClaim("migration"),
        SessionClaim("blocker"),
    ]
    assert answers(work, claims) == [HELD, NOT_HELD, HELD, HELD]
    hold.release(work.target)
    assert work.target.migration.outcome(DEADLINE_S).finished
    work.wait_until_gone()
    assert answers(work, claims) == [NOT_HELD] * 4


def test_the_tools_books_are_read_and_not_believed(make) -> None:
    """Clean, dirty and locked, from its table and its lock."""
    work = make(tool="versioned", mode="per-statement", version=5)
    claims = [
        ToolClaim("clean", 5),
        ToolClaim("dirty", 5),
        ToolClaim("locked"),
        ToolClaim("unlocked"),
    ]
    work.start()
    point = work.go_to("before", 2)
    assert answers(work, claims) == [NOT_HELD, HELD, HELD, NOT_HELD]
    work.target.migration.go(point)
    assert work.target.migration.outcome(DEADLINE_S).finished
    assert answers(work, claims) == [HELD, NOT_HELD, NOT_HELD, HELD]
    assert answers(work, [ToolClaim("clean", 4)]) == [NOT_HELD]


def test_a_servers_refusal_is_an_answer_and_a_lost_connection_is_none(make) -> None:
    """What is not there does not hold; who does not answer has said nothing."""

    class Lost:
        needs_app = False

        def check(self, _target: Any) -> Any:
            raise DatabaseError("", "the connection is lost", lost=True)

    claims = [Query("SELECT no_such_column FROM users", equals=1), Lost()]
    assert answers(make(), claims) == [NOT_HELD, Answer.UNANSWERABLE]

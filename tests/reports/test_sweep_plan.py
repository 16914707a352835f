"""plan.md: a screen a migration, in which every line was executed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import made_up_sweep as swept
import pytest

from harness.reporting.sweep import evidence, plan, view
from harness.sweep.points import Point, Way, Where
from harness.sweep.results import SweepResult
from harness.sweep.verdicts import LeftState

SCREEN = 36
"""Lines of one migration, with those of a fenced cure."""


def sections(result: SweepResult) -> tuple[str, dict[str, str]]:
    """What is told of all, and the part of each migration by its name."""
    head, *parts = re.split(r"^# Migration: ", plan.render(result), flags=re.MULTILINE)
    named = (part.partition("\n") for part in parts)
    return head, {name.replace("\\", ""): body for name, _, body in named}


def fences(text: str) -> list[str]:
    return re.findall(r"^```(?:sql|sh)\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)


def code(text: str) -> list[str]:
    """What stands between backticks, outside of fences."""
    bare = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [found for _, found in re.findall(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", bare)]


@pytest.mark.parametrize("name", ["every_grade", "all_well", "cut_off"])
def test_each_state_has_the_commands_that_healed_it(name):
    """As they are pasted: in its row, in a fence, or told once for all."""
    result = swept.judged(getattr(swept, name)())
    head, named = sections(result)
    for migration in result.migrations:
        for way in view.directions(migration):
            for state in way.states:
                told = head + named[migration.name]
                pasted = [*code(told), *"\n".join(fences(told)).split("\n")]
                for command in state.heals.commands if state.heals else ():
                    assert set(command.split("\n")) <= set(pasted), command
                if not state.heals:
                    tried = bool(state.healing.attempts)
                    says = "nothing that was tried heals it" if tried else "nothing was tried on it"
                    assert says in told


@pytest.mark.parametrize("name", ["every_grade", "all_well", "cut_off"])
def test_it_has_no_command_that_was_not_executed(name):
    """What is code is a command, a statement of the migration, or the name of an object."""
    result = swept.judged(getattr(swept, name)())
    healings = [h for m in result.migrations for h in (*m.healings, *m.down_healings)]
    commands = [c for h in healings for a in h.attempts for c in a.commands if a.healed]
    labels = [row.label for m in result.migrations for row in m.reference.rows]
    names = {"users", "notes", "users.phone", "other", "users_email", "old_phones", "old_users"}
    allowed = {"$DATABASE_URL", "migrate force …", *commands, *labels, *names}
    text = plan.render(result)
    assert set(code(text)) <= allowed
    assert set("\n".join(fences(text)).split("\n")) <= set("\n".join(commands).split("\n")) | {""}


def ordinary(n: int) -> list[swept.Event]:
    """All or nothing, up and down; its tool has to be told whenever it dies."""

    def lands(point: Point) -> swept.State:
        if point.way is Way.REPLY_LOST and point.n == 3:
            return swept.after(str(n))
        left = LeftState("after" if point.n == 3 else "before", int(point.n == 3), f"u{n}{point.n}")
        return swept.State(left, (swept.again(False), swept.force(str(n))), stuck=point.n > 1)

    def back(point: Point) -> swept.State:
        done = point.n == 3
        left = LeftState("after" if done else "before", int(done), f"d{n}{point.n}")
        return swept.State(left, (swept.again(False), swept.force(f"{n - done}")), stuck=True)

    sql = [f"ALTER TABLE users ADD COLUMN c{n} text"]
    return swept.migration(str(n), f"{n}_more", sql, lands, down_lands=back)


def test_a_hundred_ordinary_migrations_stay_under_a_thousand_lines():
    """What their tool always needs is told once, and the lines of each all the same."""
    result = swept.judged(swept.sweep(*(ordinary(n) for n in range(1, 101))))
    head, named = sections(result)
    assert len(plan.render(result).splitlines()) < 1000
    assert head.count("golang-migrate always needs this after a crash") == 1
    assert all("- Going up, " in body and "- On the way down, " in body for body in named.values())
    assert "`migrate force 57`, then" in named["57_more"]


def long(statements: Sequence[str]) -> SweepResult:
    """One by one, and the rest has to be done by hand."""

    def lands(point: Point) -> swept.State:
        done = min(max(point.n - 2, 0), len(statements))
        if done in (0, len(statements)):
            return swept.before("1") if not done else swept.after("1")
        left = LeftState(f"{done} of {len(statements)}", done, f"k{done}")
        return swept.State(
            left, (swept.again(False), swept.by_hand(*statements[done:])), stuck=True
        )

    return swept.judged(swept.sweep(swept.migration("1", "1_long", statements, lands)))


@pytest.mark.parametrize("many", [3, 9, 40])
def test_a_migration_takes_a_screen_however_long_it_is(many):
    """What does not fit stands in the evidence, and the plan says so."""
    statements = [f"UPDATE users SET c{n} = 'a | b {n}'\n WHERE id > {n}" for n in range(many)]
    _, named = sections(long(statements))
    (text,) = named.values()
    assert len(text.splitlines()) <= SCREEN
    assert (evidence.FILE_NAME in text) is (many > 8)
    told = evidence.render(long(statements))
    assert all(f"c{n} = 'a | b {n}'" in told for n in range(1, many))


def test_a_cure_that_ends_another_one_stands_once():
    """The statements from one on are those of the state before it, but for the first."""
    statements = [f"UPDATE users SET c{n} = 'a | b'" for n in range(4)]
    _, named = sections(long(statements))
    (text,) = named.values()
    (pasted,) = fences(text)[:1]
    assert pasted == "\n".join(f"{statement};" for statement in statements[1:])
    assert "**A** from `UPDATE users SET c2 = 'a \\| b';` on" in text


def test_what_a_row_cannot_hold_is_pasted_from_a_fence():
    """A pipe would end the cell, and a second line the row."""
    body = (
        "DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN END\n//\nDELIMITER ;"
    )
    state = swept.State(
        LeftState("1 of 2", 1, "x"),
        (swept.Attempt("complete by hand", "completion", True, "", (body, "a | b", "c")),),
    )
    events = swept.migration("1", "1_a", ["SELECT 1", "SELECT 2"], lambda p: state)
    text = plan.render(swept.judged(swept.sweep(events)))
    assert fences(text) == [body, "a | b\nc"]


def killed(*, heals: bool = True, missed: bool = False, by_hand: bool = False) -> str:
    attempt = swept.by_hand("SELECT 2", healed=heals) if by_hand else swept.again(heals)
    inside = swept.State(LeftState("1 of 2", 1, "x"), (attempt,), stuck=True)

    def lands(point: Point) -> swept.State | str:
        if point.where is not Where.INSIDE:
            return swept.before("1")
        return "too quick" if missed and point.way is not Way.SESSION_KILL else inside

    sql = ["SELECT 1", "SELECT 2"]
    return plan.render(swept.judged(swept.sweep(swept.migration("1", "1_a", sql, lands))))


def test_whether_it_can_be_killed_while_it_hangs_is_one_sentence():
    """Safe, safe with work for hands, not, known in part, or not known."""
    assert "To kill it while it hangs is safe: stopped 6 times at work" in killed()
    assert "loses nothing, and leaves work for hands" in killed(by_hand=True)
    assert "Do not kill it while it hangs: client-sigkill in `SELECT 1`" in killed(heals=False)
    assert "known in part: stopped 2 times at work, and healed; 4 more" in killed(missed=True)
    never = swept.judged(swept.sweep(swept.never_struck()))
    assert "can be killed while it hangs is not known" in plan.render(never)

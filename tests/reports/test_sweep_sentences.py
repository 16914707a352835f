"""What a sweep asks of a person: one sentence each, and the others are counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import made_up_sweep as swept
import pytest

from harness.reporting.sweep import html, junit, markdown, plan, prose, sentences, terminal
from harness.reporting.sweep.prose import Code, Prose, Quoted
from harness.sweep.points import Point, Way, Where
from harness.sweep.results import SweepResult
from harness.sweep.rollback import Leads
from harness.sweep.verdicts import LeftState

PHONE = "new: column public.users.phone"
DATA = "data: public.users: 40 rows, other values"


def told(result: SweepResult) -> list[str]:
    needs = [f"{need.told.sign} {prose.as_text(need.prose)}" for need in sentences.needs(result)]
    return [*needs, *(f"✓ {prose.as_text(line)}" for line in sentences.quiet(result))]


def one(*args: object, **more: object) -> SweepResult:
    return swept.judged(swept.sweep(swept.migration(*args, **more)))


def half(
    lines: Sequence[dict], *attempts: swept.Attempt, where: str = "1 of 2", **more: object
) -> list[str]:
    """What is told of a migration that leaves that state; ``lines`` are those of its states."""
    done = int(where.partition(" ")[0])
    differs = more.pop("differs", ())
    state = swept.State(LeftState(where, done, "x", differs), attempts, stuck=True, **more)
    sql = ["ALTER TABLE users ADD phone text", "UPDATE users SET phone = '1'"]

    def lands(point: Point) -> swept.State:
        return state if point.where is Where.INSIDE else swept.before("1")

    states = [{"done": n, "key": str(n), "rows": 40, **line} for n, line in enumerate(lines)]
    return told(one("1", "1_phone", sql, lands, states=states))


BEFORE = {"differs": []}
FIRST = {"differs": [PHONE, DATA], "since": [PHONE, DATA], "empty": ["column public.users.phone"]}
SECOND = {"differs": [PHONE, DATA], "since": [DATA], "empty": []}
CURE = "run `migrate force 1`, then run it again"


@pytest.mark.parametrize(
    ("where", "more", "says"),
    [
        (
            "1 of 2",
            {},
            "after statement 1 of 2 (`ALTER TABLE users ADD phone text`), `users.phone` is there "
            f"and empty; {CURE}",
        ),
        (
            "2 of 2",
            {},
            "after statement 2 of 2 (`UPDATE users SET phone = '1'`), `users.phone` is there, "
            f"values in `users` are changed; {CURE}",
        ),
        (
            "0 of 2, and debris",
            {"differs": (PHONE,)},
            "while statement 1 of 2 runs (`ALTER TABLE users ADD phone text`), `users.phone` is "
            f"there, but unfinished; {CURE}",
        ),
    ],
)
def test_what_is_there_is_told_as_it_was_measured(where, more, says):
    """By object; that rows differ only where no column of theirs explains it."""
    states = [BEFORE, FIRST, SECOND]
    text, *_ = half(states, swept.again(False), swept.force("1"), where=where, **more)
    assert text == f"⚙ `1_phone` can stop half way: if it dies {says}"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["new: table public.a", "new: column public.a.id", "new: index public.a_pkey"],
         "table `a` is there"),
        (["gone: column public.a.b", "gone: column public.a.c"], "`a.b` and `a.c` are gone"),
        (["changed: column public.a.b: text (was: int)"], "`a.b` is changed"),
        (["data: public.a: 9 rows, now 4"], "`a` has 9 rows before, now 4"),
        (["new: constraint public.a.u", "new: index public.a.u"], "index `a.u` is there"),
        ([f"new: index public.i{n}" for n in range(5)],
         "index `i0`, index `i1`, index `i2` and 2 more are there"),
    ],
)  # fmt: skip
def test_an_object_is_named_once_and_a_table_stands_for_its_parts(lines, says):
    """Nobody needs to know that a new table has columns."""
    states = [BEFORE, {"differs": lines, "since": lines}, {"differs": [], "since": []}]
    text, *_ = half(states, swept.again(False), swept.force("1"))
    assert f"), {says}; {CURE}" in text


@pytest.mark.parametrize(
    ("attempts", "more", "sign", "says"),
    [
        ((swept.again(False),), {}, "✗", "`1_phone` can end broken"),
        ((swept.again(False, lost={"public.a": 3}), swept.force("1")), {}, "✗",
         "do not just run it again, which loses 3 rows of `a`: run `migrate force 1`"),
        ((swept.again(False),), {"gone": {"public.a": 9}}, "✗", "9 rows of `a` are gone"),
        ((swept.again(False, blocked=True),), {}, "⊘", "can shut its own tool out"),
        ((swept.again(False), swept.by_hand("SELECT 1")), {}, "✎",
         "by hand run `SELECT 1;`, then `make the tool take it for applied`"),
        ((swept.again(False), swept.by_hand(*"abcd")), {}, "✎",
         "by hand run `a;`, then `b;` and 3 more lines of plan.md"),
        ((swept.again(False), swept.back()), {}, "⚙", "take it down, then up: `make"),
    ],
)  # fmt: skip
def test_each_grade_has_its_own_sentence(attempts, more, sign, says):
    """With what healed it, or that nothing did."""
    text, *_ = half([BEFORE, FIRST, SECOND], *attempts, **more)
    assert text.startswith(f"{sign} ")
    assert says in text


@pytest.mark.parametrize("name", ["every_grade", "all_well", "cut_off"])
def test_every_migration_is_told_counted_or_named_as_unfinished(name):
    """Nothing is passed over in silence, and nothing is counted as well that asks for something."""
    result = swept.judged(getattr(swept, name)())
    asking = {need.migration.version for need in sentences.needs(result)}
    lines = [prose.as_text(line) for line in sentences.quiet(result)]
    counted = sum(int(re.match(r"\d+", line)[0]) for line in lines)
    unfinished = set(result.unfinished) - asking
    known = {migration.version for migration in result.migrations}
    assert len(asking) + counted + len(unfinished & known) == len(known)


@pytest.mark.parametrize("name", ["every_grade", "cut_off"])
def test_the_worst_comes_first_in_every_format(name):
    """What fails by itself before all else, and what is counted last."""
    result = swept.judged(getattr(swept, name)())
    wanted = told(result)
    text = terminal.text(result)
    assert text.split("\n")[: min(len(wanted), 12)] == [line[:440] for line in wanted[:12]]
    page = re.search(r'<ul class="needs">(.*?)</ul>', html.render(result), re.DOTALL)[1]
    assert page.count("<li") == len(wanted)
    listed = re.findall(r"^- ([✗✎⚙⊘?✓])", markdown.render(result).split("**")[0], re.MULTILINE)
    assert listed == [line[0] for line in wanted]


def test_migrations_stand_by_what_is_worst_of_them():
    """Fails by itself, on rows, behind others, doubles rows, ends broken, and so on to what is not
    known.
    """
    needs = sentences.needs(swept.judged(swept.every_grade()))
    order = list(dict.fromkeys(need.migration.version for need in needs))
    assert order == ["8", "6", "2", "12", "3", "10", "5", "4", "7"]


def test_what_the_tool_always_needs_is_no_need_of_a_migration():
    """Nothing is half done: it is counted in a line of its own."""
    assert told(swept.judged(swept.all_well())) == [
        "✓ 1 migration: nothing to do but what golang-migrate always needs: `migrate force …`, "
        "then run it again"
    ]


def test_nothing_is_counted_as_quiet_that_was_not_struck():
    """A fault that missed is an unknown of its own."""
    result = swept.judged(swept.sweep(swept.never_struck(), swept.harmless()))
    assert told(result) == [
        "? not known of `7_comment`: 12 crash points of it were not struck (too quick)",
        "✓ 1 migration: nothing to do but run it again",
    ]
    (begun,) = [swept.judged([swept.header("1"), *swept.begun("1", "1_a")])]
    assert told(begun) == []


@pytest.mark.parametrize("leads", [Leads.LOSES_DATA, Leads.FAILS])
def test_a_way_down_that_lies_has_its_own_sentence(leads):
    """With what is not as it was."""
    back = swept.way_down(leads, says="42P01: no such thing")
    text, *_ = told(swept.judged(swept.sweep(swept.harmless(back=back))))
    assert text.startswith("✗ the way down of `1_users` ")
    assert text.endswith("42P01: no such thing")


def test_words_of_others_are_no_markup_and_a_long_command_keeps_its_end():
    """In each of the three ways of writing a sentence."""
    line: Prose = ("a ", Code("b | c"), " d ", Quoted("<i>*e*</i>"))
    assert prose.as_text(line) == "a `b | c` d <i>*e*</i>"
    assert prose.as_markdown(line) == "a `b | c` d &#60;i&#62;\\*e\\*&#60;/i&#62;"
    assert prose.as_markdown(line, cell=True).startswith("a `b \\| c` d")
    assert prose.as_html(line) == "a <code>b | c</code> d &lt;i&gt;*e*&lt;/i&gt;"
    command = f"migrate -path {'/very' * 20} force 12"
    attempt = swept.Attempt("down, then up", "down-up", True, "", (command,))
    text, *_ = half([BEFORE, FIRST, SECOND], swept.again(False), attempt)
    assert re.search(r"`migrate -path /very.{0,40}….{0,30} force 12`", text)


# ------------------------------------------------------------------------------ left out


def late(*, worse: bool = False) -> SweepResult:
    """One migration was swept, there was no time for two."""
    first = swept.half_way() if worse else swept.harmless()
    wishes = {"path": "migrations", "engine": "postgres", "budget": "2m"}
    version = first[0]["migration"]
    return swept.judged([
        swept.header(version, "8", "9", sweep=wishes), *first,
        *({"kind": "left-out", "migration": n, "name": f"{n}_late"} for n in "89"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    "render", [html.render, markdown.render, plan.render, terminal.text], ids=lambda r: r.__module__
)
def test_what_there_was_no_time_for_is_told(render: Callable[[SweepResult], str]):
    """By name, and by what was allowed."""
    text = render(late()).replace("\\", "")
    assert "2 planned migrations left out by the budget of 2m" in text
    assert "Left out by the budget of 2m: 2 planned migrations; what crashes" in text
    assert "goes on with them (8_late, 9_late)." in text
    assert "Not swept to the end" not in text


def test_what_there_was_no_time_for_is_never_green():
    """Exit code 3, unless there is something worse; each is an error of its own."""
    assert (late().exit_code, late(worse=True).exit_code) == (3, 1)
    assert "left out, for the sweep may take 2m" in junit.render(late())
    assert '<header class="hero unsure">' in html.render(late())
    finding = {("8", "to its end"), ("9", "to its end")}
    had = dict.fromkeys(finding, "inconclusive")
    assert {(f.migration, f.point) for f in late().unknown} == finding
    again = swept.judged([swept.header("8"), *swept.begun("8", "8_a")], baseline=had)
    assert again.exit_code == 3


def test_what_was_taken_up_again_is_left_out_no_more():
    """The record of the first sweep says so still."""
    events = [{"kind": "left-out", "migration": "1", "name": "1_users"}, *swept.harmless()]
    result = swept.judged([swept.header("1"), *events])
    assert (result.left_out, result.exit_code) == ({}, 0)


def test_a_lost_answer_at_the_end_asks_for_nothing():
    """The migration is through, and the tool knows it."""

    def lands(point: Point) -> swept.State:
        return swept.after("1") if point.way is Way.REPLY_LOST else swept.before("1")

    result = one("1", "1_a", ["SELECT 1"], lands)
    assert told(result) == ["✓ 1 migration: nothing to do but run it again"]

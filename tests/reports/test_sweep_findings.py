"""What a sweep finds out besides its cells, or does not, is told by every format alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from xml.etree import ElementTree as Xml

import made_up_sweep as swept
import pytest

from harness.reporting.sweep import (
    evidence,
    grades,
    html,
    junit,
    markdown,
    plan,
    readiness,
    terminal,
)
from harness.sweep.results import SweepResult
from harness.sweep.rollback import IN_WORDS, LIES, Leads

RENDERERS: dict[str, Callable[[SweepResult], str]] = {
    "sweep.html": html.render,
    "sweep.md": markdown.render,
    "plan-evidence.md": evidence.render,
    "plan.md": plan.render,
    "readiness.md": readiness.render,
    "junit.xml": junit.render,
    "terminal": terminal.text,
}
each_format = pytest.mark.parametrize("name", RENDERERS)
WORD = {"?": "error", "✗": "failure", "✓": "system-out"}


def read(name: str, result: SweepResult) -> str:
    """What a person reads in that format: no tags, no escapes, no line breaks."""
    text = RENDERERS[name](result)
    if name == "sweep.html":
        text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
    if name == "junit.xml":
        found = [(e.get("name"), e.get("message"), e.text) for e in Xml.fromstring(text).iter()]
        text = " ".join(part for parts in found for part in parts if part)
    return re.sub(r"\s+", " ", unescape(text.replace("\\", "")))


def cases(result: SweepResult) -> dict[str, str]:
    """Of the first migration: the test cases that are no cells, each by how it came out."""
    root = Xml.fromstring(junit.render(result))
    told = [(case.get("name").split(" [")[0], case[0].tag) for case in root.iter("testcase")]
    return {
        name: tag for name, tag in told if not re.match(r"(down-)?(before|inside|answer)", name)
    }


def one(**more: object) -> SweepResult:
    """A sweep of one harmless migration, but for some of what its unbroken run told."""
    return swept.judged(swept.sweep(swept.harmless(**more)))


def hero(result: SweepResult) -> tuple[str, str]:
    """The tone and the word with which the page opens."""
    page = html.render(result)
    tone = re.search(r'<header class="hero (\w+)">', page)[1]
    return tone, re.search(r"<h1>(.*?)</h1>", page)[1]


# ------------------------------------------------------------------------ where a way down leads

DETAIL: dict[Leads, dict[str, object]] = {
    Leads.BACK: {"written": 10, "meanwhile": ["public.users: 5 of 5 rows are gone"]},
    Leads.BACK_IN_OTHER_ORDER: {"written": 10},
    Leads.IRREVERSIBLE: {"says": "the hashes cannot be undone"},
    Leads.LOSES_DATA: {"data": ["public.users: 3 of 40 rows differ"], "written": 10},
    Leads.OTHER_SCHEMA: {"schema": ["new: index public.left_over"]},
    Leads.REMOVES_MORE: {"schema": ["gone: table public.audit"]},
    Leads.LOSES_WRITES: {"undone": ["public.users: 5 of 5 rows differ"], "written": 10},
    Leads.PRETENDS: {"data": ["public.users: 3 of 40 rows differ"], "says": "it cannot be undone"},
    Leads.FAILS: {"says": "42704: index gone does not exist"},
}
each_way = pytest.mark.parametrize("leads", Leads)


def back(leads: Leads) -> SweepResult:
    return one(back=swept.way_down(leads, **DETAIL.get(leads, {})), down=leads is not Leads.NOWHERE)


@each_format
@each_way
def test_where_a_way_down_leads_is_told_by_every_format(name, leads):
    """With what is not as it was, why, and what is lost of what was written meanwhile."""
    text = read(name, back(leads))
    word, sentence = leads.replace("-", " "), IN_WORDS[leads]
    as_plan = {
        Leads.IRREVERSIBLE: "Declared irreversible: the hashes cannot be undone. Fix forward.",
        Leads.NOWHERE: "There is no way down. Fix forward.",
        Leads.UNKNOWN: "The way down was not executed from the migrated state.",
    }
    lead_back = ("1 of 1 migration restored as before", "1 but for the order of columns")
    wanted = [word, sentence, f"{sentence[0].upper()}{sentence[1:]}", as_plan.get(leads, word)]
    if name == "readiness.md" and leads in (Leads.BACK, Leads.BACK_IN_OTHER_ORDER):
        wanted = [lead_back[leads is Leads.BACK_IN_OTHER_ORDER]]
    assert any(words in text for words in wanted)
    for key, value in DETAIL.get(leads, {}).items():
        for line in value if isinstance(value, list) else [value] if key == "says" else []:
            assert line in text
    if leads is Leads.BACK and name != "junit.xml":
        assert "meanwhile" in text or "between up and down" in text
    others = [IN_WORDS[other] for other in LIES if other is not leads]
    assert not [words for words in others if words in text]


@each_way
def test_a_lie_is_a_failure_and_what_was_not_tried_an_error(leads):
    """What leads back, or is honestly not there, is neither."""
    result = back(leads)
    sign = grades.LEADS[leads].sign
    wanted = "failure" if leads in LIES else "error" if leads is Leads.UNKNOWN else "system-out"
    assert cases(result)["way back"] == wanted
    assert (sign == "✗") is (leads in LIES)
    assert (grades.LEADS[leads].tone == "good") is leads.startswith("restores-everything") or (
        leads is Leads.BACK_IN_OTHER_ORDER
    )
    assert result.exit_code == {"failure": 1, "error": 3, "system-out": 0}[wanted]


@pytest.mark.parametrize("leads", LIES)
def test_a_lie_is_red_where_the_page_opens(leads):
    """Though every cell heals by itself."""
    assert hero(back(leads)) == ("bad", "the way down does not lead back")
    text = read("sweep.html", back(leads))
    assert "1 way down that does not lead back" in text
    assert f"✗ {leads.replace('-', ' ')}" in text


def test_rows_that_were_written_meanwhile_are_told_though_nothing_is_lost():
    """That somebody looked is worth knowing."""
    for name in ("sweep.html", "plan.md"):
        text = read(name, back(Leads.BACK_IN_OTHER_ORDER))
        assert re.search(r"all of (the 10 rows|them).* are there afterwards", text)


# ------------------------------------------------------------------------ on rows


@each_format
def test_a_migration_that_fails_on_rows_is_told_with_the_rows(name):
    """And with what the server said."""
    result = one(
        fails_with_rows="23502: null values",
        failing_rows="fails on 1 of 200 rows of public.users: id 4",
    )
    text = read(name, result)
    if name != "readiness.md":
        assert "23502: null values" in text
        assert "fails on 1 of 200 rows of public.users: id 4" in text
        assert "so its crash points were struck on empty tables" in text
    assert re.search(
        r"(?i)failing on tables with rows|on tables with rows it fails|failing on rows", text
    )
    assert (result.exit_code, hero(result)) == (1, ("bad", "fails on rows"))
    assert cases(result)["on rows"] == "failure"


@each_format
@pytest.mark.parametrize(
    "referred, says, headline",
    [
        (
            {
                "without_rows": ["public.logs"],
                "filled": [{"table": "public.logs", "rows": 0, "why_not": "its check is odd"}],
            },
            "public.logs, which got no rows: its check is odd",
            "1 table worked on without a row in it",
        ),
        (
            {"idle": ["DELETE FROM users WHERE false"]},
            "met no row that it changes; bring some by --seed-sql: DELETE FROM users WHERE false",
            "1 statement that met no row to change",
        ),
    ],
    ids=["without rows", "idle"],
)
def test_what_met_no_row_is_told_as_not_known(name, referred, says, headline):
    """In the headline, at the migration, and as an error; never in green."""
    result = one(**referred)
    text = read(name, result)
    if name != "readiness.md":
        assert says in text
    if name != "junit.xml":
        assert headline in text
    assert "goes through on tables with rows" not in text
    assert result.exit_code == 3
    assert hero(result) == ("unsure", "unknown")
    point = f"rows of {referred['without_rows'][0]}" if "without_rows" in referred else None
    assert cases(result)[point or f"work of {referred['idle'][0]}"] == "error"
    assert "on rows" not in cases(result)


def test_the_overview_says_of_each_migration_whether_it_goes_through_on_rows():
    """Yes, no, or not known; of one that fails by itself nothing."""
    rows = re.findall(r"^\| (\w+) \|.*", markdown.render(one()).replace("\\", ""), re.MULTILINE)
    assert rows[-1] == "1_users"

    def told(**referred: object) -> str:
        table = markdown.render(one(**referred)).replace("\\", "")
        return re.search(r"^\| 1_users \| 1 \| no \| (.*?) \|", table, re.MULTILINE)[1]

    assert told() == "goes through"
    assert told(fails_with_rows="x") == "**fails**"
    assert told(without_rows=["a"]) == told(idle=["b"]) == "not known"


# ------------------------------------------------------------------------ as another tool

PLAIN = "swept as plain SQL: what dbmate itself would leave is not known"


@each_format
def test_what_was_swept_as_plain_sql_is_told_in_the_headline(name):
    """In every format, and the sweep is not known to be good."""
    begin, *events = swept.all_well()
    result = swept.judged([{**begin, "plain_for": "dbmate"}, *events])
    assert PLAIN in read(name, result)
    if name == "junit.xml":
        assert cases(result)["as its own tool"] == "error"
    else:
        assert read(name, result).index(PLAIN) < 1_200
    assert (result.exit_code, hero(result)[0]) == (3, "mild")


@each_format
def test_who_asked_for_plain_sql_is_told_so_once(name):
    """It is no surprise and no error; and still said."""
    begin, *events = swept.all_well()
    wishes = {**begin["sweep"], "tool": "plain"}
    result = swept.judged([{**begin, "plain_for": "dbmate", "sweep": wishes}, *events])
    text = read(name, result)
    assert text.count(PLAIN) == (0 if name == "junit.xml" else 1)
    assert text.count(f"As was asked for, {PLAIN}") == (0 if name == "junit.xml" else 1)
    assert (result.exit_code, "as its own tool" in cases(result)) == (0, False)


# ------------------------------------------------------------------------ not to its end


@each_format
@pytest.mark.parametrize(
    "more, says, word, code",
    [
        (
            {"crashed": "RuntimeError('of ours')", "crashed_with": 70},
            "ended by an error",
            "stopped before its end",
            70,
        ),
        ({"interrupted": 15}, "interrupted", "stopped before its end", 143),
        ({"planned": ["1", "2"]}, "not swept to the end", "not swept to its end", 3),
    ],
    ids=["crashed", "interrupted", "unfinished"],
)
def test_nothing_is_good_enough_above_a_sweep_that_did_not_end(name, more, says, word, code):
    """However good its cells are: every format says first that they are not all."""
    begin, *events = swept.all_well()
    result = swept.judged([{**begin, **more}, *events])
    text = read(name, result)
    assert "good enough" not in text
    if name == "junit.xml":
        assert Xml.fromstring(junit.render(result)).findall(".//error")
    else:
        assert re.search(says, text, re.IGNORECASE)
        assert text.index(says.split()[0]) < 1_200
    if "crashed" in more and name != "sweep.html":
        assert "RuntimeError('of ours')" in text
    assert result.exit_code == code
    assert hero(result) == ("unsure", word)


def test_harm_is_red_also_in_a_sweep_that_did_not_end():
    """What was found out is not less true."""
    for more in ({"crashed": "x"}, {"interrupted": 2}):
        begin, *events = swept.sweep(swept.half_way())
        assert hero(swept.judged([{**begin, **more}, *events])) == ("bad", "stopped before its end")


def test_the_sweep_as_a_whole_has_one_suite():
    """However many things are to be said of it."""
    begin, *events = swept.all_well()
    more = {"crashed": "x", "interrupted": 2, "plain_for": "dbmate"}
    root = Xml.fromstring(junit.render(swept.judged([{**begin, **more}, *events])))
    whole = [suite for suite in root if suite.get("name") == "the sweep"]
    assert [suite.get("errors") for suite in whole] == ["3"]
    assert not [suite for suite in root if suite.get("tests") == "0"]


# ------------------------------------------------------------------------ the way down, struck


def test_cells_of_the_way_down_are_a_second_matrix():
    """Under a heading of its own, and in every count."""
    result = swept.judged(swept.sweep(swept.harmless(down_lands=swept.gone_down("1"))))
    page = html.render(result)
    assert page.count('<table class="crash">') == 2
    second = page.split("<h4>The way down")[1]
    assert second.count('<table class="crash">') == 1
    assert "DROP TABLE 1_users" in second
    up, down = (
        len(cells) for cells in (result.migrations[0].cells, result.migrations[0].down_cells)
    )
    assert down > 0
    for name in ("sweep.html", "sweep.md", "plan.md", "terminal"):
        assert f"{up + down} crash points of 1 migration" in read(name, result)
    assert f"({up + down} crash points," in read("readiness.md", result)
    names = [c.get("name") for c in Xml.fromstring(junit.render(result)).iter("testcase")]
    assert sum(name.startswith("down-") for name in names) == down
    assert f"Made from {up + down} crash points" in evidence.render(result)


def test_a_way_down_that_cannot_be_healed_is_told_under_the_rollback():
    """Who goes back at night wants to know it there."""
    stuck = swept.State(
        swept.LeftState("1 of 2", 1, "half"), (swept.again(False, "42P01"),), stuck=True
    )
    result = swept.judged(swept.sweep(swept.harmless(down_lands=lambda point: stuck)))
    told = evidence.render(result).split("## Rollback")[1]
    assert "If the way down is killed:" in told
    assert "### If you find it 1 of 2, on the way down" in told
    assert "**Nothing that was tried heals it.**" in told
    assert result.exit_code == 1
    assert hero(result) == ("bad", "unhealed")
    assert "✗ the way down of `1_users` can end broken: if it dies" in terminal.text(result)

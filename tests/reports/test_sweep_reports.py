"""The reports of a sweep: sweep.html, sweep.md, plan.md, readiness.md, junit.xml, the terminal."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import made_up_sweep as swept
import pytest

from harness import registry
from harness.reporting.sweep import (
    evidence,
    grades,
    html,
    junit,
    markdown,
    plan,
    readiness,
    terminal,
    view,
)
from harness.reporting.sweep.view import StateTold
from harness.reporting.templating import code
from harness.sweep.points import Point, Way, Where
from harness.sweep.results import SweepResult
from harness.sweep.rollback import Leads
from harness.sweep.verdicts import HARM, LOUDNESS, Attempt, Grade, LeftState

GOLDEN = Path(__file__).parent / "golden" / "crashmatrix"
RENDERERS: dict[str, Callable[[SweepResult], str]] = {
    "sweep.html": html.render,
    "sweep.md": markdown.render,
    "plan-evidence.md": evidence.render,
    "plan.md": plan.render,
    "readiness.md": readiness.render,
    "junit.xml": junit.render,
    "terminal.txt": terminal.text,
}
MARKDOWN = ["sweep.md", "plan.md", "plan-evidence.md", "readiness.md"]
TEXTS = [*MARKDOWN, "junit.xml", "terminal.txt"]
ATTACKS = list(swept.NASTY)


def result_of(name: str, limit: Grade = Grade.LOSES_DATA) -> SweepResult:
    return swept.judged(getattr(swept, name)(), limit)


@pytest.fixture(params=["every_grade", "all_well", "cut_off", *ATTACKS])
def result(request: pytest.FixtureRequest) -> SweepResult:
    """Each kind of sweep a report must be able to tell."""
    return attacked(request.param) if request.param in ATTACKS else result_of(request.param)


@pytest.fixture(params=ATTACKS)
def hostile(request: pytest.FixtureRequest) -> SweepResult:
    """The sweep with every grade again, with each kind of text that attacks a report."""
    return attacked(request.param)


def attacked(attack: str) -> SweepResult:
    return swept.judged(swept.hostile(attack))


@pytest.fixture(params=RENDERERS)
def render(request: pytest.FixtureRequest) -> Callable[[SweepResult], str]:
    return RENDERERS[request.param]


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_is_the_one_that_was_agreed(name):
    """The golden file; UPDATE_GOLDEN=1 writes it anew, and the diff is then reviewed."""
    text = RENDERERS[name](result_of("every_grade"))
    golden = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


def test_the_made_up_sweep_has_every_grade_and_every_kind_of_state():
    """What the other tests stand on."""
    result = result_of("every_grade")
    found = {finding.grade for finding in result.findings}
    assert {*result.grades, *found} == set(Grade)
    assert list(result.grades) == [grade for grade in Grade if grade in result.grades]
    states = {re.sub(r"\d+ of \d+", "k of n", cell.left.name) for cell in result.every_cell}
    assert states == {"before", "after", "k of n", "k of n, and debris"}
    elsewhere = {Leads.LOSES_WRITES, Leads.PRETENDS}
    assert {m.rollback.leads for m in result.migrations} == set(Leads) - elsewhere
    assert any(cell.down for cell in result.every_cell)
    assert list(grades.GRADES) == list(Grade)
    assert list(grades.LEADS) == list(Leads)
    assert sorted(LOUDNESS) == sorted(Grade)


def test_the_catalog_finds_every_format():
    """A format is a module with ``KIND``; the terminal and what they share have none."""
    names = {kind.FILE_NAME for kind in registry.kinds("sweep-reports").values()}
    assert names == set(RENDERERS) - {"terminal.txt"}


# ---------------------------------------------------------------------------- hostile text

UNSHOWABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]"


def test_no_control_character_gets_through(render, result):
    """Neither escapes nor half surrogate pairs nor direction overrides, in any format."""
    text = render(result)
    assert re.findall(UNSHOWABLE, text) == []
    text.encode("utf-8")


class Page(HTMLParser):
    """Elements and the names of their attributes; complains of what is closed wrongly."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag, tuple(name for name, _ in attrs)] += 1
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links |= {given[name] for name in ("href", "src") if name in given}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()


def test_html_is_well_formed_and_every_link_leads_to_an_element_of_the_page(result):
    """Each cell leads to its state, also one on which nothing was tried."""
    page = Page(html.render(result))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert page.links <= {f"#{name}" for name in page.ids}


def test_hostile_text_adds_no_element_and_no_attribute(hostile):
    """The page has exactly the elements of the same sweep with harmless texts."""
    page = Page(html.render(hostile))
    assert page.elements == Page(html.render(result_of("every_grade"))).elements
    assert not [tag for tag, _ in page.elements if tag in ("script", "img", "form", "iframe")]


def outside_fences(text: str) -> list[str]:
    """The lines of a Markdown text that are not code."""
    lines, closing = [], ""
    for line in text.splitlines():
        fence = re.search(r"^(?:\d+\.)? *(`{3,})\w*$", line)
        if closing:
            closing = "" if line.strip() == closing else closing
        elif fence:
            closing = fence[1]
        else:
            lines.append(line)
    assert not closing, "a fence is never closed"
    return lines


def columns(line: str) -> int:
    """Cells of a table row, as GitHub splits it: at pipes that no backslash escapes."""
    return len(re.findall(r"\|", re.sub(r"\\.", "", line))) - 1


def outline(text: str) -> list[tuple[str, int]]:
    """The structure of a Markdown text: what each line is, and how many cells it has."""
    kinds = {
        "heading": r"#+ ", "rule": r"---$", "row": r"\|", "item": r"(-|\d+\.) ", "empty": r"$",
    }  # fmt: skip
    found = []
    for line in outside_fences(text):
        kind = next((name for name, begin in kinds.items() if re.match(begin, line)), "text")
        found.append((kind, columns(line) if kind == "row" else 0))
    return found


@pytest.mark.parametrize("name", MARKDOWN)
def test_hostile_text_does_not_change_what_a_line_of_markdown_is(name, hostile):
    """Headings, lists and table columns are those of the same sweep with harmless texts.

    In the plan a cure that its row cannot hold moves into a fence below, under more headings.
    """
    told = [RENDERERS[name](one) for one in (hostile, result_of("every_grade"))]
    if name == "plan.md":
        told = [text.replace("## Oh Shit Plan", "").replace("## Rollback", "") for text in told]
        told = [text.replace("## Execution Plan", "") for text in told]
        found, wanted = ([k for k in outline(text) if k[0] == "heading"] for text in told)
    else:
        found, wanted = map(outline, told)
    assert found == wanted


@pytest.mark.parametrize("name", MARKDOWN)
def test_every_row_of_a_table_has_the_columns_of_its_head(name, result):
    """Pipes, newlines and backslashes in a name do not move what stands beside it."""
    width = 0
    for line in outside_fences(RENDERERS[name](result)):
        width = (width or columns(line)) if line.startswith("|") else 0
        assert not width or columns(line) == width, line


@pytest.mark.parametrize("name", MARKDOWN)
def test_markdown_has_no_markup_from_the_record(name, hostile):
    """No element, no link and no box outside of code."""
    for line in outside_fences(RENDERERS[name](hostile)):
        bare = re.sub(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line)
        assert not re.search(r"<\w|(?<!\\)\]\(|^- \[x\] box|(?<!\\)\*\*bold", bare), line


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a | b", r"`a \| b`"),
        ("a `b`", "`` a `b` ``"),
        (r"a\|b", r"a\\\|b"),
        ("\x1b[31mred\x00", "`red`"),
    ],
)
def test_code_in_a_table_cell_is_one_cell(text, shown):
    """Where code cannot hold it, it is text."""
    assert code(text) == shown
    assert columns(f"| {code(text)} | other |") == 2


def test_code_outside_of_a_table_is_copied_as_it_is():
    """A backslash before a pipe would be shown, and pasted into a shell."""
    assert code("a || b", cell=False) == "`a || b`"


def test_junit_parses_and_has_the_cases_of_the_harmless_sweep(hostile):
    """Whatever the text says; and no attribute is longer than a test tab can show."""
    root = Xml.fromstring(junit.render(hostile))
    harmless = Xml.fromstring(junit.render(result_of("every_grade")))
    assert [element.tag for element in root.iter()] == [e.tag for e in harmless.iter()]
    texts = [text for e in root.iter() for text in (*e.attrib.values(), e.text or "")]
    assert max(map(len, texts)) <= 400


def test_the_terminal_gets_as_many_lines_as_for_harmless_text(hostile):
    """No newline of a name breaks the table, and no line runs over several screens."""
    lines = terminal.text(hostile).splitlines()
    assert len(lines) == len(terminal.text(result_of("every_grade")).splitlines())
    assert max(map(len, lines)) <= 450


# ------------------------------------------------------------------------------- the cells

Shown = tuple[str, int, str, str, str]
"""Migration and direction, message, where, way, and the text of the cell."""


def headline_of(page: str) -> str:
    return re.search(r'class="headline">(.*?)</p>', page)[1]


def sections(page: str) -> Iterator[tuple[int, str]]:
    """The place of each migration in the result, and its part of the page."""
    for part in page.split('<details class="mig" id="m-')[1:]:
        yield int(part.split('"')[0]), part


def cells_in(page: str, result: SweepResult) -> list[Shown]:
    """What the tables of the page show, read as a person does: by row and by column."""
    found = []
    for at, part in sections(page):
        version = result.migrations[at].version
        tables = re.findall(r'<table class="crash">.*?</table>', part, re.DOTALL)
        for way, table in zip(("up", "down"), tables, strict=False):
            found += [(f"{version} {way}", *cell) for cell in cells_of_table(table)]
    return sorted(found)


def cells_of_table(table: str) -> Iterator[tuple[int, str, str, str]]:
    root, n = Xml.fromstring(table), 0
    ways = [th.text.replace(" ", "-") for th in root.findall("thead/tr/th[@scope]")]
    for row in root.findall("tbody/tr"):
        label = row.find("th/code")
        n = int(label.text.split(".")[0]) if label is not None else n
        where, *told = ("".join(td.itertext()) for td in row.findall("td"))
        yield from ((n, where, w, t) for w, t in zip(ways, told, strict=True) if t)


def cells_of(result: SweepResult) -> list[Shown]:
    found = []
    for migration in result.migrations:
        for cell in migration.every_cell:
            sign = grades.GRADES[cell.grade].sign
            told = "? not struck" if cell.missed else f"{sign} {cell.left.name}"
            where = {"answered": "answer lost"}.get(cell.where, cell.where)
            which = f"{migration.version} {'down' if cell.down else 'up'}"
            found.append((which, cell.n, where, cell.way, told))
    return sorted(found)


@pytest.mark.parametrize("name", ["every_grade", "all_well", "cut_off"])
def test_each_cell_is_in_the_matrix_exactly_once(name):
    """In the row of its message and the column of its way of dying, with its sign and state."""
    result = result_of(name)
    assert cells_in(html.render(result), result) == cells_of(result)


def test_the_rows_stand_in_the_order_of_the_run():
    """Many are struck at once, so the journal has them in any order."""
    start, *events = swept.sweep(swept.half_way())
    page = html.render(swept.judged([start, *reversed(events)]))
    assert re.findall(r"<small>(before|inside|answer lost)</small>", page) == [
        "before", "answer lost", *(3 * ["before", "inside", "answer lost"]), "before", "answer lost"
    ]  # fmt: skip


def test_the_rows_of_one_side_only_still_say_which_message_they_are():
    """Struck by query cancels only, a migration has no row before a message."""
    only = [Way.QUERY_CANCEL]
    events = swept.migration("1", "1_phone", swept.PHONE, lambda p: swept.before("1"), only)
    result = swept.judged(swept.sweep(events))
    shown = cells_in(html.render(result), result)
    assert [(n, where) for _, n, where, *_ in shown] == [
        (2, "inside"),
        (3, "inside"),
        (4, "inside"),
    ]


def test_the_summaries_count_what_the_cells_are(result):
    """The same numbers on the page, in Markdown and on the terminal."""
    counts = Counter(c.grade for m in result.migrations for c in (*m.cells, *m.down_cells))
    wanted = {grades.GRADES[grade].word: count for grade, count in counts.items()}
    page = re.search(r'<ul class="counts">(.*?)</ul>', html.render(result))[1]
    assert {w: int(n) for n, w in re.findall(r"\S (\d+)</span> (.*?)</li>", page)} == wanted
    table = re.findall(r"^\| (\d+) \| \S (\w.*?) \|", markdown.render(result), re.MULTILINE)
    assert {word: int(n) for n, word in table} == wanted
    lines = re.findall(r"^ *(\d+)  (\S.*?)  ", terminal.text(result), re.MULTILINE)
    assert {word: int(n) for n, word in lines} == wanted
    assert sum(counts.values()) == len(result.every_cell)
    assert headline_of(html.render(result)).startswith(f"{sum(counts.values())} crash points of ")


def test_the_plan_counts_only_what_was_really_struck():
    """A fault that missed proves nothing."""
    result = result_of("every_grade")
    struck = sum(not cell.missed for cell in result.every_cell)
    assert 0 < struck < len(result.every_cell)
    for render in (plan.render, evidence.render):
        assert f"Made from {struck} crash points that were really struck, with" in render(result)


# ------------------------------------------------------------------------------- the verdict


def failures(result: SweepResult) -> set[tuple[str, str]]:
    root = Xml.fromstring(junit.render(result))
    cases = [case for case in root.iter("testcase") if case.find("failure") is not None]
    return {(case.get("classname"), case.get("name").split(" [")[0]) for case in cases}


@pytest.mark.parametrize("limit", HARM)
def test_junit_fails_exactly_the_cells_that_count_against_the_threshold(limit):
    """For every threshold; the attributes that testers' tabs believe agree."""
    result = result_of("every_grade", limit)
    names = {m.version: m.name for m in result.migrations}
    against = {(names[item.migration], item.point) for item in result.against}
    assert against
    assert failures(result) == against
    for suite in Xml.fromstring(junit.render(result)):
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(suite.get(attribute)) == len(list(suite.iter(tag)))


def test_junit_fails_only_what_got_worse_than_the_baseline():
    """What was as bad before is told, and is no failure."""
    old = result_of("every_grade")
    had = {(m.version, c.point): c.grade for m in old.migrations for c in m.every_cell}
    had |= {(finding.migration, finding.point): finding.grade for finding in old.findings}
    worse = next(key for key, grade in had.items() if grade == "loses-data")
    had[worse] = Grade.DONE
    result = swept.judged(swept.every_grade(), Grade.LOSES_DATA, had)
    assert failures(result) == {("2_phone", worse[1])}


def test_junit_makes_an_error_of_what_nothing_was_learned_of():
    """Not struck, or struck and nothing tried; a migration that fails, or was cut off, too."""
    for name in ("every_grade", "cut_off"):
        result = result_of(name)
        unknown = result.grades.get(Grade.INCONCLUSIVE, 0)
        unknown += sum(finding.grade is Grade.INCONCLUSIVE for finding in result.findings)
        others = len(result.broken)
        assert others + len(result.unfinished) > 0
        root = Xml.fromstring(junit.render(result))
        assert len(list(root.iter("error"))) == unknown + others


def test_a_fault_that_missed_hides_nothing_that_is_worse():
    """The migration with a missed cell is told by what it does to people."""
    result = result_of("every_grade")
    index = next(m for m in result.migrations if m.name == "3_email_index")
    assert Grade.INCONCLUSIVE in {cell.grade for cell in index.cells}
    assert re.search(r"\| 3\\_email\\_index .*✗ unhealed \|", markdown.render(result))
    assert "✗ `3_email_index` can end broken: if it dies while its statement runs" in terminal.text(
        result
    )


@pytest.mark.parametrize(
    "events, headline, tone",
    [
        (swept.all_well(), "every one is healed by the tool itself", "mild"),
        (swept.sweep(swept.never_struck()), "nothing was learned", "unsure"),
        ([swept.header("1")], "nothing was learned", "unsure"),
        (swept.every_grade(), "28 that no tried recovery heals or that lose data", "bad"),
        (swept.every_grade()[:1] + swept.every_grade()[-1:], "1 migration failing with", "bad"),
        (swept.sweep(swept.half_way()[:-6]), "6 that no tried recovery", "bad"),
    ],
    ids=["all well", "never struck", "empty", "every grade", "only broken", "half way"],
)
def test_the_page_opens_with_what_the_cells_are(events, headline, tone):
    """Nothing is called good of which nothing was learned, or that fails by itself."""
    result = swept.judged(events)
    page = html.render(result)
    assert headline in headline_of(page)
    assert re.findall(r'<header class="hero (\w+)">', page) == [tone]
    for render in (markdown.render, terminal.text):
        assert headline in render(result)


def test_what_was_never_struck_is_not_called_atomic():
    """No crash of it was seen."""
    result = swept.judged(swept.sweep(swept.never_struck()))
    assert "0 of them atomic" in html.render(result)
    assert "| 7\\_comment | 1 | unknown | goes through | ? unknown |" in markdown.render(result)
    assert "not known of `7_comment`: 12 crash points of it were not struck" in terminal.text(
        result
    )
    for render in (plan.render, evidence.render):
        assert "ot known: no crash was struck" in render(result)


def test_a_migration_that_fails_by_itself_is_told_with_what_it_said(render):
    """By every format but the checklist, which counts evidence."""
    result = result_of("every_grade")
    if render is readiness.render:
        return
    text = render(result)
    assert "fail" in text
    assert "42601: syntax error" in text


def test_a_sweep_that_was_cut_off_says_what_is_missing(render):
    """A sweep that was stopped does not look like a short one that passed."""
    text = render(result_of("cut_off"))
    if render is junit.render:
        cases = Xml.fromstring(text).findall(".//testcase[@name='to its end [PostgreSQL]']")
        assert [case.get("classname") for case in cases] == ["2_phone", "3"]
        assert all(case.find("error") is not None for case in cases)
    else:
        assert "Not swept to the end: 2 planned migrations (2, 3)." in text
    assert "Not swept" not in render(result_of("all_well"))


def test_what_a_dump_had_applied_before_is_not_missing():
    """A sweep that begins after it came to its end."""
    wishes = {"path": "migrations", "engine": "postgres", "seed_dump": "dump.sql"}
    events = swept.harmless("2", "2_users")
    assert swept.judged([swept.header("1", "2", sweep=wishes), *events]).unfinished == []
    assert swept.judged([swept.header("1", "2"), *events]).unfinished == ["1"]


# ------------------------------------------------------------------------------- the plan


def parts(text: str, mark: str) -> dict[str, list[str]]:
    """What stands under each heading of the rank; several parts may have one heading."""
    found: dict[str, list[str]] = {}
    for part in re.split(rf"^{mark} ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        found.setdefault(heading.replace("\\", ""), []).append(body)
    return found


def commands_in(text: str) -> list[str]:
    """What stands in the fences, as a reader copies it."""
    found = []
    fence = re.compile(r"^\d+\. (`{3,})\n(.*?)\n +\1$", re.MULTILINE | re.DOTALL)
    for _, body in fence.findall(text):
        found.append("\n".join(line.removeprefix("   ") for line in body.splitlines()))
    return found


def states_of(result: SweepResult) -> Iterator[tuple[str, list[StateTold]]]:
    """Each migration's part of the plan by its name, with the states in the plan's order."""
    for migration in result.migrations:
        if migration.cells:
            both = [state for way in view.directions(migration) for state in way.states]
            yield migration.name, both


def plan_of(result: SweepResult) -> Iterator[tuple[str, StateTold]]:
    """Each state with the plan's text about it, those of the way down under the rollback."""
    by_name = parts(evidence.render(result), "# Migration:")
    for name, states in states_of(result):
        own = by_name[name][0]
        told = [body for bodies in parts(own, "### If you find it").values() for body in bodies]
        assert len(told) == len(states)
        ordered = [part.split("\n## ")[0] for part in re.split("^### ", own, flags=re.M)[1:]]
        yield from zip(ordered, states, strict=True)


@pytest.mark.parametrize("name", ["every_grade", "all_well", "cut_off"])
def test_the_plan_has_no_command_that_was_not_executed(name):
    """Each state has the commands of its first recovery that worked, character by character."""
    result = result_of(name)
    for text, state in plan_of(result):
        wanted = next((a for a in state.healing.attempts if a.healed), Attempt())
        assert commands_in(text) == list(wanted.commands)
    every = {
        command
        for m in result.migrations
        for healing in (*m.healings, *m.down_healings)
        for attempt in healing.attempts
        for command in attempt.commands
    }
    assert set(commands_in(evidence.render(result))) <= every


def test_the_plan_quotes_no_query_and_no_statement_that_was_not_executed():
    """What is code in the plan is a command, a query, or a statement of the migration."""
    result = result_of("every_grade")
    quoted = set(re.findall(r"`([^`\n]+)`", "\n".join(outside_fences(evidence.render(result)))))
    healings = [h for m in result.migrations for h in (*m.healings, *m.down_healings)]
    probes = {probe.sql for healing in healings for probe in healing.probes}
    labels = {row.label for m in result.migrations for row in m.reference.rows}
    assert quoted <= probes | labels | {"$DATABASE_URL"}


def test_a_completion_has_what_tells_the_tool():
    """The statements alone leave a tool that does not know of them."""
    text = next(t for t, state in plan_of(result_of("every_grade")) if "1 of 3" in t[:30])
    assert commands_in(text)[-1] == swept.MARK


def test_the_rollback_is_told_from_what_was_executed_from_the_migrated_state():
    """Not from a down that was tried on the state of a crash."""
    dirty = swept.State(LeftState("after", 1, "di1"), (swept.back(False, "dirty"),), stuck=True)
    clean = swept.after("1")
    for one, other in ((dirty, clean), (clean, dirty)):
        events = swept.migration(
            "1", "1_users", ["SELECT 1"], lambda p, one=one, other=other: one if p.n == 2 else other
        )
        text = evidence.render(swept.judged(swept.sweep(events)))
        told = parts(parts(text, "# Migration:")["1_users"][0], "##")["Rollback"][0]
        assert "executed from the migrated state" in told
        assert "**the way down restores everything.**" in told
        assert "dirty" not in told


def test_what_the_tool_says_is_not_invented_where_it_keeps_no_record():
    """A shell script that pipes SQL has no table to ask."""
    state = swept.State(LeftState("after", 1, "x"), (swept.again(),), keeps_record=False)
    events = swept.migration("1", "1_users", ["SELECT 1"], lambda p: state)
    result = swept.judged(swept.sweep(events))
    for render in (html.render, evidence.render):
        assert "the tool says" in render(result)
        assert "nothing, for it keeps no record" in render(result)
        assert "not applied" not in render(result)


# ------------------------------------------------------------------------- what nothing heals


def test_every_state_that_nothing_healed_says_so_in_the_plan():
    """And a state on which nothing was tried says that; none says both or is left out."""
    seen = Counter()
    for name in ("every_grade", "cut_off"):
        for text, state in plan_of(result_of(name)):
            attempts = state.healing.attempts
            tried, healed = bool(attempts), any(attempt.healed for attempt in attempts)
            assert ("**Nothing that was tried heals it.**" in text) is (tried and not healed)
            assert ("**Nothing was tried on it**" in text) is not tried
            assert ("Verified: the database then equals" in text) is healed
            assert ("of an unbroken way down" in text) is (healed and state.healing.down)
            seen[tried, healed] += 1
    assert set(seen) == {(True, True), (True, False), (False, False)}


@pytest.mark.parametrize("name", ["every_grade", "cut_off"])
def test_every_state_that_nothing_healed_says_so_on_the_page(name):
    """In its own section, and at each cell that leads there."""
    result = result_of(name)
    for at, part in sections(html.render(result)):
        ways = view.directions(result.migrations[at])
        states = [(d, n, s) for d, way in enumerate(ways) for n, s in enumerate(way.states)]
        told = part.split('<div class="state"')[1:]
        for text, (d, n, state) in zip(told, states, strict=True):
            attempts = state.healing.attempts
            unhealed = attempts and not any(attempt.healed for attempt in attempts)
            assert ("Nothing that was tried heals it." in text) is bool(unhealed)
            assert ("Nothing was tried on it" in text) is (not attempts)
            titles = re.findall(rf'href="#s-{at}-{d}-{n}" title="(.*?)"', part)
            assert len(titles) == len(state.cells)
            assert all(("nothing that was tried" in t) is bool(unhealed) for t in titles)


@pytest.mark.parametrize("name", ["every_grade", "cut_off"])
def test_every_state_that_nothing_healed_says_so_in_markdown(name):
    """In the row of the state."""
    result = result_of(name)
    unhealed = [s for _, states in states_of(result) for s in states if s.heals is None]
    rows = [line for line in markdown.render(result).splitlines() if "nothing" in line]
    told = Counter("nothing that was tried" in row for row in rows if row.count("|") == 5)
    assert told == Counter(bool(state.healing.attempts) for state in unhealed)
    assert unhealed


# ------------------------------------------------------------------------------- readiness


def ticks(events: list[swept.Event]) -> dict[str, str]:
    """Each question by its last words, with what stands in its box."""
    text = readiness.render(swept.judged(events))
    return {q: box for box, q in re.findall(r"^- \[(.)\] \*\*(.*?)\*\*", text, re.MULTILINE)}


BACKUP = "Do I have a recent backup?"
TESTED = "Have I tested rollback locally?"
POSSIBLE = "Is rollback actually possible? Or is this irreversible?"
PLAN = 'What\'s my "oh shit" plan?'
FORWARD = "Can I fix forward if rollback isn't possible?"
FLAGS = "Do I have feature flags to disable new behavior?"
PRACTICED = "Have I practiced this failure scenario?"
ON_CALL = "Is someone on-call who can help if things break?"
KNOWN = "Do I know how to check if the migration partially applied?"
KILLED = "Can I kill the migration safely if it hangs?"
ON_ROWS = "Does it go through on tables with rows?"


def test_a_sweep_in_which_all_is_well_ticks_all_that_a_sweep_can_know():
    """What it cannot know is neither ticked nor empty."""
    unknown = dict.fromkeys((BACKUP, FLAGS, ON_CALL), "-")
    known = (TESTED, POSSIBLE, PLAN, FORWARD, PRACTICED, KNOWN, KILLED, ON_ROWS)
    assert ticks(swept.all_well()) == unknown | dict.fromkeys(known, "x")


def altered(change: Callable[[swept.Event], swept.Event | None]) -> list[swept.Event]:
    return [event for event in map(change, swept.all_well()) if event is not None]


def is_healing(event: swept.Event, name: str, *, down: bool = False) -> bool:
    """Whether it tells what was tried on that state of that way."""
    return event["kind"] == "healing" and event["left"]["name"] == name and event["down"] is down


def leads_to(leads: Leads, **more: str) -> Callable[[swept.Event], swept.Event | None]:
    """The way down leads elsewhere; where it does not go through, it was not struck."""

    def change(event: swept.Event) -> swept.Event | None:
        if event["kind"] == "way-back":
            return {**event, "rollback": swept.way_down(leads, **more)}
        return None if event.get("down") is True and "state" in event else event

    change.__name__ = leads
    return change


def no_way_back(event: swept.Event) -> swept.Event | None:
    """No file for the way down, and none was executed."""
    if event["kind"] == "healing":
        kept = [a for a in event["attempts"] if a["kind"] != "down-up"]
        event = {**event, "attempts": kept}
    if event["kind"] == "reference":
        return {**event, "down": False}
    return leads_to(Leads.NOWHERE)(event)


def only_a_tool_goes_back(event: swept.Event) -> swept.Event:
    """No file for the way down is known, and yet the tool went down."""
    return {**event, "down": False} if event["kind"] == "reference" else event


def before_unhealed(event: swept.Event) -> swept.Event:
    """Nothing heals the state before."""
    if not is_healing(event, "before"):
        return event
    kept = [{**a, "healed": False} for a in event["attempts"]]
    return {**event, "attempts": kept, "grade": "unhealed"}


def before_loses_rows(event: swept.Event) -> swept.Event:
    """A plain re-run of the state before loses rows, and something else heals it."""
    if not is_healing(event, "before"):
        return event
    rerun, *others = event["attempts"]
    worse = [{**rerun, "healed": False, "lost": {"public.users": 1}}]
    kept = [*worse, *({**a, "healed": True} for a in others)]
    return {**event, "attempts": kept, "grade": "loses-data"}


def only_back_heals(event: swept.Event) -> swept.Event:
    """The state after is healed by going down only."""
    if not is_healing(event, "after"):
        return event
    return {**event, "attempts": [a for a in event["attempts"] if a["kind"] == "down-up"]}


def no_query(event: swept.Event) -> swept.Event:
    """One state has no query that tells it."""
    return {**event, "probes": []} if is_healing(event, "before") else event


def never_inside(event: swept.Event) -> swept.Event:
    """No statement was stopped while it was at work."""
    found = event["kind"] == "cell" and event["where"] == "inside"
    return {**event, "missed": "it was over at once"} if found else event


def nothing_tried(event: swept.Event) -> swept.Event | None:
    """The sweep was cut off before the state before was healed."""
    return None if is_healing(event, "before") else event


def nothing_struck(event: swept.Event) -> swept.Event | None:
    """Every fault missed."""
    if event["kind"] == "healing":
        return None
    return {**event, "missed": "too quick"} if event["kind"] == "cell" else event


def half_down_unhealed(event: swept.Event) -> swept.Event:
    """Nothing heals a way down that was killed."""
    if not is_healing(event, "before", down=True):
        return event
    kept = [{**a, "healed": False} for a in event["attempts"]]
    return {**event, "attempts": kept, "grade": "unhealed"}


def of_reference(name: str, value: object) -> Callable[[swept.Event], swept.Event]:
    """The unbroken run tells something else."""

    def change(event: swept.Event) -> swept.Event:
        return {**event, name: value} if event["kind"] == "reference" else event

    change.__name__ = name
    return change


@pytest.mark.parametrize(
    "change, emptied",
    [
        (no_way_back, {TESTED, POSSIBLE}),
        (leads_to(Leads.BACK), set()),
        (leads_to(Leads.BACK_IN_OTHER_ORDER), set()),
        (leads_to(Leads.IRREVERSIBLE, says="no"), {TESTED, POSSIBLE}),
        (leads_to(Leads.UNKNOWN), {TESTED, POSSIBLE}),
        (leads_to(Leads.LOSES_DATA), {POSSIBLE}),
        (leads_to(Leads.OTHER_SCHEMA), {POSSIBLE}),
        (leads_to(Leads.REMOVES_MORE), {POSSIBLE}),
        (leads_to(Leads.FAILS, says="no"), {POSSIBLE}),
        (only_a_tool_goes_back, set()),
        (before_unhealed, {PLAN, FORWARD, KILLED}),
        (before_loses_rows, {KILLED}),
        (only_back_heals, {FORWARD}),
        (no_query, {KNOWN}),
        (never_inside, {KILLED}),
        (nothing_tried, {PLAN, FORWARD, KNOWN, KILLED}),
        (nothing_struck, {PLAN, FORWARD, PRACTICED, KNOWN, KILLED}),
        (half_down_unhealed, {PLAN}),
        (of_reference("fails_with_rows", "23502"), {ON_ROWS}),
        (of_reference("without_rows", ["public.a"]), {ON_ROWS}),
        (of_reference("idle", ["DELETE FROM a"]), {ON_ROWS}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_box_is_ticked_by_evidence_only(change, emptied):
    """Where the evidence goes, the tick goes; no other box moves."""
    well, now = ticks(swept.all_well()), ticks(altered(change))
    assert {question for question in well if well[question] != now[question]} == emptied
    assert {now[question] for question in emptied} <= {" "}


@pytest.mark.parametrize("missing", ["never begun", "cut off", "fails by itself"])
def test_what_is_asked_of_every_migration_is_not_ticked_by_some(missing):
    """One that was never begun, was cut off or fails by itself may be the one that cannot."""
    begin, *events = swept.all_well()
    more = {
        "never begun": [],
        "cut off": swept.begun("2", "2_more"),
        "fails by itself": [{"kind": "broken", "migration": "2", "says": "no"}],
    }
    now = ticks([{**begin, "planned": ["1", "2"]}, *events, *more[missing]])
    assert {question for question, box in now.items() if box == "x"} == {PRACTICED}


def test_an_empty_sweep_ticks_nothing():
    """No evidence, no tick."""
    assert set(ticks([swept.header("1")]).values()) == {" ", "-"}


# ------------------------------------------------------------------------------ run it again


@pytest.mark.parametrize(
    "wishes, words",
    [
        ({}, []),
        ({"tool": "goose", "layout": "goose"}, ["--tool", "goose", "--layout", "goose"]),
        ({"seed_sql": "my rows.sql"}, ["--seed-sql", "my rows.sql"]),
        ({"image": ["postgres=postgres:16"]}, ["--image", "postgres=postgres:16"]),
        ({"tool": None, "program": "/opt/a b/goose"}, ["--program", "/opt/a b/goose"]),
    ],
)
def test_the_line_to_run_again_says_what_the_sweep_was_asked_for(wishes, words):
    """With words that a shell takes apart as they were; a name is no option of the shell's."""
    version = "1; rm -rf $HOME"
    sweep = {"path": "my migrations", "engine": "postgres", **wishes}
    events = [swept.header(version, sweep=sweep), *swept.harmless(version)]
    result = swept.judged(events)
    line = view.again(result, result.migrations[0], "session-kill")
    begin = ["mdrill", "sweep", "my migrations", "--engine", "postgres"]
    end = ["--only", version, "--ways", "session-kill"]
    assert shlex.split(line) == [*begin, *words, *end]


def test_a_step_that_nobody_can_paste_is_told_in_words():
    """An adapter may lack a command: no empty box stands for it."""
    state = swept.State(
        LeftState("before", 0, "x"), (Attempt("run it again", "re-run", True, "", ("",)),)
    )
    result = swept.judged(swept.sweep(swept.migration("1", "1_a", ["SELECT 1"], lambda p: state)))
    text = evidence.render(result)
    assert "1. run it again: the tool's adapter has no command to paste for this" in text
    assert "1. ```" not in text
    assert "<pre>" not in html.render(result)


def dirty(version: str) -> list[dict]:
    """All or nothing; its tool has to be told, as after a crash of any of its migrations."""

    def lands(point: Point) -> object:
        if point.where is Where.ANSWERED and point.n == 3:
            return swept.after(version)
        return swept.before(version, stuck=True, attempts=(swept.force(version),))

    return swept.migration(version, f"{version}_more", ["ALTER TABLE users"], lands)


def test_what_the_tool_always_needs_is_told_once():
    """And buries nothing that is one migration's own; its numbers are left out."""
    told = swept.sweep(*(dirty(str(n)) for n in range(2, 10)))
    text = terminal.text(swept.judged(told))
    told = "8 migrations: nothing to do but what golang-migrate always needs: `migrate force …`"
    assert text.startswith(f"✓ {told}, then run it again\n")
    assert text.count("tool repair") == 1


def test_what_was_not_struck_is_told_with_its_rule():
    """How many cells follow, by which rules, and what the audits have found."""
    begin, *events = swept.sweep(swept.harmless())
    cells = [event for event in events if event["kind"] == "cell"]
    for event in cells[2:6]:
        event |= {"rule": "own-messages", "like": cells[0]["point"], "witnesses": []}
    audit = {"kind": "audit", "migration": "1", "rule": "own-messages", "held": True}
    events.append(audit | {"point": cells[1]["point"], "like": cells[0]["point"]})
    result = swept.judged([begin, *events])
    assert (result.by_rule, result.audited, result.revoked) == ({"own-messages": 4}, 1, ())
    assert result.exit_code == 0
    says = f"{len(cells) - 4} struck, 4 leave what one of those left (4 by own-messages); 1 of"
    for text in (terminal.text(result), markdown.render(result), html.render(result)):
        assert says in text
    assert "not struck: by rule own-messages as" in html.render(result)
    broken = swept.judged([begin, *events, {**audit, "point": "x", "held": False}])
    assert (broken.revoked, broken.exit_code) == (("own-messages",), 3)
    assert len(broken.unknown) == 4
    assert "not so: own-messages" in terminal.text(broken)

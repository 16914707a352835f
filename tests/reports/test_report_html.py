"""report.html: one page, no network, no script, and the verdict first."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import made_up
import pytest

from harness.drill import results
from harness.record.timeline import Event
from harness.reporting.run import html


class Page(HTMLParser):
    """What a parser sees: elements with their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.depth: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def page_of(made: made_up.MadeUpRun) -> Page:
    return Page(html.render(made.run, made.events))


def test_nothing_is_loaded_and_nothing_runs(made):
    """No script, no handler, no address but the page's own anchors, whatever the text says."""
    page = page_of(made)
    assert page.all("script") == page.all("img") == page.all("iframe") == page.all("form") == []
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        for name in ("href", "src", "xlink:href"):
            assert (attrs.get(name) or "#").startswith(("#", "data:image/svg+xml,")), attrs
    assert "url(http" not in page.text
    assert "@import" not in page.text


def test_the_page_forbids_everything_but_its_own_style(made):
    """The content security policy stands in the page, so it holds for a file, too."""
    policies = [m for m in page_of(made).all("meta") if m.get("http-equiv")]
    assert [p["http-equiv"] for p in policies] == ["Content-Security-Policy"]
    assert policies[0]["content"].startswith("default-src 'none'; style-src 'unsafe-inline';")


def test_control_characters_and_direction_overrides_are_gone(made):
    """NUL, ESC, half surrogate pairs and overrides never reach the page."""
    text = html.render(made.run, made.events)
    assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text) == []
    text.encode("utf-8")


def test_every_element_that_was_opened_is_closed(made):
    """Hostile text cannot end an element early."""
    text = html.render(made.run, made.events)
    for tag in ("details", "table", "section", "svg", "figure", "ul", "ol", "dl", "a", "pre", "g"):
        opened = len(re.findall(rf"<{tag}[\s>]", text)) - len(re.findall(rf"<{tag}\b[^>]*/>", text))
        assert opened == text.count(f"</{tag}>"), tag


def test_every_link_leads_to_an_element_of_the_page(made):
    """Each cell of the matrix leads to its trial; no id is used twice."""
    page = page_of(made)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {a["href"][1:] for a in page.all("a")} | {u["href"][1:] for u in page.all("use")}
    assert links <= set(ids)


def test_the_verdict_is_the_one_heading_of_first_rank(made):
    """A reviewer sees the run's verdict before anything else."""
    text = html.render(made.run, made.events)
    assert re.findall(r"<h1>(.*?)</h1>", text) == [made.run.verdict]


def test_trials_that_came_out_wrong_come_first_and_stand_open():
    """Passing trials are closed and below."""
    made = made_up.every_verdict()
    sections = re.findall(
        r'<details class="trial (right|attention-needed)"( open)?>',
        html.render(made.run, made.events),
    )
    assert sections == [("attention-needed", " open")] * 5 + [("right", "")] * 6


def test_a_cell_that_does_not_apply_tells_why():
    """Not-applicable cells are shown with their reason, never dropped."""
    text = page_of(made_up.every_verdict()).text
    assert text.count("n/a") == 2
    assert "MySQL commits at each DDL statement: there is no one transaction" in text


def test_teeth_show_what_was_wrong_and_what_caught_it():
    """A decoy that no claim caught says so."""
    text = html.render(made_up.teeth().run, made_up.teeth().events)
    table = text[text.index('<table class="teeth">') : text.index("</table>")]
    assert table.count('<tr class="ok">') == 3
    assert table.count('<tr class="miss">') == 1
    assert "End every session whose query looks like the ALTER" in table
    assert "nobody waits" in table
    assert "by nothing that should" in table


def test_a_timeline_that_was_cut_short_is_told_as_far_as_it_goes():
    """A step without an end is not shown as done."""
    made = made_up.every_verdict().only(lambda t: t.outcome == "ABORTED")
    text = page_of(made).text
    assert "mark the version clean" in text
    assert "no end recorded" in text
    assert "interrupted by signal 15" in text


@pytest.mark.parametrize("events", [[], made_up.every_verdict().timelines.popitem()[1][:1]])
def test_a_trial_without_a_timeline_still_has_its_section(events):
    """The machine may have died before the first event."""
    made = made_up.every_verdict()
    text = Page(html.render(made.run, lambda _: events)).text
    assert text.count("Nothing was recorded after the migration was due to begin.") == 11


def test_a_record_with_nothing_but_an_id_is_shown():
    """A field that an older record lacks is an empty place, not a crash."""
    bare = [Event.read({"kind": "cell", "id": "a/b/c/d/e"})]
    run = results.of_run(results.RunHeader(), [results.of_trial(bare)])
    assert "a/b/c/d/e" in html.render(run, lambda _: [])
    assert "a/b/c/d/e" in html.render(run, lambda _: bare)


def test_three_hundred_trials_stay_below_four_megabytes():
    """A big run opens quickly; what came out right beyond 150 trials is told without picture."""
    made = made_up.big(300)
    text = html.render(made.run, made.events)
    assert len(text.encode()) < 4_000_000
    assert text.count("<details") == 300
    assert text.count('<figure class="tl">') == made.run.counts["FAIL"]


def test_many_events_do_not_make_many_shapes():
    """Traffic is drawn as at most one path of each kind, however long the trial was."""
    made = made_up.every_verdict()
    trial = made.run.trials[3]
    long = made_up.Story(list(made.timelines[trial.id]))
    made_up.traffic(long, 1_500, 400_000)
    made = made.only(lambda t: t is trial)
    text = html.render(made.run, lambda _: long.events)
    assert len(re.findall(r'<path class="c-', text)) <= 3
    assert len(text) < 80_000


def test_a_browser_shows_the_page_without_a_complaint(made, browser, tmp_path):
    """Nothing is blocked, nothing fails, and the texts are there."""
    path = tmp_path / "report.html"
    path.write_text(html.render(made.run, made.events), encoding="utf-8")
    shown = browser("--dump-dom", path.as_uri())
    assert "CONSOLE" not in shown.stderr
    assert f"<h1>{made.run.verdict}</h1>" in shown.stdout
    assert shown.stdout.count('<details class="trial') == len(made.run.trials)
    assert "<script" not in shown.stdout


def test_a_browser_opens_the_section_that_a_link_leads_to(browser, tmp_path):
    """A closed section opens when its anchor is the address: a cell can be sent to somebody."""
    made = made_up.all_passed()
    path = tmp_path / "report.html"
    path.write_text(html.render(made.run, made.events), encoding="utf-8")
    anchor = made.run.trials[1].id
    shown = browser("--dump-dom", f"{path.as_uri()}#{anchor}")
    opened = re.findall(r'<details class="trial right" open="">', shown.stdout)
    assert len(opened) == 1


@pytest.mark.parametrize("size", ["1280,2000", "500,2000"])
def test_a_browser_paints_a_picture(browser, tmp_path, size):
    """Painted, the page is more than a blank sheet, on a desk and on a phone."""
    made = made_up.every_verdict()
    path, picture = tmp_path / "report.html", tmp_path / "report.png"
    path.write_text(html.render(made.run, made.events), encoding="utf-8")
    browser(f"--window-size={size}", f"--screenshot={picture}", path.as_uri())
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 60_000


def test_a_statement_is_told_as_it_was_sent():
    """Where a fault put another text in its place, the page does not show the migration's."""
    made = made_up.all_passed()
    trial = made.run.trials[0]

    def sent(event: Event) -> Event:
        told = json.loads(event.to_json())
        if told["kind"] == "statement.begin":
            told["sql"] = f"/* sent */ {told['sql']}"
        return Event.read(told)

    text = html.render(
        made.only(lambda t: t is trial).run, lambda name: list(map(sent, made.events(name)))
    )
    shown = re.findall(r"<td><code>(.*?)</code></td>", text)
    assert shown
    assert all(sql.startswith("/* sent */ ") for sql in shown)

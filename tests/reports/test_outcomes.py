"""CAUGHT, NOT CAUGHT and NOT REPAIRED: every format tells them by their names, none among PASS."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree as Xml

import made_up
import pytest

from harness.cli.run_progress import RunProgress
from harness.drill import results
from harness.drill.results import TrialResult
from harness.reporting.run import html, junit, markdown, postmortem, terminal
from harness.reporting.run.outcomes import SIGNS, tally

MISSED = "NOT CAUGHT, should have been caught by every user has a phone."
RED = "\x1b[1;31m"


class Terminal(io.StringIO):
    """A terminal that shows colours."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def whose(outcome: str) -> TrialResult:
    """A trial of that outcome."""
    made = [made_up.every_verdict(), made_up.teeth(), made_up.practice()]
    return next(t for one in made for t in one.run.trials if t.outcome == outcome)


def alone(outcome: str) -> made_up.MadeUpRun:
    """A run that has such a trial only."""
    for made in (made_up.every_verdict(), made_up.teeth(), made_up.practice()):
        found = made.only(lambda t: t.outcome == outcome)
        if found.run.trials:
            return found
    raise AssertionError(outcome)


def test_the_made_up_runs_have_every_outcome():
    """What the other tests stand on."""
    for outcome in SIGNS:
        assert whose(outcome).outcome == outcome


@pytest.mark.parametrize("outcome", SIGNS)
def test_every_format_calls_an_outcome_by_its_name(outcome):
    """And none of them says PASS of what is none, not in a count either."""
    made = alone(outcome)
    count = str(len(made.run.trials))
    others = [word for word in SIGNS if word not in outcome and outcome not in word]
    told = {
        "html": html.render(made.run, made.events),
        "markdown": markdown.render(made.run, made.events),
        "junit": junit.render(made.run, made.events),
        "terminal": terminal.plain(made.run),
    }
    page = told["html"]
    pills = re.findall(r'<span class="pill (\w+)">.*?</svg>(.*?)</span>', page, re.DOTALL)
    assert {word.strip() for _, word in pills} == {outcome}
    assert {tone for tone, _ in pills} == {SIGNS[outcome].tone}
    counts = re.search(r'<ul class="counts">(.*?)</ul>', page)[1]
    assert re.findall(r"<b>(\d+)</b> ([A-Z ]+)<", counts) == [(count, outcome)]
    assert f"**{count}** {outcome}\n" in told["markdown"]
    case = next(Xml.fromstring(told["junit"]).iter("testcase"))
    (child,) = case
    message = child.get("message") or child.text
    assert message.startswith(outcome)
    assert f"{count} {outcome}\n" in told["terminal"]
    for word in others:
        assert not re.search(rf"\d {word}", told["terminal"])
        assert f"** {word}" not in told["markdown"]


@pytest.mark.parametrize("outcome", SIGNS)
def test_only_what_came_out_as_it_must_is_green(outcome):
    """A failure of a person or of a check is red everywhere, as a FAIL is."""
    good = outcome in ("PASS", "CAUGHT")
    wrong = outcome in ("FAIL", "NOT CAUGHT", "NOT REPAIRED")
    assert (SIGNS[outcome].tone == "fail") is wrong
    assert ("red" in SIGNS[outcome].colour) is wrong
    assert (SIGNS[outcome].glyph == "✓") is good
    made = alone(outcome)
    case = next(Xml.fromstring(junit.render(made.run, made.events)).iter("testcase"))
    tags = ["system-out"] if good else ["failure"] if wrong else ["error"]
    assert [child.tag for child in case] == tags


@pytest.mark.parametrize(
    "make", [made_up.every_verdict, made_up.teeth, made_up.practice], ids=lambda make: make.__name__
)
def test_a_tally_has_each_trial_once_under_its_own_name(make: Callable[[], made_up.MadeUpRun]):
    """The counts of run.json, of the page, of Markdown and of the terminal are the same."""
    run = make().run
    wanted = {o: sum(t.outcome == o for t in run.trials) for o in SIGNS}
    wanted = {outcome: count for outcome, count in wanted.items() if count}
    assert {told.outcome: count for told, count in tally(run.trials)} == wanted
    assert json.loads(results.to_json(run))["counts"] == wanted
    line = terminal.plain(run).splitlines()[-1]
    assert {o: int(n) for n, o in re.findall(r"(\d+) ([A-Z][A-Z ]*[A-Z])", line)} == wanted


def test_what_was_not_caught_begins_its_sentence():
    """In every format, with what should have caught it; and it is among what needs attention."""
    made = made_up.teeth()
    page = html.render(made.run, made.events)
    attention = page[page.index("Needs attention") : page.index('id="h-run"')]
    assert re.findall(r"<bdi>(NOT CAUGHT.*?)</bdi>", attention)[0].startswith(MISSED)
    assert attention.count("<li>") == 1
    assert "FAIL by every user has a phone</small>" in attention
    assert f": {MISSED}" in markdown.render(made.run, made.events)
    assert f'message="{MISSED}' in junit.render(made.run, made.events)
    assert f"- {MISSED}" in postmortem.render(alone("NOT CAUGHT").run, made.events)
    assert MISSED in terminal.plain(made.run)


def test_what_failed_for_another_reason_caught_nothing():
    """The claims that did not hold are told, but not as those that caught the decoy."""
    made = alone("NOT CAUGHT").changed(failed_claims=("something else",)).with_run(teeth=True)
    table = html.render(made.run, made.events).split('<table class="teeth">')[1]
    row = re.search(r"<tr class=\"miss\">.*?</tr>", table, re.DOTALL)[0]
    assert "by nothing that should" in row
    assert "failed by <bdi>something else</bdi>" in row
    assert "wanted <bdi>FAIL by every user has a phone</bdi>" in row


@pytest.mark.usefixtures("coloured")
@pytest.mark.parametrize("outcome", SIGNS)
def test_a_terminal_shows_it_in_its_colour(outcome, capsys, monkeypatch):
    """Red as a FAIL is: at the end of the run, and at the moment at which it is judged."""
    made, wrong = alone(outcome), outcome in ("FAIL", "NOT CAUGHT", "NOT REPAIRED")
    text = terminal.text(made.run, Terminal())
    row = next(line for line in text.splitlines() if outcome in line)
    assert (f"{RED}{SIGNS[outcome].glyph} {outcome}" in row) is wrong
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    progress = RunProgress(1)
    progress.news(made.run.trials[0].id, made.run.trials[0])
    told = stream.getvalue()
    assert (f"{RED}{outcome}" in told) is wrong
    assert outcome in told
    assert ("again: mdrill" in told) is (outcome not in ("PASS", "CAUGHT"))

"""A trial that a person was to repair: what they did is told, and what the harness did is not
theirs."""

from __future__ import annotations

import re

import made_up
import pytest

from harness.record.events import CheckedByHand, GivenUp, RepairedByHand
from harness.reporting.run import html, junit, markdown, postmortem, terminal
from harness.reporting.run.record_view import TrialView
from harness.reporting.run.timeline_plot import plot


def one(outcome: str) -> made_up.MadeUpRun:
    """The practice that came out so, alone."""
    return made_up.practice().only(lambda trial: trial.outcome == outcome)


REPAIRED, GAVE_UP = one("PASS"), one("NOT REPAIRED")


def view_of(made: made_up.MadeUpRun) -> TrialView:
    (trial,) = made.run.trials
    return TrialView(trial, made.events(trial.id))


def section(page: str, title: str) -> str:
    """The part of the page under a heading, as people read it."""
    parts = re.split(r"<h4>", page)
    found = [part for part in parts if re.match(rf"{title}\b", part)]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])) if found else ""


def test_the_statements_of_a_person_are_shown_in_their_order():
    """On the page and in the post-mortem, each on one line, with how often they asked."""
    told = section(html.render(REPAIRED.run, REPAIRED.events), "Sent by hand")
    places = [told.index(" ".join(sql.split())) for sql in made_up.SENT]
    assert places == sorted(places)
    asked = "repaired by hand after 93 s; 3 statements, 2 hints, 2 checks"
    assert asked in told
    text = postmortem.render(REPAIRED.run, REPAIRED.events)
    assert f"- Procedure: A person, by hand, {asked}\n- Sent by hand\n" in text
    sent = re.findall(r"^  \d\. `(.*)`$", text, re.MULTILINE)
    assert sent == [" ".join(sql.split()) for sql in made_up.SENT]


def test_a_long_repair_is_told_as_far_as_one_reads_it():
    """The rest is counted, and stands in the record."""
    (trial,) = REPAIRED.run.trials
    long = made_up.Story(list(REPAIRED.events(trial.id)))
    for n in range(300):
        long.add("recovery", "by-hand", pid=231, sql=f"SELECT {n}")
    text = postmortem.render(REPAIRED.run, lambda _: long.events)
    assert "- Sent by hand, of which the first 20 are shown" in text
    assert len(re.findall(r"^  \d+\. `", text, re.MULTILINE)) == 20
    page = html.render(REPAIRED.run, lambda _: long.events)
    assert len(re.findall(r"<li><code>SELECT", page)) < 60
    assert re.search(r"and \d+ more in <code>events.jsonl</code>", page)


def test_a_statement_cannot_leave_its_line():
    """Backticks, newlines and pipes of a person's SQL."""
    (trial,) = REPAIRED.run.trials
    story = made_up.Story(list(REPAIRED.events(trial.id)))
    story.add("recovery", "by-hand", pid=1, sql="SELECT `a`\n\n# heading\n| '``' || 1")
    text = postmortem.render(REPAIRED.run, lambda _: story.events)
    assert "  4. ```SELECT `a` # heading | '``' || 1```\n" in text


def test_a_repair_by_hand_is_timed_as_a_persons():
    """Nobody takes it for machine time."""
    text = postmortem.render(REPAIRED.run, REPAIRED.events)
    assert re.search(r"- Recovered in 1 min 34 s by hand \(RTO: detect", text)
    assert "RTO, by hand" in html.render(REPAIRED.run, REPAIRED.events)


def test_who_gave_up_has_not_repaired_it():
    """The post-mortem says so, and that what followed was a demonstration."""
    text = postmortem.render(GAVE_UP.run, GAVE_UP.events)
    assert "NOT REPAIRED: Recovery: nobody repaired it: given up after 60 s." in text
    assert "Procedure: A person, by hand, not repaired: given up after 60 s; 1 statement" in text
    assert "Not recovered by hand, so there is no recovery time" in text
    assert "Recovered" not in text
    after = text[text.index("- After that the harness demonstrated the recovery") :]
    assert "1. finish what is missing" in after
    assert "which repairs nothing for the person" in after


def test_the_page_tells_the_demonstration_from_the_persons_work():
    """Its steps stand under a heading of their own; no recovery time stands anywhere."""
    page = html.render(GAVE_UP.run, GAVE_UP.events)
    assert section(page, "Recovery (?!time)") == ""
    assert "the harness demonstrated the recovery" in section(page, "Demonstration")
    assert "finish what is missing" in section(page, "Demonstration")
    assert "given up after 60 s" in section(page, "Sent by hand")
    assert "After the demonstration" in section(page, "Data integrity")
    assert "After the recovery" not in page
    assert "No recovery time: nobody repaired it." in page
    assert "<small>RTO</small>" not in page
    for text in (terminal.plain(GAVE_UP.run), markdown.render(GAVE_UP.run, GAVE_UP.events)):
        assert re.search(r"NOT REPAIRED.*–", text)


def test_giving_up_is_a_failure_for_ci():
    """Whatever the demonstration repaired."""
    text = junit.render(GAVE_UP.run, GAVE_UP.events)
    assert '<failure type="given_up" message="NOT REPAIRED: ' in text
    assert 'failures="1"' in text


@pytest.mark.parametrize(
    "made, label, tone, marks",
    [
        (REPAIRED, "by hand", "step", ["hint", "hint", "bad", "good"]),
        (GAVE_UP, "given up", "bad", ["hint", "bad"]),
    ],
    ids=["repaired", "gave up"],
)
def test_the_picture_shows_hints_and_checks_while_the_person_was_at_work(made, label, tone, marks):
    """In the lane of the recovery, before the steps of any demonstration."""
    drawn = plot(view_of(made), bars=60, buckets=150)
    lane = next(lane for lane in drawn.lanes if lane.name == "Recovery")
    person, *steps = lane.bars
    assert (person.label, person.tone) == (label, tone)
    assert [mark.tone for mark in lane.marks] == marks
    assert all(person.x <= mark.x <= person.x + person.w + 0.01 for mark in lane.marks)
    assert all(step.x >= person.x + person.w - 0.5 for step in steps)
    assert len(steps) == (2 if made is GAVE_UP else 0)
    assert any("not right yet: " in mark.title for mark in lane.marks)


def test_many_checks_do_not_make_many_marks():
    """What is not drawn is counted."""
    story = made_up.Story(list(view_of(REPAIRED).events))
    wrong = [CheckedByHand(("x",))] * 500
    view = TrialView(view_of(REPAIRED).value, [*story.events, *_at(story, wrong)])
    lane = next(x for x in plot(view, bars=60, buckets=150).lanes if x.name == "Recovery")
    assert (len(lane.marks), lane.hidden) == (60, 504 - 60)


def _at(story, payloads):
    return [type(story.events[0])(story.events[-1].t_ns, payload) for payload in payloads]


@pytest.mark.parametrize("made", [REPAIRED, GAVE_UP], ids=["repaired", "gave up"])
def test_a_practice_that_was_cut_off_claims_neither(made):
    """The terminal was closed, or the machine died, while the person was at work."""
    ends = (RepairedByHand, GivenUp)
    view = view_of(made)
    at = next(n for n, event in enumerate(view.events) if isinstance(event.what, ends))
    cut = view.events[:at]
    assert "not brought to an end" in section(html.render(made.run, lambda _: cut), "Sent by hand")
    judged = made_up.judged([list(cut)])
    text = postmortem.render(judged.run, judged.events)
    assert "not brought to an end" in text
    assert "Recovered" not in text
    assert judged.run.trials[0].outcome == "ABORTED"

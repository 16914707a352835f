"""summary.md, junit.xml, postmortem.md and the table on the terminal."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import made_up
import pytest

from harness import registry
from harness.record.events import LedgerChecked
from harness.record.timeline import Event
from harness.reporting.run import html, junit, markdown, postmortem, terminal

GOLDEN = Path(__file__).parent / "golden"
TEXTS = [markdown, junit, postmortem]


@pytest.mark.parametrize("renderer", TEXTS, ids=lambda r: r.FILE_NAME)
def test_the_text_is_the_one_that_was_agreed(renderer):
    """The golden file; UPDATE_GOLDEN=1 writes it anew, and the diff is then reviewed."""
    made = made_up.every_verdict()
    text = renderer.render(made.run, made.events)
    golden = GOLDEN / renderer.FILE_NAME
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("renderer", TEXTS, ids=lambda r: r.FILE_NAME)
def test_no_control_character_gets_through(renderer, made):
    """Neither escapes nor half surrogate pairs nor direction overrides."""
    text = renderer.render(made.run, made.events)
    assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text) == []


# ------------------------------------------------------------------------------ junit.xml


def junit_of(made: made_up.MadeUpRun) -> Xml.Element:
    return Xml.fromstring(junit.render(made.run, made.events))


def test_junit_is_xml_and_has_a_case_for_each_cell(made):
    """Whatever the text says, it parses; skipped are only cells that cannot exist."""
    root = junit_of(made)
    cells = len(made.run.trials) + len(made.run.not_applicable)
    assert len(list(root.iter("testcase"))) == cells
    assert len(list(root.iter("skipped"))) == len(made.run.not_applicable)


@pytest.mark.parametrize(
    "verdict, purpose, expected, tags",
    [
        ("PASS", "recovery", "PASS", ["system-out"]),
        ("FAIL", "recovery", "PASS", ["failure"]),
        ("INCONCLUSIVE", "recovery", "PASS", ["error"]),
        ("ERROR", "recovery", "PASS", ["error"]),
        ("ABORTED", "recovery", "PASS", ["error"]),
        ("FAIL", "decoy", "FAIL", ["system-out"]),
        ("PASS", "decoy", "FAIL", ["failure"]),
        ("INCONCLUSIVE", "nothing-done", "FAIL", ["failure"]),
        ("INCONCLUSIVE", "no-injection", "INCONCLUSIVE", ["system-out"]),
        ("PASS", "no-injection", "INCONCLUSIVE", ["failure"]),
        ("ERROR", "decoy", "FAIL", ["error"]),
    ],
)
def test_junit_tells_a_failure_from_an_error(verdict, purpose, expected, tags):
    """What proves nothing is an error, never a skip; a counter-check that missed is a failure."""
    cell = made_up.cell("hang", "postgres", "autocommit", "lock-queue", "x", purpose=purpose)
    made = made_up.put_together([(made_up.trial(cell, verdict, "so it was"), [])])
    assert made.run.trials[0].expected == expected
    assert [child.tag for child in next(junit_of(made).iter("testcase"))] == tags


def test_junit_counts_what_it_holds():
    """Testers' tabs believe the attributes."""
    root = junit_of(made_up.every_verdict())
    found = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert found == {"tests": "13", "failures": "2", "errors": "3", "skipped": "2"}


# ------------------------------------------------------------------------------ summary.md


def test_summary_gives_the_rerun_line_of_each_trial_that_came_out_wrong():
    """A reader can repeat it with one line from the shell."""
    made = made_up.every_verdict()
    text = markdown.render(made.run, made.events)
    wrong = [t for t in made.run.trials if not t.as_expected]
    assert re.findall(r"```sh\n(.*)\n```", text) == [
        t.rerun for v in ("FAIL", "ERROR", "INCONCLUSIVE", "ABORTED") for t in wrong
        if t.verdict == v
    ]  # fmt: skip


def test_summary_fences_are_longer_than_what_they_hold():
    """Backticks in a command cannot end its fence."""
    made = made_up.hostile()
    text = markdown.render(made.run, made.events)
    assert re.findall(r"^(`{3,})sh$", text, re.MULTILINE) == ["``````"] * 6
    assert text.count("\n``````\n") == 6


def test_summary_has_no_markup_from_the_record():
    """No element, no link, no emphasis, no box, no mention of a person."""
    sentence = "<b>x</b> [y](http://z) **w** @everyone | - [ ] q &amp;"
    made = made_up.every_verdict().changed(sentence=sentence)
    text = markdown.render(made.run, made.events)
    line = next(line for line in text.splitlines() if "everyone" in line)
    assert "&#60;b&#62;x&#60;/b&#62; \\[y\\](http://z) \\*\\*w\\*\\* &#64;everyone \\|" in line
    assert line.replace("\\|", "").count("|") == 6


def test_summary_fits_the_step_summary_of_a_ci_job():
    """At most 900 KiB, whatever was run; what is left out is counted."""
    made = made_up.big(1_000).changed(sentence="é" * 40_000)
    text = markdown.render(made.run, made.events)
    assert len(text.encode()) <= 900 * 1024
    assert "and 800 more trials in report.html" in text


def test_summary_is_cut_at_a_line_when_it_is_too_long(monkeypatch):
    """The cut is announced."""
    monkeypatch.setattr(markdown, "LIMIT_BYTES", 2_000)
    made = made_up.every_verdict()
    text = markdown.render(made.run, made.events)
    assert len(text.encode()) <= 2_000
    assert text.endswith("|\n\n(cut here: the whole is in report.html)\n")


# --------------------------------------------------------------------------- postmortem.md


def test_postmortem_has_the_headings_of_the_source_document():
    """What Happened, Root Cause, Impact, Resolution, Prevention: once per scenario."""
    made = made_up.every_verdict()
    headings = re.findall("^## (.*)$", postmortem.render(made.run, made.events), re.MULTILINE)
    per_scenario = ["What Happened", "Root Cause", "Impact", "Resolution", "Prevention"]
    assert headings == per_scenario * 3


def test_postmortem_tells_the_trial_that_failed():
    """Of several trials of a scenario, the recovery that failed is the one to learn from."""
    made = made_up.every_verdict()
    text = postmortem.render(made.run, made.events)
    assert "end-the-migration` on PostgreSQL" in text
    assert "look-then-retry` on" not in text


def test_postmortem_boxes_are_ticked_by_evidence_only():
    """A kill that passed ticks the kill procedure, lock waits tick their monitoring."""
    made = made_up.all_passed().only(lambda t: t.cell.scenario == "hang")
    text = postmortem.render(made.run, made.events)
    assert re.findall(r"^- \[(.)\] (.*?) \(", text, re.MULTILINE) == [
        (" ", "Always test migrations on production-sized staging data"),
        (" ", "Use NOT NULL in multiple steps"),
        ("x", "Monitor lock duration"),
        ("x", "Have kill procedure ready"),
        (" ", "Better team review process"),
    ]


def test_postmortem_does_not_claim_safety_for_what_was_never_checked():
    """A trial that was cut short has an unknown data loss and no recovery time."""
    made = made_up.every_verdict().only(lambda t: t.outcome == "ABORTED")
    text = postmortem.render(made.run, made.events)
    assert "Data loss unknown" in text
    assert "No recovery time" in text
    assert "mark the version clean: no end recorded" in text


def test_postmortem_takes_a_look_between_two_steps_for_no_account_of_the_whole():
    """The ledger is settled at the end; a trial that never came there is not known to be safe."""
    made = made_up.every_verdict().only(lambda t: t.outcome == "ABORTED")

    def ledger(final: bool) -> Event:
        return Event(10**12, LedgerChecked(after="mark it", final=final, acknowledged=5))

    told = [
        postmortem.render(made.run, lambda of, final=final: [*made.events(of), ledger(final)])
        for final in (False, True)
    ]
    assert ["Data loss unknown" in text for text in told] == [True, False]
    assert "all 5 acknowledged writes accounted for" in told[1]


def test_postmortem_of_a_run_without_a_fault_says_so():
    """A no-injection trial is no incident."""
    made = made_up.teeth().only(lambda t: t.cell.purpose == "no-injection")
    assert "No trial with a fault was run." in postmortem.render(made.run, made.events)


# --------------------------------------------------------------------------- the terminal


def test_plain_lines_end_with_the_verdict():
    """Where there is no terminal: one line a trial, the re-run lines, the verdict last."""
    made = made_up.every_verdict()
    lines = terminal.text(made.run, io.StringIO()).splitlines()
    assert len(lines) == 11 + 5 + 1
    assert lines[-1] == (
        "FAIL: 11 trials in 1 min 13 s; 2 FAIL, 1 ERROR, 1 INCONCLUSIVE, 1 ABORTED, "
        "1 CAUGHT, 5 PASS"
    )


def test_a_terminal_gets_a_table_without_the_escapes_of_the_record(made):
    """Colours are ours; escapes that a database sent are not passed on."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.text(made.run, Terminal()))
    assert "\x1b" not in text
    assert text.count("\x00") == 0
    assert "what happened" in text


@pytest.mark.parametrize("renderer", [*TEXTS, html], ids=lambda r: r.FILE_NAME)
def test_only_the_last_attempt_of_a_trial_counts(renderer):
    """An INCONCLUSIVE attempt that was repeated is told beside the last, never counted."""
    made = made_up.all_passed()
    last, *others = made.run.trials
    first = replace(
        last, verdict="INCONCLUSIVE", outcome="INCONCLUSIVE", counts_as="INCONCLUSIVE",
        as_expected=False, sentence="the moment was missed",
    )  # fmt: skip
    made = made.with_run(trials=(first, replace(last, attempt=2), *others))
    text = renderer.render(made.run, made.events)
    assert "did not come out" not in text
    assert "<error" not in text
    assert ("Attempt 1 was INCONCLUSIVE" in text) is (renderer is html)


@pytest.mark.parametrize(
    "renderer, says",
    [
        (markdown, "1 planned trials were never run"),
        (html, "hang/mysql/x/y/z"),
        (junit, "planned, but the run was stopped"),
    ],
    ids=["markdown", "html", "junit"],
)
def test_what_was_planned_and_never_run_is_told(renderer, says):
    """A run that was stopped does not look like a short one that passed."""
    made = made_up.all_passed().with_run(unfinished=("hang/mysql/x/y/z",))
    assert says in renderer.render(made.run, made.events)
    assert "1 never run" in terminal.plain(made.run)


def test_the_catalog_finds_every_format():
    """A format is a module with ``KIND``; the shared modules have none."""
    names = {kind.FILE_NAME for kind in registry.kinds("run-reports").values()}
    assert names == {"report.html", "junit.xml", "summary.md", "postmortem.md"}

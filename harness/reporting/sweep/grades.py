"""How grades, and where ways down lead, are told: a word, what it means, a sign, a colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.sweep.rollback import IN_WORDS, Leads
from harness.sweep.verdicts import Grade


@dataclass(frozen=True)
class Told:
    """How a grade is told: its word, what it means, its sign, its colour's name."""

    word: str
    means: str
    sign: str
    tone: str


GRADES: Mapping[Grade, Told] = {
    Grade.DONE: Told("through", "The migration is through and the tool knows it.", "✓", "good"),
    Grade.SELF_HEALS: Told(
        "self-heals", "Run the tool again: it ends where an unbroken run ends.", "↻", "good"
    ),
    Grade.TOOL_REPAIR: Told(
        "tool repair", "A documented command of the tool, then the tool again.", "⚙", "mild"
    ),
    Grade.HAND_WORK: Told("hand work", "Statements that a person has to run.", "✎", "work"),
    Grade.STUCK: Told(
        "stuck",
        "The tool waits for a lock that it left itself, and none of its commands frees it.",
        "⊘",
        "bad",
    ),
    Grade.LOSES_DATA: Told(
        "loses data",
        "Rows go that an unbroken run keeps: by the crash for good, or by the plain re-run.",
        "✗",
        "bad",
    ),
    Grade.UNHEALED: Told("unhealed", "Nothing that was tried heals it.", "✗", "bad"),
    Grade.APPLIED_TWICE: Told(
        "doubled",
        "Two runs at once leave what one alone does not: rows that are there twice, or no error.",
        "✗",
        "bad",
    ),
    Grade.FAILS_IN_ONE_RUN: Told(
        "fails in one run",
        "It passes by itself; all that are pending in one run fail, or leave another state.",
        "✗",
        "bad",
    ),
    Grade.FAILS_ON_ROWS: Told(
        "fails on rows",
        "It fails on tables with rows, or leaves a next value that is there already.",
        "✗",
        "bad",
    ),
    Grade.INCONCLUSIVE: Told(
        "unknown",
        "The fault did not strike, or nothing was tried on what it left: nothing was learned.",
        "?",
        "unsure",
    ),
}
"""From harmless to harmful."""
SIGNS_OF_LEADS: Mapping[Leads, tuple[str, str]] = {
    Leads.BACK: ("✓", "good"),
    Leads.BACK_IN_OTHER_ORDER: ("✓", "good"),
    Leads.IRREVERSIBLE: ("→", "work"),
    Leads.NOWHERE: ("→", "work"),
    Leads.UNKNOWN: ("?", "unsure"),
}
LEADS: Mapping[Leads, Told] = {
    leads: Told(leads.replace("-", " "), IN_WORDS[leads], *SIGNS_OF_LEADS.get(leads, ("✗", "bad")))
    for leads in Leads
}
"""Where a way down leads, from harmless to harmful."""
HARMFUL = (Grade.STUCK, Grade.LOSES_DATA, Grade.UNHEALED, Grade.APPLIED_TWICE)
"""Grades of cells that nobody wants to meet."""

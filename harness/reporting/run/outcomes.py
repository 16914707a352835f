"""How trials came out: their signs, their order, how many of each; nothing is judged here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.drill.results import TrialResult
from harness.reporting.words import plural


@dataclass(frozen=True)
class Sign:
    """How an outcome looks when colour may not carry it alone."""

    outcome: str
    letter: str
    icon: str
    glyph: str
    means: str
    tone: str
    """Its colour's name in the style sheet."""
    colour: str
    """Its colour on a terminal."""


SIGNS: Mapping[str, Sign] = {
    sign.outcome: sign
    for sign in (
        Sign(
            "FAIL", "F", "cross", "✗", "the recovery did not bring the data or service back",
            "fail", "bold red",
        ),
        Sign(
            "NOT CAUGHT", "N", "cross", "✗", "a wrong procedure, or none, that no check caught",
            "fail", "bold red",
        ),
        Sign(
            "NOT REPAIRED", "R", "cross", "✗", "nobody repaired it by hand",
            "fail", "bold red",
        ),
        Sign(
            "ERROR", "E", "bang", "!", "the machine or the harness broke; nothing is proven",
            "error", "bold magenta",
        ),
        Sign(
            "INCONCLUSIVE", "I", "query", "?", "the failure did not happen as told; no proof",
            "inconclusive", "yellow",
        ),
        Sign("ABORTED", "A", "stop", "■", "stopped before its end", "aborted", "bright_black"),
        Sign(
            "CAUGHT", "C", "check", "✓", "a counter-check that came out as it must",
            "counter", "cyan",
        ),
        Sign(
            "PASS", "P", "check", "✓", "broken for real, recovered, proven from the data",
            "pass", "green",
        ),
    )
}  # fmt: skip
"""In the order in which a reader must see them."""
UNKNOWN = Sign("UNKNOWN", "U", "query", "?", "an outcome this report does not know", "", "")


def sign(outcome: str) -> Sign:
    """The sign of an outcome, or of a run's verdict."""
    return SIGNS.get(outcome, UNKNOWN)


def worst_first(trials: Iterable[TrialResult]) -> list[TrialResult]:
    """Those that did not come out as they should first, the gravest of them before the others."""
    ranks = {outcome: rank for rank, outcome in enumerate(SIGNS)}

    def order(trial: TrialResult) -> tuple[bool, int]:
        return trial.as_expected, 0 if trial.as_expected else ranks[trial.outcome]

    return sorted(trials, key=order)


def in_words(trial: TrialResult) -> str:
    """The outcome and its sentence, which may begin with it."""
    if trial.sentence.startswith(trial.outcome):
        return trial.sentence
    return f"{trial.outcome}: {trial.sentence}"


def wanted(trial: TrialResult) -> str:
    """What must come out; of a decoy with the names of which one must expose it."""
    named = " or ".join(trial.cell.caught_by)
    return f"{trial.expected} by {named}" if named and trial.is_counter_check else trial.expected


def tally(trials: Iterable[TrialResult]) -> list[tuple[Sign, int]]:
    """How often each thing came out, worst first."""
    counts = Counter(trial.outcome for trial in trials)
    return [(sign, counts[outcome]) for outcome, sign in SIGNS.items() if counts[outcome]]


def headline(trials: Sequence[TrialResult]) -> str:
    """One sentence on how many trials came out as they should; it counts and does not judge."""
    wrong = sum(not trial.as_expected for trial in trials)
    if not trials:
        return "No trial was run."
    if wrong:
        return f"{wrong} of {plural(len(trials), 'trial')} did not come out as they should."
    if len(trials) == 1:
        return "The one trial came out as it should."
    return f"All {len(trials)} trials came out as they should."

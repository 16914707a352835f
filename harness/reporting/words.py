"""How values become words: cleaned text, durations, numbers, and the signs of the verdicts.

Text in a record comes from databases and is hostile: it may hold terminal escapes, NUL
bytes, half surrogate pairs, direction overrides, or a megabyte of anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

LIMIT = 4_000
"""Characters of one value that a report shows, unless its caller says otherwise."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Sign:
    """How a verdict looks when colour may not carry it alone."""

    verdict: str
    letter: str
    icon: str
    glyph: str
    means: str

    @property
    def tone(self) -> str:
        """Its colour's name in the style sheet."""
        return "counter" if self is CAUGHT else self.verdict.lower()


SIGNS: Mapping[str, Sign] = {
    sign.verdict: sign
    for sign in (
        Sign("FAIL", "F", "cross", "✗", "the recovery did not bring the data or service back"),
        Sign("ERROR", "E", "bang", "!", "the machine or the harness broke; nothing is proven"),
        Sign("INCONCLUSIVE", "I", "query", "?", "the failure did not happen as told; no proof"),
        Sign("ABORTED", "A", "stop", "■", "stopped before its end"),
        Sign("PASS", "P", "check", "✓", "broken for real, recovered, proven from the data"),
    )
}
"""In the order in which a reader must see them."""

CAUGHT = Sign("as it must", "F", "check", "✓", "a counter-check that came out as it must")
UNKNOWN = Sign("UNKNOWN", "U", "query", "?", "a verdict this report does not know")


def sign(verdict: Any) -> Sign:
    """The sign of a verdict; of :data:`UNKNOWN` for a word this version does not know."""
    return SIGNS.get(str(verdict), UNKNOWN)


def clean(value: Any, limit: int = LIMIT) -> str:
    """The value as text that is safe to show: no escapes, no control characters, capped."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    surplus = len(text) - limit
    if surplus > 0:
        text = text[:limit]
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _UNSHOWABLE.sub("", _ESCAPES.sub("", text))
    text = _SURROGATES.sub("\ufffd", text)
    return f"{text} … ({surplus:,} more characters)" if surplus > 0 else text


def one_line(value: Any, limit: int = 200) -> str:
    """The value on a single line, cut at ``limit`` characters."""
    text = " ".join(clean(value, limit * 4).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def duration(ms: float | None) -> str:
    """Milliseconds as people say them: ``4.2 ms``, ``412 ms``, ``3.42 s``, ``2 min 05 s``."""
    if ms is None:
        return "–"
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1_000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s" if ms < 10_000 else f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds:02d} s"


def number(value: Any) -> str:
    """An integer with thin groups, anything else as it is; a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\u202f")
    return clean(value)


def plural(count: int, word: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{number(count)} {word}" + ("" if count == 1 else "s")


def tally(trials: Sequence[Mapping[str, Any]]) -> list[tuple[Sign, int]]:
    """How often each thing came out, worst first.

    A counter-check that came out as it must is told apart, since its FAIL is a success.
    """
    counts: dict[str, int] = {}
    for trial in trials:
        caught = is_counter_check(trial) and trial.get("as_expected")
        word = CAUGHT.verdict if caught else str(trial.get("verdict"))
        counts[word] = counts.get(word, 0) + 1
    known = {**SIGNS, CAUGHT.verdict: CAUGHT}
    order = [*list(SIGNS)[:-1], CAUGHT.verdict, "PASS", *counts]
    return [
        (known.get(word) or replace(UNKNOWN, verdict=word), counts[word])
        for word in sorted(counts, key=order.index)
    ]


def headline(trials: Sequence[Mapping[str, Any]]) -> str:
    """One sentence on how many trials came out as they should; it counts and does not judge."""
    wrong = sum(1 for trial in trials if not trial.get("as_expected"))
    if not trials:
        return "No trial was run."
    if wrong:
        return f"{wrong} of {plural(len(trials), 'trial')} did not come out as they should."
    if len(trials) == 1:
        return "The one trial came out as it should."
    return f"All {len(trials)} trials came out as they should."


def unfinished(run: Mapping[str, Any]) -> list[str]:
    """The trials that were planned and never run, because the run was stopped."""
    return [str(name) for name in run.get("unfinished") or ()]


def call_it(trial: Mapping[str, Any]) -> str:
    """What a cell is called in a table: its verdict, or for a counter-check whether it bit."""
    verdict = str(trial.get("verdict", "?"))
    if is_counter_check(trial) and trial.get("as_expected"):
        return f"{verdict}, as it must"
    return verdict


def is_counter_check(trial: Mapping[str, Any]) -> bool:
    """Whether the trial tests the drill and not a recovery: decoy, nothing done, no injection."""
    return (trial.get("cell") or {}).get("purpose", "recovery") != "recovery"

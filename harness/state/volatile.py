"""What of a definition differs from run to run: a clock, a random number, a number of the server's.

Such a part is known by the word before it, ``STARTS '… …'``, so that the rest is compared in every
state that the object passes through.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import groupby

APART = r"\s'\"(),=;"
"""What stands between words."""
WORD = re.compile(f"[^{APART}]+")
ANY = "…"
"""Stands for a word that differs."""
Parts = Mapping[str, Collection[str]]
"""By the name of the object."""


def of_runs(one: Mapping[str, str], other: Mapping[str, str]) -> Parts:
    """The parts in which definitions of two unbroken runs differ, by object; of those in both."""
    return {key: parts(one[key], other[key]) for key in one if other.get(key, one[key]) != one[key]}


def parts(one: str, other: str) -> tuple[str, ...]:
    """The parts in which two definitions differ; none if they are made of other words, and nothing
    can be compared. Words with a digit beside such a part belong to it: the date before a time.

    >>> parts("bigint DEFAULT 17 NOT NULL", "bigint DEFAULT 4 NOT NULL")
    ('DEFAULT …',)
    >>> parts("EVERY 1 DAY STARTS '2025-06-07 08:09'", "EVERY 1 DAY STARTS '2025-06-07 08:10'")
    ("STARTS '… …",)
    >>> parts("one word", "and two words")
    ()
    """
    if WORD.sub(ANY, one) != WORD.sub(ANY, other):
        return ()
    words = list(WORD.finditer(one))
    found = []
    for first, last in _runs([w[0] for w in words], WORD.findall(other)):
        start, end = words[first].start(), words[last].end()
        before = words[first - 1].start() if first else 0
        found.append(one[before:start] + WORD.sub(ANY, one[start:end]))
    return tuple(dict.fromkeys(found))


def _runs(ours: list[str], theirs: list[str]) -> Iterator[tuple[int, int]]:
    """First and last of the words that differ, with the numbers beside them."""
    differ = [one != other for one, other in zip(ours, theirs, strict=True)]
    loose = [d or bool(re.search(r"\d", w)) for d, w in zip(differ, ours, strict=True)]
    for is_loose, group in groupby(range(len(ours)), key=loose.__getitem__):
        run = list(group)
        if is_loose and any(differ[n] for n in run):
            yield run[0], run[-1]


def steady(told: str, without: Collection[str]) -> str:
    """A definition without such parts; nothing of it, if there are none.

    >>> steady("bigint DEFAULT 5", ("DEFAULT …",)), steady("text DEFAULT 5", ())
    ('bigint DEFAULT …', '')
    """
    if not without:
        return ""
    for part in without:
        told = _pattern(part).sub(part.replace("\\", r"\\"), told)
    return told


@cache
def _pattern(part: str) -> re.Pattern[str]:
    """At the beginning of a word; of the whole text, if there is no word before the part. A number
    may be quoted in one state and bare in the next."""
    words = WORD.findall(part)
    begin = rf"\A[{APART}]*" if words[0] == ANY else f"(?<![^{APART}])"
    told = (WORD.pattern if word == ANY else re.escape(word) for word in words)
    return re.compile(begin + f"[{APART}]+".join(told))

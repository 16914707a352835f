"""How values become words: cleaned text, durations, numbers.

Text in a record comes from databases and is hostile: it may hold terminal escapes, NUL
bytes, half surrogate pairs, direction overrides, or a megabyte of anything.
"""

from __future__ import annotations

import re
from typing import Any

LIMIT = 4_000
"""Characters of one value that a report shows, unless its caller says otherwise."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


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

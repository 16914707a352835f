"""Statements that end with a line, as goose and sql-migrate cut them outside their blocks.

A statement begins with the first line that is neither blank nor a comment, and ends with the line
whose last word before a comment (a word that begins with ``--``) ends in a semicolon, whatever
strings and bodies it is in. So two statements on one line are one message, and a function's body
without StatementBegin falls into pieces.
"""

from __future__ import annotations

import re
from itertools import takewhile

Spans = list[tuple[int, int]]


def by_lines(text: str, start: int, end: int) -> tuple[Spans, int | None]:
    """The spans of statements between two offsets, and where one begins that never ends."""
    spans: Spans = []
    begin: int | None = None
    at = start
    for line in re.findall(r"[^\n]*\n|[^\n]+", text[start:end]):
        if begin is None and line.strip() and not line.lstrip().startswith("--"):
            begin = at
        at += len(line)
        if begin is not None and _ends(line):
            spans.append((begin, at))
            begin = None
    return spans, begin


def _ends(line: str) -> bool:
    words = list(takewhile(lambda word: not word.startswith("--"), line.split()))
    return bool(words) and words[-1].endswith(";")

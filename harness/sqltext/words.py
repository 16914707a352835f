"""The words of one statement, without comments and what stands in literals; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(
    r"""
      (?P<gap>     \s+ | --[^\n]* | /\*(?![!M]).*?\*/ | /\*M?!\d* | \*/ )
    | (?P<hash>    \#[^\n]* )
    | (?P<literal> [eEnNbBxX]?'(?:[^'\\]|\\.|'')*' )
    | (?P<dollar>  \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<name>    "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[A-Za-z_]\w*\] )
    | (?P<word>    [^\W\d][\w$]* | \d+ )
    | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
LITERAL = "''"


def tokens(text: str, dialect: str) -> list[str]:
    """Names keep their quotes, so that none is taken for a word; a literal is ``''``."""
    return list(_tokens(text, dialect))


def _tokens(text: str, dialect: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "gap" or (kind == "hash" and dialect != "postgres"):
            continue
        yield LITERAL if kind in ("literal", "dollar", "tag") else found[0]


def name_of(words: Sequence[str], at: int) -> tuple[str, int]:
    """The name that begins there, in small letters without quotes and schema; and what follows."""
    name = bare(words[at]) if at < len(words) else ""
    at += 1
    while words[at : at + 1] == ["."] and at + 1 < len(words):
        name, at = bare(words[at + 1]), at + 2
    return name, at


def bare(word: str) -> str:
    """A name without its quotes, in small letters."""
    return word.strip('"`[]').lower()


def follows(words: Sequence[str], at: int, *wanted: str) -> bool:
    """Whether these words stand there, in whatever letters."""
    return tuple(word.upper() for word in words[at : at + len(wanted)]) == wanted


def skipped(words: Sequence[str], at: int, *phrases: str) -> int:
    """Where it goes on behind those of the phrases that stand there."""
    for phrase in phrases:
        parts = phrase.split()
        if follows(words, at, *parts):
            at += len(parts)
    return at


def apart(words: Sequence[str]) -> list[list[str]]:
    """Cut at each comma that stands in no parentheses."""
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]

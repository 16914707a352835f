"""Which members of JSON documents PostgreSQL's expressions read, as the server writes them."""

from __future__ import annotations

import re

from harness.engines.documents import PATH, TEXT, Path, members_of, steps_of, wanted_as

STRING = r"'(?:[^']|'')*'"
CHAIN = re.compile(
    rf"""\)*(?:::\s*jsonb?\)*)?
    ((?:\s*->>?\s*(?:{STRING}|\d+)(?:::(?:text|integer))?\)*)+)
    (?:\s*::\s*(?P<cast>"?[a-z][\w ]*))?""",
    re.VERBOSE,
)
STEP = re.compile(rf"->>?\s*({STRING}|\d+)")
DEEP = re.compile(
    r"""\)*(?:::\s*jsonb?\)*)?\s*\#>>?\s*'\{((?:[^'}]|'')*)\}'(?:::text\[\])?\)*
    (?:\s*::\s*(?P<cast>"?[a-z][\w ]*))?""",
    re.VERBOSE,
)
ASKED = re.compile(rf"\)*\s*\?[|&]?\s*(ARRAY\[[^\]]*\]|{STRING})")
HELD = re.compile(rf"\)*\s*@>\s*({STRING})::jsonb")
CALL = re.compile(rf"\s*,\s*({STRING})(?:::jsonpath)?(?:\s+RETURNING\s+(?P<cast>[a-z][\w ]*))?")
PLACE = re.compile(rf"((?:\[(?:{STRING}(?:::text)?|\d+)\])+)")


def paths_in(text: str, column: str) -> list[Path]:
    """The members of that column's documents that an expression names.

    >>> paths_in("(((doc -> 'a'::text) ->> 'b'::text))::integer", "doc")
    [Path(steps=('a', 'b'), wanted='number')]
    """
    own = re.compile(rf'"{re.escape(column)}"|(?<![\w"]){re.escape(column)}(?![\w"])')
    found: list[Path] = []
    for match in own.finditer(text):
        found += _after(text, match.end())
    return found


def _after(text: str, at: int) -> list[Path]:
    """What is read of the document whose name ends at that place."""
    if (chain := CHAIN.match(text, at)) is not None:
        steps = tuple(_step(step) for step in STEP.findall(chain[1]))
        return [Path(steps, wanted_as(chain["cast"] or ""))]
    if (deep := DEEP.match(text, at)) is not None:
        steps = tuple(
            f"[{step}]" if step.isdigit() else step.strip('"') for step in deep[1].split(",")
        )
        return [Path(steps, wanted_as(deep["cast"] or ""))]
    if (asked := ASKED.match(text, at)) is not None:
        return [Path((_text(one),)) for one in re.findall(STRING, asked[1])]
    if (held := HELD.match(text, at)) is not None:
        return members_of(_text(held[1]))
    if (place := PLACE.match(text, at)) is not None:
        inner = re.findall(rf"\[({STRING}|\d+)", place[1])
        return [Path(tuple(_step(step) for step in inner))]
    if (call := CALL.match(text, at)) is not None:
        wanted = wanted_as(call["cast"] or "")
        paths = [steps_of(found[0]) for found in PATH.finditer(_text(call[1]))]
        return [Path(steps, wanted) for steps in paths] or [Path((_text(call[1]),), TEXT)]
    return []


def _step(written: str) -> str:
    return f"[{written}]" if written.isdigit() else _text(written)


def _text(quoted: str) -> str:
    return quoted[1:-1].replace("''", "'")

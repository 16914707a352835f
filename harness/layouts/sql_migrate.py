"""sql-migrate: both ways in one file, after ``-- +migrate Up`` and ``-- +migrate Down``.

The version is the whole file name, as in ``gorp_migrations.id``; files are ordered by the number in
front of it, then by name, and those without a number come by name. ``notransaction`` on a
directive's line, for each way on its own. What stands between StatementBegin and StatementEnd is
one statement; elsewhere lines end statements (``_lines``).
Facts: https://github.com/rubenv/sql-migrate (migrate.go, sqlparse/sqlparse.go)
"""

from __future__ import annotations

import re

from harness.layouts._folder import BOM, Folder, counted, line_at, next_line
from harness.layouts._lines import Spans, by_lines
from harness.layouts._values import Kind, Migration, Script

_LINE = re.compile(r"^-- \+migrate (.*)$", re.MULTILINE)
_MARK = re.compile(r"^\ufeff?-- \+migrate Up\b", re.MULTILINE)
_NUMBER = re.compile(r"\d+", re.ASCII)


def _names(folder: Folder) -> list[str]:
    return [name for name in folder.files if name.endswith(".sql")]


def matches(folder: Folder) -> str | None:
    """Evidence: how many files have the directive."""
    marked = folder.marked(_names(folder), _MARK)
    return f"{counted(len(marked), 'file')} with -- +migrate Up" if marked else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By number, then by name; see the module's docstring."""
    names = sorted(_names(folder), key=_rank)
    return tuple(_migration(folder, name) for name in names)


def _rank(name: str) -> tuple[int, int, str]:
    number = _NUMBER.match(name)
    return (0, int(number[0]), name) if number else (1, 0, name)


def _migration(folder: Folder, name: str) -> Migration:
    text = folder.text(name)
    ways: dict[str, Script] = {}
    lines = ((found, found[1].split()) for found in _LINE.finditer(text))
    turns = [(found, words) for found, words in lines if words[:1] in (["Up"], ["Down"])]
    for number, (found, words) in enumerate(turns):
        if words[0] in ways:
            line = line_at(text, found.start())
            folder.complain(name, f"found -- +migrate {words[0]} again; join the two parts", line)
        start = next_line(text, found.end())
        end = turns[number + 1][0].start() if number + 1 < len(turns) else len(text)
        spans = _spans(folder, name, text, start, end)
        whole = tuple((a - start, b - start) for a, b in spans)
        ways[words[0]] = Script(
            folder.shown(name),
            line_at(text, start),
            text[start:end],
            "notransaction" not in words[1:],
            whole,
        )
    if not ways:
        hidden = " (a byte order mark hides the first line)" if text.startswith(BOM) else ""
        folder.complain(name, f"found no line '-- +migrate Up'{hidden}; sql-migrate requires it")
    stem = name.removesuffix(".sql")
    return Migration(name, stem, ways.get("Up"), ways.get("Down"), (folder.shown(name),))


def _spans(folder: Folder, name: str, text: str, start: int, end: int) -> Spans:
    """The statements between two offsets: whole blocks, and by lines outside of them."""
    spans: Spans = []
    begin: int | None = None
    at = start
    for found in _LINE.finditer(text, start, end):
        word = found[1].split()[:1]
        if word == ["StatementBegin"] and begin is None:
            spans += _by_lines(folder, name, text, at, found.start())
            begin = next_line(text, found.end())
        elif word == ["StatementEnd"] and begin is not None:
            spans.append((begin, found.start()))
            begin, at = None, next_line(text, found.end())
    if begin is None:
        return spans + _by_lines(folder, name, text, at, end)
    line = line_at(text, begin) - 1
    folder.complain(name, "found no -- +migrate StatementEnd for this; add it", line)
    return spans


def _by_lines(folder: Folder, name: str, text: str, start: int, end: int) -> Spans:
    spans, unfinished = by_lines(text, start, end)
    if unfinished is not None:
        folder.complain(
            name,
            "found no semicolon at the end of a line after this, which sql-migrate requires to "
            "end a statement; add it",
            line_at(text, unfinished),
        )
    return spans


KIND = Kind("sql-migrate", "sql-migrate", "1_name.sql with -- +migrate Up", matches, read)

"""goose: both ways in one file, after ``-- +goose Up`` and ``-- +goose Down``.

Files are ``<number>_<name>.sql`` in one folder; the version is that number (``0001`` and ``1`` are
one) and must be positive. Every comment line with ``+goose`` in it is an annotation, in any case,
without blanks before it; Up is needed, Down is optional and comes after it. What stands between
StatementBegin and StatementEnd is one statement; elsewhere lines end statements (``_lines``). NO
TRANSACTION holds for both ways. Migrations in Go run in a program of the user's own and are left
out. Between ENVSUB ON and OFF values of the environment are filled in (:mod:`placeholders`).
Facts: https://github.com/pressly/goose/blob/main/internal/sqlparser/parser.go,
https://github.com/pressly/goose/blob/main/migrate.go, https://pressly.github.io/goose/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.layouts._folder import BOM, Folder, counted, left_out, line_at, next_line
from harness.layouts._lines import by_lines
from harness.layouts._pairs import told_twice
from harness.layouts._values import Kind, Migration, Script

_FILE = re.compile(r"(\d+)_.*\.(sql|go)", re.ASCII)
_LINE = re.compile(r"^[ \t]*--[^\n]*\+goose[^\n]*", re.MULTILINE)
_MARK = re.compile(r"^\ufeff?--[ \t]*\+goose[ \t]+up\b", re.MULTILINE | re.IGNORECASE)
_KNOWN = {
    *("up", "down", "statementbegin", "statementend", "no transaction"),
    *("envsub on", "envsub off"),
}


def matches(folder: Folder) -> str | None:
    """Evidence: how many files have the annotation, and which are Go."""
    marked = folder.marked((name for name in folder.files if name.endswith(".sql")), _MARK)
    if not marked:
        return None
    code = [name for name in folder.files if _is_go(name)]
    why = "migrations in Go: only your own goose program runs them"
    return f"{counted(len(marked), 'file')} with -- +goose Up{left_out(code, why)}"


def _is_go(name: str) -> bool:
    return bool(_FILE.fullmatch(name)) and name.endswith(".go") and not name.endswith("_test.go")


def read(folder: Folder) -> tuple[Migration, ...]:
    """By number; see the module's docstring."""
    seen: dict[int, str] = {}
    migrations: dict[int, Migration] = {}
    for name in folder.files:
        found = _FILE.fullmatch(name)
        number = int(found[1]) if found else 0
        if name.endswith(".sql") and number < 1:
            folder.complain(
                name, "goose wants <number>_<name>.sql with a number from 1; rename the file"
            )
        elif name.endswith(".sql") or _is_go(name):
            first = seen.setdefault(number, name)
            if first != name:
                told_twice(folder, name, str(number), first)
            elif name.endswith(".sql"):
                migrations[number] = _migration(folder, name, number)
    return tuple(migrations[number] for number in sorted(migrations))


def _migration(folder: Folder, name: str, number: int) -> Migration:
    reader = _Reader(folder, name, folder.text(name))
    reader.read()
    up, down = (reader.script(way) for way in ("up", "down"))
    return Migration(str(number), name.removesuffix(".sql"), up, down, (folder.shown(name),))


@dataclass
class _Reader:
    """Follows the annotations of one file, as goose's own states do."""

    folder: Folder
    name: str
    text: str
    way: str = ""
    block: int | None = None
    transaction: bool = True
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    blocks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    envsub: list[tuple[int, int]] = field(default_factory=list)
    envsub_from: int | None = None
    at: int = 0

    def read(self) -> None:
        for found in _LINE.finditer(self.text):
            word = self._word(found)
            if word in ("up", "down"):
                self._turn(word, found)
            elif word == "statementbegin":
                self._begin(found)
            elif word == "statementend":
                self._end(found)
            elif word == "no transaction":
                self.transaction = False
            elif word == "envsub on" and self.envsub_from is None:
                self.envsub_from = found.end()
            elif word == "envsub off":
                self._fill_until(found.start())
        self._fill_until(len(self.text))
        self._code_until(len(self.text))
        if self.block is not None:
            self._complain(self.block - 1, "found no -- +goose StatementEnd for this; add it")
        if not self.way:
            hidden = " (a byte order mark hides the first line)" * self.text.startswith(BOM)
            self._complain(0, f"found no line '-- +goose Up', which goose requires{hidden}; add it")

    def script(self, way: str) -> Script | None:
        if way not in self.spans:
            return None
        start, end = self.spans[way]
        whole = tuple((a - start, b - start) for a, b in self.blocks.get(way, ()))
        shown, line = self.folder.shown(self.name), line_at(self.text, start)
        both = ((max(a, start) - start, min(b, end) - start) for a, b in self.envsub)
        return Script(
            shown,
            line,
            self.text[start:end],
            self.transaction,
            whole,
            envsub=tuple((a, b) for a, b in both if a < b),
        )

    def _fill_until(self, end: int) -> None:
        """What asks for values of the environment ends there."""
        if self.envsub_from is not None:
            self.envsub.append((self.envsub_from, end))
            self.envsub_from = None

    def _complain(self, offset: int, message: str) -> None:
        self.folder.complain(self.name, message, line_at(self.text, offset))

    def _word(self, found: re.Match[str]) -> str:
        line = found[0]
        words = " ".join(line.replace("--", "").replace("+goose", "", 1).split()).lower()
        if line[0] in " \t":
            self._complain(found.start(), "found blanks before a +goose annotation; remove them")
        elif words not in _KNOWN:
            self._complain(
                found.start(),
                f"found the goose annotation {words!r}; known: {', '.join(sorted(_KNOWN))}",
            )
        return words

    def _turn(self, word: str, found: re.Match[str]) -> None:
        before = {"up": "", "down": "up"}[word]
        if self.way != before or self.block is not None:
            self._complain(
                found.start(),
                f"found -- +goose {word.title()} again or in a wrong place: wanted one Up, its "
                "statements, then at most one Down",
            )
            return
        self._code_until(found.start())
        if self.way:
            self.spans[self.way] = (self.spans[self.way][0], found.start())
        self.way = word
        self.at = next_line(self.text, found.end())
        self.spans[word] = (self.at, len(self.text))

    def _begin(self, found: re.Match[str]) -> None:
        if not self.way or self.block is not None:
            self._complain(found.start(), "found StatementBegin where no statement can begin")
        self._code_until(found.start())
        self.block = self.at = next_line(self.text, found.end())

    def _end(self, found: re.Match[str]) -> None:
        if self.block is None:
            self._complain(found.start(), "found StatementEnd without StatementBegin; remove it")
        elif self.way:
            self.blocks.setdefault(self.way, []).append((self.block, found.start()))
        self.block = None
        self.at = next_line(self.text, found.end())

    def _code_until(self, end: int) -> None:
        """Take the statements up to there; complain about one before Up and one without an end."""
        if self.block is not None:
            return
        spans, unfinished = by_lines(self.text, self.at, end)
        first = spans[0][0] if spans else unfinished
        if self.way:
            self.blocks.setdefault(self.way, []).extend(spans)
        elif first is not None:
            self._complain(first, "found a statement before -- +goose Up; move it below")
        if self.way and unfinished is not None:
            self._complain(
                unfinished,
                "found no semicolon at the end of a line after this, which goose requires to end "
                "a statement; add it",
            )


KIND = Kind("goose", "goose", "1_name.sql with -- +goose Up", matches, read)

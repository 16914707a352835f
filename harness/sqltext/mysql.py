"""Statements of MySQL's and MariaDB's SQL, cut as the ``mysql`` and ``mariadb`` clients cut.

Two things differ on purpose: a delimiter inside ``/*! … */`` does not cut (the clients cut the
comment in two, which no server understands), and DELIMITER after a statement on the same line
takes effect at once (the clients run it at the next delimiter). ``--`` with nothing after it
but a letter begins a comment before a statement in MariaDB's client only.

Doubled quotes need no rule of their own: ``'a''b'`` reads as two literals side by side, which
cuts the same.
"""

from __future__ import annotations

import re
from functools import lru_cache

from harness.sqltext.source import BOM, Source
from harness.sqltext.statement import Assembler, Statement

_SANDBOX = r"/\*M?!999999\\-[^*\n]*\*/"
_LETTER = r"A-Za-z0-9_$\x80-\U0010ffff"
_BLANK = r" \t\n\v\f\r"
_ARGUMENT = re.compile(r"[ \t]+(?:'([^'\n]*)'|\"([^\"\n]*)\"|`([^`\n]*)`|(\S+))")
_NO_ESCAPES = re.compile(r"sql_mode.*NO_BACKSLASH_ESCAPES", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=64)
def _pattern(delimiter: str, mariadb: bool) -> re.Pattern[str]:
    """The tokens while this delimiter is in force; it is seen even inside a word, as in END$$."""
    end = re.escape(delimiter)
    code_comment = r"/\*M?!\d*" if mariadb else r"/\*!\d*"
    return re.compile(
        rf"""
          (?P<sandbox> {_SANDBOX} )
        | (?P<delimiter> {end} )
        | (?P<space> (?:(?!{end})[{_BLANK}])+ | \#[^\n]* | --(?=[{_BLANK}\0]|\Z)[^\n]* )
        | (?P<opening> {code_comment} )
        | (?P<comment> /\* )
        | (?P<closing> \*/ )
        | (?P<word> (?:(?!{end})[{_LETTER}])+ )
        | (?P<other> '(?:[^'\\]++|\\.)*+' | "(?:[^"\\]++|\\.)*+" | `[^`]*` | \\N )
        | (?P<mark> . )
        """,
        re.VERBOSE | re.DOTALL,
    )


def cut(source: Source) -> tuple[Statement, ...]:
    """The statements of a MySQL file."""
    return _Reader(source, mariadb=False).read()


def cut_mariadb(source: Source) -> tuple[Statement, ...]:
    """The statements of a MariaDB file, where ``/*M! … */`` is code too."""
    return _Reader(source, mariadb=True).read()


class ProgramBody:
    """Follows the words of a statement, and knows whether a stored program's body is open."""

    PROGRAMS = frozenset({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"})
    OTHER_ENDS = frozenset({"IF", "LOOP", "WHILE", "REPEAT"})

    def __init__(self) -> None:
        self._is_program = self._creates = False
        self._depth = 0
        self._ended = False

    @property
    def is_open(self) -> bool:
        """Whether a BEGIN or CASE of a program's body has not met its END."""
        return self._depth > int(self._ended)

    def word(self, word: str, *, begins: bool) -> None:
        """The next word; ``begins`` a statement."""
        if begins:
            self._creates = word in ("CREATE", "ALTER")
            self._is_program, self._depth, self._ended = False, 0, False
        self._is_program |= self._creates and word in self.PROGRAMS
        if not self._is_program:
            return
        if self._ended:
            self._ended = False
            if word in self.OTHER_ENDS:
                return
            self._depth -= 1
            if word == "CASE":
                return
        if word in ("BEGIN", "CASE"):
            self._depth += 1
        self._ended = word == "END"


class _Reader:
    def __init__(self, source: Source, *, mariadb: bool) -> None:
        self._source = source
        self._mariadb = mariadb
        self._assembler = Assembler(source)
        self._code_comments: list[int] = []
        self._body = ProgramBody() if source.as_server else None
        self._set_delimiter(";")

    def read(self) -> tuple[Statement, ...]:
        text, at = self._source.text, self._source.begin
        while found := self._match(text, at):
            start, at = found.span()
            group = found.lastgroup
            if group in ("space", "sandbox"):
                continue
            if group == "word":
                at = self._word(start, at)
            elif group == "comment":
                at = self._comment(start)
            elif group == "delimiter" and self._body and self._body.is_open:
                self._assembler.code(start, at, ";")
            elif group == "delimiter" and not self._code_comments:
                self._cut()
            elif group == "closing":
                at = self._closing(start, at)
            elif group == "mark" and self._is_dash_comment(start):
                at = _line_end(text, start)
            else:
                self._other(group, start, at)
        if self._code_comments:
            self._source.refuse_open(self._code_comments[0], "/*! … */ comment", "*/")
        self._cut()
        return self._assembler.statements()

    def _set_delimiter(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._match = _pattern(delimiter, self._mariadb).match

    def _word(self, start: int, end: int) -> int:
        word = self._source.text[start:end].upper() if end - start < 64 else "`"
        if self._assembler.start is None and not self._code_comments:
            if word == "DELIMITER" and self._source.text[end : end + 1] in (" ", "\t", "\n", "\r"):
                return self._change_delimiter(start, end)
            if word == "SOURCE":
                self._refuse_command(start, "source")
            if word == "USE":
                return self._use(start, end)
        if self._body:
            self._body.word(word, begins=self._assembler.start is None)
        self._assembler.code(start, end, word)
        return end

    def _other(self, group: str | None, start: int, end: int) -> None:
        mark = self._source.text[start]
        if group == "opening":
            self._code_comments.append(start)
            self._assembler.hint(start, end)
            return
        if group == "mark":
            self._check_mark(start, mark)
        self._assembler.code(start, end, mark)

    def _closing(self, start: int, end: int) -> int:
        if self._code_comments:
            self._code_comments.pop()
            self._assembler.hint(start, end)
            return end
        self._assembler.code(start, start + 1, "*")
        return start + 1

    def _check_mark(self, start: int, mark: str) -> None:
        names = {"'": "string", '"': "string", "`": "quoted identifier"}
        if mark in names:
            self._source.refuse_open(start, names[mark], mark)
        if mark == "\\":
            self._refuse_command(start, self._source.text[start : start + 2])

    def _refuse_command(self, start: int, command: str) -> None:
        self._source.refuse(
            start,
            f"{command} is a command of the mysql client, which no server understands: write "
            "SQL in its place, or run the file with mysql as the migration's own command",
        )

    def _comment(self, start: int) -> int:
        end = self._source.text.find("*/", start + 2)
        if end < 0:
            self._source.refuse_open(start, "comment", "*/")
        if self._source.text.startswith("+", start + 2):
            self._assembler.hint(start, end + 2)
        return end + 2

    def _is_dash_comment(self, start: int) -> bool:
        """MariaDB's client needs no space after ``--`` before a statement."""
        before = self._mariadb and self._assembler.start is None
        return before and self._source.text.startswith("--", start)

    def _use(self, start: int, end: int) -> int:
        """USE on a line of its own is a command of the client and needs no delimiter."""
        text = self._source.text
        self._assembler.code(start, end, "USE")
        named = _ARGUMENT.match(text, end)
        line_begin = text.rfind("\n", 0, start) + 1
        own_line = self._delimiter not in text[line_begin : _line_end(text, end)]
        if named is None or not own_line or text[line_begin:start].strip(f"{BOM} \t"):
            return end
        self._assembler.code(named.start(), named.end(), "`")
        self._cut()
        return _line_end(text, end)

    def _change_delimiter(self, start: int, end: int) -> int:
        found = _ARGUMENT.match(self._source.text, end)
        delimiter = next((group for group in found.groups() if group), "") if found else ""
        if not delimiter:
            self._source.refuse(start, "DELIMITER names no delimiter; write it on the same line")
        if "\\" in delimiter:
            self._source.refuse(
                start, f"the delimiter {delimiter!r} has a backslash; choose another, such as $$"
            )
        self._assembler.cut()
        self._set_delimiter(delimiter)
        return _line_end(self._source.text, end)

    def _cut(self) -> None:
        statement = self._assembler.cut()
        if statement and statement.kind == "SET" and _NO_ESCAPES.search(statement.text):
            self._source.refuse(
                statement.start,
                "NO_BACKSLASH_ESCAPES changes how every later string is read, which is not "
                "supported: leave it out of sql_mode",
            )


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end

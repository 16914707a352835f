"""A folder of migrations: its names and texts, each read once, and what is wrong with them."""

from __future__ import annotations

import codecs
import os
import re
import shlex
import stat
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from harness.errors import Problem, UsageError

BOM = "\ufeff"
_WIDE: tuple[tuple[bytes, str, str], ...] = (
    (codecs.BOM_UTF32_LE, "UTF-32", "UTF-32 (it begins with FF FE 00 00)"),
    (codecs.BOM_UTF32_BE, "UTF-32", "UTF-32 (it begins with 00 00 FE FF)"),
    (codecs.BOM_UTF16_LE, "UTF-16", "UTF-16 (it begins with FF FE)"),
    (codecs.BOM_UTF16_BE, "UTF-16", "UTF-16 (it begins with FE FF)"),
)
"""How files of two or four bytes a letter begin; the longer marks first."""
_BEGIN = 400
_NEXT = "Next: iconv -f {} -t UTF-8 {} > converted.sql, and put that in its place"
SHOWN = 3
"""How many file names a sentence holds before the rest is a number."""


class Folder:
    """Names in it are relative to it, with ``/`` between folders; hidden ones are left out.

    A link counts as what it leads to. Problems are collected, so that a reader can go on and a
    person sees all of them at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._bytes: dict[str, bytes] = {}

    @cached_property
    def _entries(self) -> tuple[tuple[str, bool], ...]:
        with os.scandir(self.path) as found:
            entries = [(e.name, e.is_dir()) for e in found if not e.name.startswith(".")]
        return tuple(sorted(entries))

    @property
    def files(self) -> tuple[str, ...]:
        """Names of what lies in it and is no folder, sorted."""
        return tuple(name for name, is_dir in self._entries if not is_dir)

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(name for name, is_dir in self._entries if is_dir)

    @cached_property
    def tree(self) -> tuple[str, ...]:
        """Files at any depth in it, sorted; links to folders are not followed."""
        names = []
        for at, folders, files in os.walk(self.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(at).relative_to(self.path)
            names += [(below / name).as_posix() for name in files if not name.startswith(".")]
        return tuple(sorted(names))

    @property
    def sql_files(self) -> tuple[str, ...]:
        return tuple(name for name in self.files if name.lower().endswith(".sql"))

    def sub(self, name: str) -> Folder:
        """A folder in it, whose problems are its own."""
        below = Folder(self.path / name)
        below.problems = self.problems
        return below

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def shown(self, name: str) -> str:
        """The file's name for messages."""
        return str(self.path / name)

    def complain(self, name: str, message: str, line: int = 1) -> None:
        self.problems.append(Problem(self.shown(name), line, message))

    def refuse(self) -> None:
        """UsageError with all that was complained about; nothing if all is well."""
        if self.problems:
            found = sorted(set(self.problems), key=lambda p: (p.file, p.line, p.message))
            raise UsageError("\n".join(str(problem) for problem in found))

    def text(self, name: str) -> str:
        """A file's text, line ends and byte order mark as they are; a complaint if unreadable."""
        raw = self._raw(name)
        shown = shlex.quote(self.shown(name))
        if wide := _wide(raw):
            next_move = _NEXT.format(wide[0], shown)
            self.complain(name, f"found {wide[1]}, wanted UTF-8. {next_move}")
            return raw.decode(wide[0], errors="replace")
        try:
            return raw.decode()
        except UnicodeDecodeError as wrong:
            line = raw.count(b"\n", 0, wrong.start) + 1
            self.complain(
                name,
                f"found the byte 0x{raw[wrong.start]:02X}, wanted UTF-8. If it is Latin-1: "
                + _NEXT.format("latin1", shown).removeprefix("Next: "),
                line,
            )
            return raw.decode(errors="replace")

    def glance(self, name: str) -> str:
        """A file's text if it can be read, else nothing; never a complaint."""
        try:
            raw = self._content(name)
        except OSError:
            return ""
        wide = _wide(raw)
        return raw.decode(wide[0] if wide else "utf-8", errors="replace")

    def marked(self, names: Iterable[str], mark: re.Pattern[str]) -> tuple[str, ...]:
        """Those of the files in whose text the mark is."""
        return tuple(name for name in names if mark.search(self.glance(name)))

    def _raw(self, name: str) -> bytes:
        try:
            return self._content(name)
        except OSError as wrong:
            reason = wrong.strerror or str(wrong)
            self.complain(name, f"cannot be read ({reason}); mend it, or remove it")
            return b""

    def _content(self, name: str) -> bytes:
        if name not in self._bytes:
            path = self.path / name
            if not stat.S_ISREG(path.stat().st_mode):
                raise OSError("no regular file")
            self._bytes[name] = path.read_bytes()
        return self._bytes[name]


def _wide(raw: bytes) -> tuple[str, str] | None:
    """The encoding of a text of two or four bytes a letter, and what shows it; else None."""
    for mark, encoding, shown in _WIDE:
        if raw.startswith(mark):
            return encoding, shown
    begin = raw[:_BEGIN]
    for first, encoding in ((0, "UTF-16BE"), (1, "UTF-16LE")):
        if begin[first::2].count(0) * 4 > len(begin) and not begin[1 - first :: 2].count(0):
            return encoding, f"{encoding} (every other byte is 0)"
    return None


def counted(number: int, what: str, plural: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {what if number == 1 else plural or what + 's'}"


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - SHOWN
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def left_out(names: Sequence[str], why: str = "the tool does not take them") -> str:
    """A clause for the evidence about files that are not read; empty if there are none."""
    return f"; left out {counted(len(names), 'file')} ({why}): {some(names)}" if names else ""


def line_at(text: str, offset: int) -> int:
    """The line of an offset, from 1."""
    return text.count("\n", 0, offset) + 1


def next_line(text: str, offset: int) -> int:
    """Where the line after the one of this offset begins."""
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1

"""What a dump of PostgreSQL says of itself.

The header of an archive is that of ``WriteHead`` in PostgreSQL's pg_backup_archiver.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.engines.postgres.foreign_dump import ARCHIVE, FOLDER, TAR, TITLE_OF_ALL
from harness.ports import DumpWords

BLOCK = 512
"""A file's head in a tar."""
WITH_ALGORITHM = (1, 15)
"""From this version of the format on, how it is compressed is told in one byte."""

SERVER = re.compile(rb"^-- Dumped from database version (\S+)", re.MULTILINE)
TOOL = re.compile(rb"^-- Dumped by pg_dump version (\S+)", re.MULTILINE)
STARTED = re.compile(rb"^-- Started on (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
RESTRICT = re.compile(rb"^\\restrict (\S+)", re.MULTILINE)
COMPLETE_OF_ALL = b"\n-- PostgreSQL database cluster dump complete\n"
COMPLETE = b"\n-- PostgreSQL database dump complete\n"
END_OF_TEXT = "a last line `-- PostgreSQL database dump complete`"


def words(begin: bytes, end: bytes) -> DumpWords:
    """What the first and the last few kilobytes tell."""
    if begin.startswith(ARCHIVE):
        return _of_archive("pg_dump's custom format", begin)
    for mark, format_ in ((FOLDER, "pg_dump's directory format"), (TAR, "pg_dump's tar format")):
        if begin.startswith(mark):
            return _of_archive(format_, begin[BLOCK:])
    return _of_text(begin, end)


def _of_text(begin: bytes, end: bytes) -> DumpWords:
    server, tool, started = (
        (found[1].decode("ascii", "replace") if found else "")
        for found in (SERVER.search(begin), TOOL.search(begin), STARTED.search(begin))
    )
    if TITLE_OF_ALL in begin:
        wanted = END_OF_TEXT.replace("dump", "cluster dump")
        return DumpWords("plain SQL of pg_dumpall", has_end=COMPLETE_OF_ALL in end, end=wanted)
    wanted = END_OF_TEXT
    _, complete, after = end.rpartition(COMPLETE)
    has_end = bool(complete)
    if key := RESTRICT.search(begin):
        wanted += f", and behind it `\\unrestrict {key[1].decode('ascii', 'replace')[:12]}…`"
        has_end = has_end and b"\\unrestrict " + key[1] in after.splitlines()
    return DumpWords(
        "plain SQL of pg_dump", f"pg_dump {tool}" if tool else "", server, "", started, has_end,
        end=wanted,
    )  # fmt: skip


def _of_archive(format_: str, begin: bytes) -> DumpWords:
    """An archive is whole if pg_restore can read it to its end."""
    try:
        head = _Head(begin)
    except (IndexError, ValueError):
        return DumpWords(format_)
    return DumpWords(format_, f"pg_dump {head.tool}", head.server, head.database, head.taken)


@dataclass
class _Head:
    """Reads the head of an archive. IndexError or ValueError if it is another one."""

    raw: bytes

    def __post_init__(self) -> None:
        if not self.raw.startswith(ARCHIVE):
            raise ValueError
        self._at = len(ARCHIVE)
        major, minor, _, self._size, _, _ = (self._byte() for _ in range(6))
        self._byte() if (major, minor) >= WITH_ALGORITHM else self._number()
        sec, min_, hour, day, month, year, _ = (self._number() for _ in range(7))
        self.taken = f"{1900 + year}-{month + 1:02}-{day:02} {hour:02}:{min_:02}:{sec:02}"
        self.database, self.server, self.tool = (self._string() for _ in range(3))

    def _byte(self) -> int:
        self._at += 1
        return self.raw[self._at - 1]

    def _number(self) -> int:
        """A byte for the sign, then the least byte first."""
        sign = self._byte()
        value = sum(self._byte() << (8 * place) for place in range(self._size))
        return -value if sign else value

    def _string(self) -> str:
        length = max(0, self._number())
        self._at += length
        if self._at > len(self.raw):
            raise IndexError
        return self.raw[self._at - length : self._at].decode("utf-8", "replace")

"""A dump of another MySQL or MariaDB server: what it says, and how it is restored here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.errors import NotTaken, StepFailed
from harness.ports import DumpSource, DumpWords, HasTools

TIMEOUT_S = 24 * 3600
ANOTHER = b"USE `"
MADE = (b"CREATE DATABASE ", b"/*!40000 DROP DATABASE ")
"""How a dump of ``--databases`` goes to its database, and makes it."""
REFUSED = re.compile(r"^(ERROR \d+ \(\w+\)) at line (\d+): (.*)", re.MULTILINE)
GTIDS = b"SET @@GLOBAL.GTID_PURGED="
"""Transactions of the other server, which a throwaway one has no use for."""

TOOL = re.compile(rb"^-- ((?:MySQL|MariaDB) dump) +(\S+?),?(?: +Distrib (\S+?),)? ", re.MULTILINE)
SERVER = re.compile(rb"^-- Server version\s+(\S+)", re.MULTILINE)
DATABASE = re.compile(rb"^-- Host: .*?Database: (\S+)", re.MULTILINE)
COMPLETED = re.compile(
    rb"^-- Dump completed(?: on (\d{4}-\d\d-\d\d) +(\d{1,2}:\d\d:\d\d))?\s*\Z", re.MULTILINE
)
SETTINGS, BACK = b"/*!40101 SET @OLD_", b"SQL_NOTES=@OLD_SQL_NOTES"
"""What stands at both ends of a dump whose comments were left out."""
END = "a last line `-- Dump completed`"


def load(server: HasTools, database: str, dump: DumpSource, tool: Sequence[str]) -> Sequence[str]:
    """Restore a dump made elsewhere; nothing is made for it. StepFailed with what was refused."""
    done = server.run_tool([*tool, database], stdin=_restorable(dump), timeout_s=TIMEOUT_S)
    if done.exit_code:
        said = done.stderr.decode("utf-8", "replace").strip()
        refused = REFUSED.search(said)
        raise StepFailed(f"line {refused[2]}: {refused[1]}: {refused[3]}" if refused else said)
    return ()


def words(begin: bytes, end: bytes) -> DumpWords:
    """What the first and the last few kilobytes tell."""
    tool, completed = TOOL.search(begin), COMPLETED.search(end)
    server, database = (
        (found[1].decode("utf-8", "replace") if found else "")
        for found in (SERVER.search(begin), DATABASE.search(begin))
    )
    day, time = completed.groups() if completed else (None, None)
    taken = f"{day.decode()} {time.decode():0>8}" if day and time else ""
    if tool is None:
        has_end = BACK in end[-400:] if SETTINGS in begin else None
        wanted = f"a last line with `{BACK.decode()}`" if SETTINGS in begin else ""
        return DumpWords("SQL", has_end=has_end, marks_end=bool(wanted), end=wanted)
    return DumpWords(
        f"SQL, {tool[1].decode()}",
        f"{tool[1].decode()} {(tool[3] or tool[2]).decode('ascii', 'replace')}",
        server,
        database,
        taken,
        completed is not None,
        end=END,
    )


def _restorable(dump: DumpSource) -> Iterator[bytes]:
    """Its lines, as many as before; without the name of its database, where it is of one.

    NotTaken at the first line that leads to a second database.
    """
    of_gtids, named = False, b""
    for number, line in enumerate(_lines(dump), 1):
        if line.startswith(ANOTHER):
            if named and line != named:
                raise NotTaken(
                    f"line {number}: it goes on in another database ({line.strip().decode()}); "
                    "wanted the dump of one database, without --all-databases"
                )
            named = line
        of_gtids = of_gtids or line.startswith(GTIDS)
        yield b"\n" if of_gtids or line.startswith((ANOTHER, *MADE)) else line
        of_gtids = of_gtids and not line.rstrip().endswith(b";")


def _lines(dump: DumpSource) -> Iterator[bytes]:
    """Each with its end; the last may have none."""
    left = b""
    for piece in dump.pieces():
        *whole, left = (left + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if left:
        yield left

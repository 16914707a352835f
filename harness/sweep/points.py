"""Where a run can be struck, and in what ways it can die there."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.tools.adapter import is_bookkeeping
from harness.wire import Message

CONTROL = re.compile(r"^\W*(COMMIT|ROLLBACK|END|ABORT)\b", re.IGNORECASE)

MARK = re.compile(r"^\W*(SAVEPOINT|RELEASE)\b", re.IGNORECASE)
"""A mark in a transaction changes nothing that anybody else could see."""

UNDOES = re.compile(r"^\W*(ROLLBACK|ABORT)\b(?! PREPARED)", re.IGNORECASE)
"""A crash does what these do."""


IF_NEEDED = ("DROP", "CREATE")


class Way(StrEnum):
    """A way of dying. The value is the word in reports and on the command line."""

    CLIENT_SIGKILL = "client-sigkill"
    CLIENT_SIGTERM = "client-sigterm"
    SESSION_KILL = "session-kill"
    QUERY_CANCEL = "query-cancel"
    SERVER_SIGKILL = "server-sigkill"
    CONNECTION_LOST = "connection-lost"
    REPLY_LOST = "reply-lost"
    RIVAL = "rival"
    RIVAL_FIRST_KILLED = "rival-first-killed"
    RIVAL_SECOND_KILLED = "rival-second-killed"


class Where(StrEnum):
    """On which side of a message, or in the middle of its work."""

    BEFORE = "before"
    INSIDE = "inside"
    ANSWERED = "answered"


OF_RIVALS = frozenset({Way.RIVAL, Way.RIVAL_FIRST_KILLED, Way.RIVAL_SECOND_KILLED})
"""Two runs at once, as replicas of an application start them; see :mod:`harness.sweep.rivals`."""
AT_A_BOUNDARY = (
    Way.CLIENT_SIGKILL,
    Way.CLIENT_SIGTERM,
    Way.SESSION_KILL,
    Way.SERVER_SIGKILL,
    Way.CONNECTION_LOST,
)
INSIDE = (
    Way.CLIENT_SIGKILL,
    Way.CLIENT_SIGTERM,
    Way.SESSION_KILL,
    Way.QUERY_CANCEL,
    Way.SERVER_SIGKILL,
)
LATER_INSIDE = (Way.SESSION_KILL, Way.QUERY_CANCEL, Way.SERVER_SIGKILL)
"""In a statement's later waits; when its client dies it goes on to its end, as from the first."""
OF_THE_WAY_BACK = frozenset({Way.CLIENT_SIGKILL, Way.SESSION_KILL, Way.REPLY_LOST})
"""How the way down dies: the client alone, the session with its statement, or the answer alone.
The other ways leave what these leave."""
AMID_BOOKKEEPING = (Way.CLIENT_SIGKILL, Way.SERVER_SIGKILL)
"""Between two messages of the tool's own transaction; its end and its begin get every way."""


@dataclass(frozen=True)
class Row:
    """One message of the reference run: a row of the matrix."""

    n: int = 0
    label: str = ""
    """The first line of its SQL."""
    kind: str = ""
    """``statement`` of the migration, ``bookkeeping`` of the tool, or ``commit``."""
    statements: int = 0
    """How many statements of the migration it carries."""
    done_before: int = 0
    """How many statements of the migration were sent before it."""
    place: str = ""
    """``file:line`` of its first statement, where it is known."""
    verb: str = ""
    """What its first statement is: ``ALTER TABLE``, ``CREATE INDEX CONCURRENTLY``."""
    open_after: bool = False
    """Whether a transaction is open behind it, as the server says."""
    waits: int = 1
    """How often it can be held inside: in each of its own waits, or after commits of its own; 0 of
    what has no inside."""
    has_middle: bool = True
    """False of a statement that changed no row: nothing of it can be there half."""


@dataclass(frozen=True)
class Point:
    """A crash point and the way of dying there: one cell of the matrix."""

    n: int
    where: Where
    way: Way
    wait: int = 1
    """Inside: in which of its holds."""

    @property
    def id(self) -> str:
        wait = f".{self.wait}" if self.wait > 1 else ""
        return f"{self.where}-{self.n}{wait}:{self.way}"


def kind_of(message: Message, tables: Collection[str]) -> str:
    """What the message is to the migration."""
    if CONTROL.match(message.text):
        return "commit"
    if MARK.match(message.text) or is_bookkeeping(message.text, tables):
        return "bookkeeping"
    return "statement"


def points(
    rows: Sequence[Row], ways: Collection[Way] = frozenset(Way), *, inert: bool = False
) -> list[Point]:
    """Every crash point of a migration in the order of its run.

    In an ``inert`` one, which changes nothing, a DROP IF EXISTS or CREATE IF NOT EXISTS finds its
    work done and has no middle.
    """
    found = []
    for at, row in enumerate(rows):
        if UNDOES.match(row.label):
            continue
        amid = row.kind == "bookkeeping" and at and rows[at - 1].kind == "bookkeeping"
        boundary = AMID_BOOKKEEPING if amid else AT_A_BOUNDARY
        found += [Point(row.n, Where.BEFORE, way) for way in boundary]
        needed = row.has_middle and not (inert and row.verb.startswith(IF_NEEDED))
        if row.kind == "statement" and row.waits and needed:
            found += [Point(row.n, Where.INSIDE, way) for way in INSIDE]
            later = range(2, row.waits + 1)
            found += [Point(row.n, Where.INSIDE, way, n) for n in later for way in LATER_INSIDE]
        if not amid:
            found.append(Point(row.n, Where.ANSWERED, Way.REPLY_LOST))
    return [point for point in found if point.way in ways]

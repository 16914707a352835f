"""What passes between a client, the proxy and a server, in words that fit every protocol.

A *dialogue* is the pure half of one connection: bytes go in as they come off the sockets, cut
anywhere, and what should happen to them comes out. It has no socket, no clock and no thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Breakpoint:
    """A place where the run is held."""

    n: int
    """Ordinal of a changing message, from 1; 0: a read that takes an advisory lock."""
    where: str
    """``before``: it has not been sent on. ``answered``: the server's whole answer is in our
    hands and the client has none of it."""


@dataclass
class Message:
    """One message of a client that can change something; see :mod:`harness.wire.changing`."""

    n: int
    """Ordinal among the changing messages of the run, over all connections, as they came."""
    text: str
    """The SQL, of a prepared statement its text. Bytes that are no UTF-8 are surrogates."""
    part: int = 1
    parts: int = 1
    """Which statement of how many, when a message is handed on statement by statement."""
    values: tuple[str | None, ...] | None = None
    """Values bound to a prepared statement as text; None if there are none or not as text."""
    pid: int = 0
    """The server's session: a backend's process on PostgreSQL, a thread id on MySQL."""
    connection: int = 0
    """Ordinal of the connection, from 1."""
    sent_on: bool = False
    answered: bool = False
    """The server's whole answer has come, whether or not the client has it."""
    error: str = ""
    """SQLSTATE on PostgreSQL, error number on MySQL; empty if the server reported none."""
    in_transaction: bool | None = None
    """Whether a transaction is open after the answer; None if the answer does not say."""


@dataclass(frozen=True)
class Request:
    """A whole message of the client that the server will answer."""

    data: bytes
    text: str = ""
    """SQL that it executes; empty if none (a ping, the log-in, a statement only prepared)."""
    values: tuple[str | None, ...] | None = None
    part: int = 1
    parts: int = 1


@dataclass(frozen=True)
class Onward:
    """Bytes for the server that have no answer of their own, such as rows of a COPY."""

    data: bytes


@dataclass(frozen=True)
class Reply:
    """Bytes for the client that the proxy itself answers with."""

    data: bytes


@dataclass(frozen=True)
class Piece:
    """Bytes for the client from the server."""

    data: bytes
    over: bool = False
    """The answer to the request under way ends here."""
    urgent: bool = False
    """The client must have it before the answer can go on, such as the call for COPY's rows."""
    error: str = ""
    in_transaction: bool | None = None


class Dialogue(Protocol):
    """One connection's protocol, fed with bytes.

    At most one request is under way: what the client sends behind it stays here until its answer
    is over. So a client that sends ahead is answered in order, and can be held in order.
    """

    pid: int
    """The server's session, 0 until it is known."""

    @property
    def unfinished(self) -> bool:
        """The message under way is one that the server would go on with by itself."""

    def heard_client(self, data: bytes) -> None:
        """Take in what the client sent. ValueError if it cannot be this protocol."""

    def next(self) -> Request | Onward | Reply | None:
        """What is to be done next on the client's behalf; None if nothing now.

        A request counts as under way from then on.
        """

    def heard_server(self, data: bytes) -> Iterable[Piece]:
        """What the client is to get of what the server sent."""

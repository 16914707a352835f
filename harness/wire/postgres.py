"""PostgreSQL's protocol, version 3, as far as a proxy must know it.

A Query is one message; of the extended protocol, everything up to a Sync is one, or up to a
Flush, which some drivers wait for. Its text is that of the statements it executes. TLS and GSS
encryption are declined. Source: PostgreSQL documentation, "Frontend/Backend Protocol".
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.wire.exchange import Onward, Piece, Reply, Request

ENCRYPTION = {80877103, 80877104}
"""SSLRequest and GSSENCRequest."""
CANCEL = 80877102
MOST_STARTUP_BYTES = 10_000
"""``MAX_STARTUP_PACKET_LENGTH`` of the server."""

Values = tuple[str | None, ...] | None


@dataclass
class _Unit:
    """Frames of the client that go on together."""

    data: bytearray = field(default_factory=bytearray)
    executes: list[tuple[str, Values]] = field(default_factory=list)
    replies: int = 0
    """How many of the server's frames complete the answer, if no Sync does."""
    ends: str = ""
    """The frame that ended it: Q, S, H …; ``more`` for what belongs to a request under way."""
    bare: bool = False
    """A Sync and nothing else."""

    def request(self) -> Request:
        texts = [text for text, _ in self.executes]
        distinct = [text for at, text in enumerate(texts) if not at or text != texts[at - 1]]
        values = self.executes[0][1] if len(self.executes) == 1 else None
        return Request(bytes(self.data), ";\n".join(distinct), values)


class PostgresDialogue:
    """See :class:`harness.wire.exchange.Dialogue`."""

    unfinished = False

    def __init__(self) -> None:
        self.pid = 0
        self._starting = True
        self._from_client = bytearray()
        self._from_server = bytearray()
        self._queue: deque[_Unit | Reply] = deque()
        self._gathered = _Unit()
        self._statements: dict[bytes, str] = {}
        self._portals: dict[bytes, tuple[str, Values]] = {}
        self._flight: _Unit | None = None
        self._copied = False
        self._skips_to_sync = False
        self._error = ""

    def heard_client(self, data: bytes) -> None:
        self._from_client += data
        while self._starting and self._startup():
            pass
        if not self._starting:
            for kind, frame in _frames(self._from_client):
                self._client_frame(kind, frame)

    def _startup(self) -> bool:
        """Take one packet of those before the first frame; False if there is none."""
        buffer = self._from_client
        if len(buffer) < 8:
            return False
        length, code = struct.unpack_from("!II", buffer)
        if not 8 <= length <= MOST_STARTUP_BYTES:
            raise ValueError(f"a PostgreSQL client does not begin with {bytes(buffer[:8])!r}")
        if len(buffer) < length:
            return False
        packet = bytearray(buffer[:length])
        del buffer[:length]
        if code in ENCRYPTION:
            self._queue.append(Reply(b"N"))
            return True
        self._queue.append(_Unit(packet, ends="more" if code == CANCEL else "startup"))
        self._starting = False
        return True

    def _client_frame(self, kind: str, frame: bytes) -> None:
        if kind in "dcfp":
            self._more(frame)
            return
        unit = self._gathered
        unit.bare = kind == "S" and not unit.data
        unit.data += frame
        if kind == "Q":
            unit.executes.append((_text(frame[5:].partition(b"\0")[0]), None))
        elif kind == "P":
            name, text, _ = frame[5:].split(b"\0", 2)
            self._statements[name] = _text(text)
        elif kind == "B":
            portal, name, rest = frame[5:].split(b"\0", 2)
            self._portals[portal] = (self._statements.get(name, ""), _values(rest))
        elif kind == "E":
            portal = frame[5:].partition(b"\0")[0]
            unit.executes.append(self._portals.get(portal, ("", None)))
        if kind in "PBDEC":
            unit.replies += 1
        else:
            unit.ends = kind
            self._queue.append(unit)
            self._gathered = _Unit()

    def _more(self, frame: bytes) -> None:
        last = self._queue[-1] if self._queue else None
        if not isinstance(last, _Unit) or last.ends != "more":
            last = _Unit(ends="more")
            self._queue.append(last)
        last.data += frame

    def next(self) -> Request | Onward | Reply | None:
        if not self._queue:
            return None
        unit = self._queue[0]
        if isinstance(unit, Reply):
            self._queue.popleft()
            return unit
        busy = self._flight is not None
        if unit.ends == "more" or (busy and unit.bare and self._copied):
            self._queue.popleft()
            return Onward(bytes(unit.data))
        if busy:
            return None
        self._queue.popleft()
        unanswered = unit.ends == "H" and (self._skips_to_sync or not unit.replies)
        if unanswered or unit.ends == "X":
            return Onward(bytes(unit.data))
        self._flight, self._copied, self._error = unit, False, ""
        return unit.request()

    def heard_server(self, data: bytes) -> Iterator[Piece]:
        self._from_server += data
        kept = bytearray()
        for kind, frame in _frames(self._from_server):
            kept += frame
            piece = self._server_frame(kind, frame, kept)
            if piece is not None:
                yield piece
                kept.clear()
        if kept:
            yield Piece(bytes(kept), error=self._error)

    def _server_frame(self, kind: str, frame: bytes, kept: bytearray) -> Piece | None:
        """The piece that ends with this frame, if one does."""
        if kind == "K":
            self.pid = struct.unpack_from("!I", frame, 5)[0]
        if kind == "E" and not self._error:
            self._error = _sqlstate(frame)
        if self._flight is None:
            return None
        if kind == "Z":
            self._skips_to_sync = False
            return self._over(kept, frame[5:6] in (b"T", b"E"))
        if kind in "GW":
            self._copied = True
            return Piece(bytes(kept), urgent=True)
        if self._flight.ends == "H" and kind in "123TnCIsE":
            self._skips_to_sync = kind == "E"
            self._flight.replies -= 1
            if self._skips_to_sync or not self._flight.replies:
                return self._over(kept, None)
        return None

    def _over(self, kept: bytearray, in_transaction: bool | None) -> Piece:
        self._flight = None
        return Piece(bytes(kept), over=True, error=self._error, in_transaction=in_transaction)


def _frames(buffer: bytearray) -> Iterator[tuple[str, bytes]]:
    """Whole frames, taken out of the buffer: the type, and the frame with its header."""
    at = 0
    try:
        while len(buffer) >= at + 5:
            length = int.from_bytes(buffer[at + 1 : at + 5], "big")
            if length < 4:
                raise ValueError(f"a frame of PostgreSQL cannot have length {length}")
            if len(buffer) < at + 1 + length:
                return
            start, at = at, at + 1 + length
            yield chr(buffer[start]), bytes(buffer[start:at])
    finally:
        del buffer[:at]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _sqlstate(frame: bytes) -> str:
    fields = frame[5:].split(b"\0")
    return next((_text(f[1:]) for f in fields if f[:1] == b"C"), "")


def _values(rest: bytes) -> Values:
    """The values of a Bind message, of what follows its two names; None if one is binary."""
    count = int.from_bytes(rest[:2], "big")
    formats = struct.unpack_from(f"!{count}h", rest, 2)
    at = 2 + 2 * count
    parameters = int.from_bytes(rest[at : at + 2], "big")
    if any(formats) or not parameters:
        return None
    at += 2
    values: list[str | None] = []
    for _ in range(parameters):
        length = struct.unpack_from("!i", rest, at)[0]
        at += 4
        values.append(None if length < 0 else _text(rest[at : at + length]))
        at += max(length, 0)
    return tuple(values)

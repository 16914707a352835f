"""MySQL's and MariaDB's protocol, as far as a proxy must know it.

Each command is a message; of a prepared statement that is executed, the text is the one it was
prepared with. What is withheld from the greeting is in :mod:`harness.wire.mysql_packets`. With
``split``, a query of several statements goes to the server one statement at a time, and the
answers are put together to the one that the client waits for.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.wire import mysql_packets as packets
from harness.wire.exchange import Onward, Piece, Reply, Request
from harness.wire.mysql_answer import (
    FULL,
    HEAD_BYTES,
    MORE_RESULTS,
    Answer,
    Head,
    read_length,
)
from harness.wire.mysql_packets import Assembler, Packet
from harness.wire.mysql_values import Opaque, Types, Values, after_attributes, read_values
from harness.wire.pacing import Split, parts_of

QUIT, QUERY, FIELD_LIST, STATISTICS, PROCESS_INFO = 0x01, 0x03, 0x04, 0x09, 0x0A
CHANGE_USER, BINLOG, BINLOG_GTID = 0x11, 0x12, 0x1E
PREPARE, EXECUTE, LONG_DATA, CLOSE = 0x16, 0x17, 0x18, 0x19
RESET, SET_OPTION, FETCH, BULK_EXECUTE = 0x1A, 0x1B, 0x1C, 0xFA

UNANSWERED = frozenset({QUIT, LONG_DATA, CLOSE})
AWAITS = {
    QUERY: "results",
    EXECUTE: "results",
    BULK_EXECUTE: "results",
    PROCESS_INFO: "results",
    FIELD_LIST: "rows",
    FETCH: "rows",
    PREPARE: "preparation",
    STATISTICS: "line",
    CHANGE_USER: "login",
    BINLOG: "endless",
    BINLOG_GTID: "endless",
}
"""What follows a command; one packet follows all others."""
LAST_PREPARED = 0xFFFFFFFF
"""MariaDB: a statement executed before its preparation was answered."""
PARAMETER_COUNT_IS_GIVEN = 0x08


@dataclass
class _Statement:
    text: str
    parameters: int
    types: Types = ()
    long_data: bool = False


@dataclass
class _Flight:
    """The request under way."""

    answer: Answer
    prepares: str = ""
    part: int = 1
    parts: int = 1
    sequence_shift: int = 0
    last_sequence: int = 0


@dataclass
class _Rest:
    """The parts of a query that have not been sent yet."""

    prefix: bytes = b""
    parts: deque[tuple[int, str, str]] = field(default_factory=deque)
    """Number, what is sent, and its text."""
    count: int = 0
    sequence: int = 0
    """Of the last packet that the client sent or got."""


class MySQLDialogue:
    """See :class:`harness.wire.exchange.Dialogue`."""

    def __init__(self, split: Split | None = None) -> None:
        self.pid = 0
        self._split = split
        self._queue: deque[Packet] = deque()
        self._from_client = Assembler()
        self._from_server = bytearray()
        self._greeted = False
        self._logged_in = False
        self._continues = False
        self._offered = self._wanted = 0
        self._multi_statements = False
        self._statements: dict[int, _Statement] = {}
        self._last_prepared = 0
        self._flight: _Flight | None = None
        self._rest = _Rest()

    @property
    def unfinished(self) -> bool:
        flight = self._flight
        return bool(self._rest.parts) or (flight is not None and flight.parts > 1)

    def heard_client(self, data: bytes) -> None:
        self._queue.extend(self._from_client.feed(data))

    def next(self) -> Request | Onward | Reply | None:
        flight = self._flight
        if flight is not None:
            if self._queue and self._belongs(self._queue[0], flight):
                return Onward(self._queue.popleft().raw)
            return None
        if self._rest.parts:
            return self._next_part()
        if not self._queue:
            return None
        packet = self._queue.popleft()
        if not self._logged_in:
            return self._login(packet)
        return self._command(packet)

    def _belongs(self, packet: Packet, flight: _Flight) -> bool:
        """It continues the request under way: its log-in, or the rows of its file."""
        return flight.answer.wants_file or packet.sequence != 0

    def _login(self, packet: Packet) -> Request:
        self._logged_in = True
        self._wanted = packets.wanted_capabilities(packet.payload) & self._offered
        self._multi_statements = bool(self._wanted & packets.MULTI_STATEMENTS)
        self._fly("login")
        return Request(packet.raw)

    def _fly(self, awaits: str, **flight: Any) -> None:
        eof_packets = not self._wanted & packets.DEPRECATE_EOF
        self._flight = _Flight(Answer(awaits, eof_packets=eof_packets), **flight)

    def _command(self, packet: Packet) -> Request | Onward:
        payload = packet.payload
        command = payload[0] if payload else 0
        if command in UNANSWERED:
            self._note_unanswered(command, payload)
            return Onward(packet.raw)
        if command == QUERY:
            return self._query(packet)
        prepares = _text(payload[1:]) if command == PREPARE else ""
        self._fly(AWAITS.get(command, "packet"), prepares=prepares)
        if command in (EXECUTE, BULK_EXECUTE):
            return self._execution(packet, command)
        if command == SET_OPTION:
            self._multi_statements = payload[1:3] == b"\0\0"
        elif command == RESET:
            self._note_unanswered(RESET, payload)
        return Request(packet.raw)

    def _note_unanswered(self, command: int, payload: bytes) -> None:
        number = int.from_bytes(payload[1:5], "little")
        if command == CLOSE:
            self._statements.pop(number, None)
        elif number in self._statements:
            self._statements[number].long_data = command == LONG_DATA

    def _query(self, packet: Packet) -> Request:
        payload = packet.payload
        at = 1
        if self._wanted & packets.QUERY_ATTRIBUTES:
            at = after_attributes(payload, at)
        text = _text(payload[at:])
        if self._split is not None and self._multi_statements and ";" in text:
            parts = parts_of(text, self._split)
            if len(parts) > 1:
                numbered = deque((n, part.sent, part.text) for n, part in enumerate(parts, 1))
                last_sequence = packet.sequence + packets.count(payload) - 1
                self._rest = _Rest(payload[:at], numbered, len(parts), last_sequence)
                return self._next_part()
        self._fly("results")
        return Request(packet.raw, text)

    def _next_part(self) -> Request:
        rest = self._rest
        part, sent, text = rest.parts.popleft()
        payload = rest.prefix + sent.encode("utf-8", "surrogateescape")
        shift = rest.sequence + 1 - packets.count(payload)
        self._fly("results", part=part, parts=rest.count, sequence_shift=shift)
        return Request(packets.packed(payload), text, part=part, parts=rest.count)

    def _execution(self, packet: Packet, command: int) -> Request:
        number = int.from_bytes(packet.payload[1:5], "little")
        if number == LAST_PREPARED:
            number = self._last_prepared
        statement = self._statements.get(number)
        if statement is None:
            return Request(packet.raw)
        values = None
        if command == EXECUTE and statement.parameters:
            values = self._values(packet.payload, statement)
        return Request(packet.raw, statement.text, values)

    def _values(self, payload: bytes, statement: _Statement) -> Values | None:
        named = bool(self._wanted & packets.QUERY_ATTRIBUTES)
        counted = bool(payload[5] & PARAMETER_COUNT_IS_GIVEN)
        if statement.long_data or named != counted:
            return None
        try:
            count, at = read_length(payload, 10) if named else (statement.parameters, 10)
            bound = read_values(payload, at, count, statement.types, named=named)
        except (Opaque, IndexError, struct.error):
            return None
        statement.types = bound.types
        return bound.values and bound.values[: statement.parameters]

    def heard_server(self, data: bytes) -> Iterator[Piece]:
        self._from_server += data
        kept = bytearray()
        for length, raw in packets.take_physical(self._from_server):
            if not self._greeted:
                self._greeted = True
                raw, self.pid, self._offered = packets.modest_greeting(raw)
            flight = self._flight
            continues, self._continues = self._continues, length == FULL
            if flight is None:
                kept += raw
                continue
            head = Head(raw[4 : 4 + HEAD_BYTES], length)
            over = not continues and flight.answer.take(head)
            kept += self._rejoined(raw, flight, over)
            if over:
                yield self._over(bytes(kept), flight)
                kept.clear()
            elif flight.answer.wants_file:
                yield Piece(bytes(kept), urgent=True)
                kept.clear()
        if kept:
            yield Piece(bytes(kept))

    def _rejoined(self, raw: bytes, flight: _Flight, over: bool) -> bytes:
        """The packet as it stands in the one answer that the client waits for."""
        if flight.parts == 1:
            return raw
        packet = bytearray(raw)
        flight.last_sequence = packet[3] + flight.sequence_shift
        packet[3] = flight.last_sequence & 0xFF
        if over and self._rest.parts and not flight.answer.error:
            packet[4 + flight.answer.status_at] |= MORE_RESULTS
        return bytes(packet)

    def _over(self, data: bytes, flight: _Flight) -> Piece:
        answer = flight.answer
        self._flight = None
        self._rest.sequence = flight.last_sequence
        if answer.error or not self._rest.parts:
            self._rest = _Rest()
        if answer.prepared is not None:
            number, parameters = answer.prepared
            self._statements[number] = _Statement(flight.prepares, parameters)
            self._last_prepared = number
        return Piece(data, over=True, error=answer.error, in_transaction=answer.in_transaction)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")

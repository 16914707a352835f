"""Where an answer of MySQL or MariaDB ends: that follows from what was asked, packet by packet.

Source: MySQL source documentation, "Client/Server Protocol", and MariaDB's "Client/Server
Protocol" for what it adds (progress reports).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

IN_TRANSACTION = 0x0001
MORE_RESULTS = 0x0008
CURSOR_EXISTS = 0x0040

OK, INFILE, END, ERROR = 0x00, 0xFB, 0xFE, 0xFF
FULL = 0xFFFFFF
"""The length of a packet that another one continues."""


@dataclass(frozen=True)
class Head:
    """The beginning of a packet's payload, as much of it as tells what it is."""

    data: bytes
    length: int

    @property
    def kind(self) -> int:
        return self.data[0] if self.data else OK

    @property
    def is_progress(self) -> bool:
        """MariaDB's progress report, which has the shape of an error."""
        return self.data[:3] == b"\xff\xff\xff"


HEAD_BYTES = 32
_Packets = Generator[None, Head, None]


class Answer:
    """Follows one answer; ``awaits`` says what was asked."""

    def __init__(self, awaits: str, *, eof_packets: bool) -> None:
        self.error = ""
        self.status: int | None = None
        """The server's status flags, of the last packet that carried them."""
        self.status_at = 0
        """Where they are in that packet's payload."""
        self.wants_file = False
        """The server waits for the rows of a LOAD DATA LOCAL."""
        self.prepared: tuple[int, int] | None = None
        """Id and number of parameters of the statement that was prepared."""
        self._eof_packets = eof_packets
        follow = {
            "packet": self._packet,
            "line": self._line,
            "endless": self._endless,
            "login": self._login,
            "rows": self._rows,
            "results": self._results,
            "preparation": self._preparation,
        }
        self._packets: _Packets = follow[awaits]()
        next(self._packets)

    def take(self, head: Head) -> bool:
        """Follow one more packet; True if the answer is over."""
        if head.is_progress:
            return False
        try:
            self._packets.send(head)
        except StopIteration:
            return True
        return False

    @property
    def in_transaction(self) -> bool | None:
        if self.error or self.status is None:
            return None
        return bool(self.status & IN_TRANSACTION)

    def _packet(self) -> _Packets:
        """One packet, whatever it is."""
        self._note((yield))

    def _line(self) -> _Packets:
        """One packet of text for people."""
        yield

    def _endless(self) -> _Packets:
        """A stream of the binary log."""
        while True:
            yield

    def _login(self) -> _Packets:
        """Whatever the two sides have to settle, until OK or an error."""
        while (head := (yield)).kind not in (OK, ERROR):
            pass
        self._note(head)

    def _rows(self) -> _Packets:
        head = yield
        while not self._ends_rows(head):
            head = yield
        self._note(head)

    def _results(self) -> _Packets:
        """Results of one or many statements."""
        while True:
            head = yield
            self.wants_file = head.kind == INFILE
            if self.wants_file:
                continue
            if head.kind not in (OK, ERROR):
                yield from self._result_set(read_length(head.data, 0)[0])
            else:
                self._note(head)
            if self.error or not (self.status or 0) & MORE_RESULTS:
                return

    def _result_set(self, columns: int) -> _Packets:
        for _ in range(columns):
            yield
        if self._eof_packets:
            self._note((yield))
            if self.error or (self.status or 0) & CURSOR_EXISTS:
                return
        yield from self._rows()

    def _preparation(self) -> _Packets:
        head = yield
        if head.kind == ERROR:
            self._note(head)
            return
        number = int.from_bytes
        columns, parameters = number(head.data[5:7], "little"), number(head.data[7:9], "little")
        self.prepared = (number(head.data[1:5], "little"), parameters)
        for definitions in (parameters, columns):
            for _ in range(definitions + (self._eof_packets and definitions > 0)):
                yield

    def _ends_rows(self, head: Head) -> bool:
        """A row can begin with 0xFE too, but only one of 16 MB."""
        longest = 9 if self._eof_packets else FULL
        return head.kind == ERROR or (head.kind == END and head.length < longest)

    def _note(self, head: Head) -> None:
        if head.kind == ERROR:
            self.error = str(int.from_bytes(head.data[1:3], "little"))
            return
        if head.kind == END and self._eof_packets:
            at = 3
        else:
            at = 1
            for _ in ("affected rows", "last insert id"):
                _, at = read_length(head.data, at)
        self.status, self.status_at = int.from_bytes(head.data[at : at + 2], "little"), at


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer and where what follows it begins. IndexError if it is cut off."""
    first = data[at]
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
    if not size:
        return first, at + 1
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size

"""One client's connection through the proxy: what is sent on, what is held, what is dropped."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol

from harness.wire.ends import End
from harness.wire.exchange import Dialogue, Message, Onward, Piece, Reply, Request

MALFORMED = (ValueError, IndexError, struct.error)
"""Bytes that are not the protocol; the connection ends, as it would at the server."""


class Desk(Protocol):
    """Numbers the messages of all connections, and knows where the run is to be held."""

    def enter(self, request: Request, connection: Connection) -> Message | None:
        """The request's place among the changing messages; None if it changes nothing."""

    def stops(self, message: Message, where: str, connection: Connection) -> bool:
        """Whether the run is held here; from then on it is, until it is released."""

    def dropped(self, connection: Connection) -> None:
        """What was held of this connection will never go on."""


class Connection:
    """Two ends and the dialogue between them; it runs in the proxy's own thread.

    A client that is gone takes its connection with it at once, as a process that dies does when
    nothing stands between. Only a message that is handed on in parts goes on without it: the
    server would have had the whole of it.
    """

    def __init__(
        self, ordinal: int, client: End, server: End, dialogue: Dialogue, desk: Desk
    ) -> None:
        self.ordinal = ordinal
        self._client = client
        self._server = server
        self._dialogue = dialogue
        self._desk = desk
        self._message: Message | None = None
        self._held: Request | None = None
        self._answer_held = False
        self._answer = bytearray()
        self._deserted = False
        self._leave_server: Callable[[], None] = server.close_when_sent
        client.on_data, client.on_gone = self._heard_client, self._client_gone
        server.on_data, server.on_gone = self._heard_server, self._server_gone

    @property
    def pid(self) -> int:
        """The server's session, 0 until it is known."""
        return self._dialogue.pid

    @property
    def stands(self) -> bool:
        """The client is still connected."""
        return not self._client.closed

    def _heard_client(self, data: bytes) -> None:
        try:
            self._dialogue.heard_client(data)
            self._go_on()
        except MALFORMED:
            self._client_gone()

    def _go_on(self) -> None:
        """Do what can be done, up to the next request that must wait or is held."""
        while self._held is None and not self._answer_held:
            step = self._dialogue.next()
            if step is None:
                return
            if isinstance(step, Reply):
                self._client.send(step.data)
            elif isinstance(step, Onward):
                self._server.send(step.data)
            else:
                self._take_up(step)

    def _take_up(self, request: Request) -> None:
        self._message = self._desk.enter(request, self)
        if self._message is not None and self._may_stop(self._message, "before"):
            self._held = request
        else:
            self._send_on(request)

    def _may_stop(self, message: Message, where: str) -> bool:
        return not self._deserted and self._desk.stops(message, where, self)

    def _send_on(self, request: Request) -> None:
        if self._message is not None:
            self._message.sent_on = True
        self._server.send(request.data)

    def _heard_server(self, data: bytes) -> None:
        try:
            for piece in self._dialogue.heard_server(data):
                self._heard_piece(piece)
            if self._deserted and not self._dialogue.unfinished:
                self._leave_server()
            else:
                self._go_on()
        except MALFORMED:
            self._server_gone()

    def _heard_piece(self, piece: Piece) -> None:
        self._answer += piece.data
        message = self._message
        if message is not None:
            message.error = message.error or piece.error
            if piece.over:
                message.in_transaction = piece.in_transaction
                message.answered = True
                self._message = None
                self._answer_held = self._may_stop(message, "answered")
        if piece.urgent or (self._message is None and not self._answer_held):
            self._deliver()

    def _deliver(self) -> None:
        self._client.send(bytes(self._answer))
        self._answer.clear()

    def release(self) -> None:
        """Let what is held go on."""
        if self._answer_held:
            self._answer_held = False
            self._deliver()
            if self._server.closed:
                self._client.close_when_sent()
                return
        elif self._held is not None:
            request, self._held = self._held, None
            self._send_on(request)
        self._go_on()

    def _client_gone(self) -> None:
        self._client.close()
        self._desert()

    def _desert(self) -> None:
        self._deserted = True
        request, self._held = self._held, None
        self._answer_held = False
        self._answer.clear()
        self._desk.dropped(self)
        unsent = request is not None and request.part == 1
        if unsent or not self._dialogue.unfinished:
            self._leave_server()
            return
        if request is not None:
            self._send_on(request)
        self._go_on()

    def _server_gone(self) -> None:
        self._server.close()
        if self._answer_held:
            return
        self._held = None
        self._desk.dropped(self)
        self._deliver()
        self._client.close_when_sent()

    def cut(self, *, server_notices: bool) -> None:
        """Part the two sides, as when the network between them fails."""
        self._leave_server = self._server.close if server_notices else self._server.fall_silent
        self._client_gone()

    def close(self) -> None:
        """Close both sides now."""
        self._client.close()
        self._server.close()

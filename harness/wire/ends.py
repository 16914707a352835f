"""One socket of the proxy: what waits to be sent on it, and when it closes."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable

CHUNK = 1 << 18

Handler = Callable[[], None]


class End:
    """A socket that never blocks; it is used by the proxy's own thread alone."""

    def __init__(self, sock: socket.socket, selector: selectors.BaseSelector) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._selector = selector
        self._waiting = bytearray()
        self._events = selectors.EVENT_READ
        self._closes = False
        self.closed = False
        self.on_data: Callable[[bytes], None] = lambda _data: None
        self.on_gone: Handler = lambda: None
        selector.register(sock, self._events, self)

    def ready(self, events: int) -> None:
        """The selector says that it can be read or written."""
        if events & selectors.EVENT_WRITE:
            self._flush()
        if events & selectors.EVENT_READ and not self.closed:
            self._read()

    def _read(self) -> None:
        try:
            data = self._sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.on_data(data)
        else:
            self.on_gone()

    def send(self, data: bytes) -> None:
        """Send it now or as soon as it can be; what an other side that is gone never gets."""
        if self.closed or self._closes or not data:
            return
        self._waiting += data
        if not self._events & selectors.EVENT_WRITE:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._waiting:
                sent = self._sock.send(memoryview(self._waiting)[:CHUNK])
                del self._waiting[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
        if not self._waiting and self._closes:
            self.close()
        else:
            self._watch(selectors.EVENT_READ | (selectors.EVENT_WRITE if self._waiting else 0))

    def _watch(self, events: int) -> None:
        if events != self._events:
            self._selector.modify(self._sock, events, self)
            self._events = events

    def close_when_sent(self) -> None:
        """Close as soon as nothing waits to be sent; until then nothing more is heard."""
        self._closes = True
        self.on_data = lambda _data: None
        self.on_gone = self.close
        if not self.closed:
            self._flush()

    def fall_silent(self) -> None:
        """Neither read nor write any more, and stay open."""
        if not self.closed:
            self._selector.unregister(self._sock)
            self.closed = True

    def close(self) -> None:
        """Close now; also what has fallen silent."""
        if not self.closed:
            self._selector.unregister(self._sock)
            self.closed = True
        with contextlib.suppress(OSError):
            self._sock.close()

"""A relay on loopback between a migrator and its server, so that their connection can be cut.

The bytes pass unread. It exists because a process that dies takes its connection with it in an
orderly way (FIN), while a network that dies tells nobody.
"""

from __future__ import annotations

import contextlib
import socket
import threading

CHUNK = 65536


class Relay:
    """Forwards each connection to one address until it is cut or closed."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream, timeout=5)
            except OSError:
                return
            server.settimeout(None)
            with self._lock:
                self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if self._cut:
                    return
                sink.sendall(data)
        if not self._cut:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

    def cut(self, *, server_notices: bool) -> int:
        """Cut every connection; the number cut.

        The client's side is closed. The server's side is closed too, or left open and silent,
        as when a cable is pulled: then the server goes on waiting for its client.
        """
        with self._lock:
            self._cut = True
            for client, server in self._pairs:
                _close(client)
                if server_notices:
                    _close(server)
            return len(self._pairs)

    def close(self) -> None:
        """Close everything, the silent sides too."""
        _close(self._listener)
        with self._lock:
            for pair in self._pairs:
                for end in pair:
                    _close(end)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()

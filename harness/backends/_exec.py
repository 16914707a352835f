"""Talks to a program run by ``docker exec`` over its one socket, both ways at once."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from typing import Any

from harness.errors import DeadlineExceeded

HEADER = struct.Struct(">BxxxL")
"""Each frame of the engine's stream: 1 is stdout, 2 is stderr, then the length in bytes."""
STDOUT, STDERR = 1, 2
CHUNK = 1 << 18


def converse(hijacked: Any, stdin: bytes, deadline_s: float) -> tuple[bytes, bytes]:
    """Send ``stdin`` and its end, collect (stdout, stderr) until the program closes them.

    ``hijacked`` is what ``exec_start(socket=True)`` gives. DeadlineExceeded after
    ``deadline_s`` seconds; ConnectionError if the engine hangs up amid a frame.
    """
    connection: socket.socket = hijacked._sock
    connection.setblocking(False)
    received = bytearray(_read_ahead(hijacked))
    end = time.monotonic() + deadline_s
    left = memoryview(stdin)
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            ready = selector.select(max(0.0, end - time.monotonic()))
            if time.monotonic() >= end:
                raise DeadlineExceeded(f"no end of output within {deadline_s:g} s")
            for _, events in ready:
                if events & selectors.EVENT_WRITE:
                    left = _send(connection, left)
                    if not left:
                        selector.modify(connection, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    chunk = connection.recv(CHUNK)
                    if not chunk:
                        return _unframed(received)
                    received += chunk


def _read_ahead(hijacked: Any) -> bytes:
    """What the HTTP client has already read past the response's headers."""
    response = getattr(hijacked, "_response", None)
    return (response.raw._fp.fp.read1(CHUNK) or b"") if response is not None else b""


def _send(connection: socket.socket, left: memoryview) -> memoryview:
    """What is still to be sent; the end of input is told by closing our half."""
    try:
        left = left[connection.send(left[:CHUNK]) :] if left else left
        if not left:
            connection.shutdown(socket.SHUT_WR)
    except BlockingIOError:
        return left
    except (BrokenPipeError, ConnectionResetError):
        return memoryview(b"")
    return left


def _unframed(received: bytearray) -> tuple[bytes, bytes]:
    parts: dict[int, list[memoryview]] = {STDOUT: [], STDERR: []}
    view = memoryview(received)
    at = 0
    while at < len(view):
        if at + HEADER.size > len(view):
            raise ConnectionError("the engine hung up amid a frame's header")
        kind, length = HEADER.unpack_from(view, at)
        at += HEADER.size
        if at + length > len(view):
            raise ConnectionError("the engine hung up amid a frame")
        parts[STDERR if kind == STDERR else STDOUT].append(view[at : at + length])
        at += length
    return b"".join(parts[STDOUT]), b"".join(parts[STDERR])

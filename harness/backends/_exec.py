"""Talks to a program run by ``docker exec`` over its one socket: all at once, or by lines."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from docker import APIClient

from harness.backends._api import LIMIT_S, POLL_S
from harness.errors import DeadlineExceeded
from harness.ports import ToolResult

HEADER = struct.Struct(">BxxxL")
"""Each frame of the engine's stream: 1 is stdout, 2 is stderr, then the length in bytes."""
STDOUT, STDERR = 1, 2
CHUNK = 1 << 18
KILLED = 137
"""128 + SIGKILL, the exit status of a process that was killed."""


def run_tool(
    api: APIClient,
    container: str,
    argv: Sequence[str],
    environment: dict[str, str],
    stdin: bytes | Iterator[bytes],
    timeout_s: float,
) -> ToolResult:
    """Run a program in the container as root; DeadlineExceeded kills it there."""
    began = time.monotonic()
    run = api.exec_create(
        container,
        ["timeout", "-s", "KILL", f"{timeout_s:g}", *argv],
        stdin=True,
        environment=environment,
        user="root",
    )["Id"]
    with closing(api.exec_start(run, socket=True)) as stream:
        out, err = converse(stream, stdin, timeout_s + LIMIT_S)
    code = _exit_code(api, run, argv[0])
    if code == KILLED and time.monotonic() - began >= timeout_s:
        raise DeadlineExceeded(f"{argv[0]} was killed: no end within {timeout_s:g} s")
    return ToolResult(code, out, err)


def _exit_code(api: APIClient, run: str, name: str) -> int:
    """The output may end a moment before the engine knows the exit code."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        found = api.exec_inspect(run)
        if not found["Running"] and found["ExitCode"] is not None:
            code: int = found["ExitCode"]
            return code
        time.sleep(POLL_S)
    raise DeadlineExceeded(f"{name} closed its output in the container and did not end")


def converse(
    hijacked: Any, stdin: bytes | Iterator[bytes], deadline_s: float
) -> tuple[bytes, bytes]:
    """Send ``stdin`` and its end, collect (stdout, stderr) until the program closes them.

    ``hijacked`` is what ``exec_start(socket=True)`` gives. DeadlineExceeded after
    ``deadline_s`` seconds; ConnectionError if the engine hangs up amid a frame.
    """
    connection: socket.socket = hijacked._sock
    connection.setblocking(False)
    received = bytearray(_read_ahead(hijacked))
    end = time.monotonic() + deadline_s
    pieces = iter((stdin,)) if isinstance(stdin, bytes) else stdin
    left: memoryview | None = memoryview(b"")
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            ready = selector.select(max(0.0, end - time.monotonic()))
            if time.monotonic() >= end:
                raise DeadlineExceeded(f"no end of output within {deadline_s:g} s")
            for _, events in ready:
                if events & selectors.EVENT_WRITE:
                    left = _send(connection, left, pieces)
                    if left is None:
                        selector.modify(connection, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    chunk = connection.recv(CHUNK)
                    if not chunk:
                        return _unframed(received)
                    received += chunk


class Lines:
    """A conversation by lines with a program that stays: what it writes to stdout is heard."""

    def __init__(self, hijacked: Any) -> None:
        """``hijacked`` is what ``exec_start(socket=True)`` gives."""
        self._hijacked = hijacked
        self._connection: socket.socket = hijacked._sock
        self._received = bytearray(_read_ahead(hijacked))
        self._said = _whole_frames(self._received)

    def send(self, line: str) -> None:
        """ConnectionError if the program or the way to it is gone."""
        self._connection.sendall(line.encode() + b"\n")

    def receive(self, deadline_s: float) -> str:
        """The next line. ConnectionError at its end; DeadlineExceeded after ``deadline_s``."""
        end = time.monotonic() + deadline_s
        while b"\n" not in self._said:
            self._connection.settimeout(max(0.001, end - time.monotonic()))
            try:
                chunk = self._connection.recv(CHUNK)
            except TimeoutError:
                raise DeadlineExceeded(f"no answer within {deadline_s:g} s") from None
            if not chunk:
                raise ConnectionError("the program or the way to it has ended")
            self._received += chunk
            self._said += _whole_frames(self._received)
        line, _, self._said = self._said.partition(b"\n")
        return line.decode("utf-8", "replace")

    def close(self) -> None:
        self._hijacked.close()
        self._connection.close()


def _whole_frames(received: bytearray) -> bytes:
    """Take the complete frames off the front; returns what they say on stdout."""
    said = b""
    while len(received) >= HEADER.size:
        kind, length = HEADER.unpack_from(received)
        if len(received) < HEADER.size + length:
            break
        if kind == STDOUT:
            said += received[HEADER.size : HEADER.size + length]
        del received[: HEADER.size + length]
    return said


def _read_ahead(hijacked: Any) -> bytes:
    """What the HTTP client has already read past the response's headers."""
    response = getattr(hijacked, "_response", None)
    return (response.raw._fp.fp.read1(CHUNK) or b"") if response is not None else b""


def _send(
    connection: socket.socket, left: memoryview | None, pieces: Iterator[bytes]
) -> memoryview | None:
    """What is left of the piece at hand; None at the end of input, told by closing our half."""
    if not left:
        piece = next((piece for piece in pieces if piece), None)
        left = None if piece is None else memoryview(piece)
    try:
        if left is None:
            connection.shutdown(socket.SHUT_WR)
            return None
        return left[connection.send(left[:CHUNK]) :]
    except BlockingIOError:
        return left
    except (BrokenPipeError, ConnectionResetError):
        return None


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

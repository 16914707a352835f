"""The proxy: accepts clients, leads each to the server, and holds the run where it is told.

One thread moves all bytes; the methods hand it what to do and wait until it is done, so when
``release`` or ``cut`` returns, it has happened.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from harness.errors import DeadlineExceeded, UsageError
from harness.wire.changing import TAKES_A_LOCK, can_change
from harness.wire.connection import Connection
from harness.wire.ends import End
from harness.wire.exchange import Breakpoint, Dialogue, Message, Request
from harness.wire.mysql import MySQLDialogue
from harness.wire.pacing import Split
from harness.wire.postgres import PostgresDialogue

CONNECT_TIMEOUT_S = 5.0
POLL_S = 0.005
"""How often a waiter asks whether the run has ended; a stop wakes it at once."""
RECENT = 16
LOCK = 0
"""The number of a read that takes an advisory lock, for a breakpoint."""
PACED = {"postgres": False, "mysql": True}
"""Whether the protocol's multi-statement messages can be handed on one statement at a time: on
PostgreSQL such a message is one transaction, so cutting it would change what it does."""


@dataclass
class _Held:
    message: Message
    connection: Connection


class Proxy:
    """A server's address on loopback behind which a run can be stopped between two messages."""

    def __init__(
        self,
        protocol: str,
        upstream: tuple[str, int],
        *,
        paced: bool = False,
        split: Split | None = None,
    ) -> None:
        """Listen on 127.0.0.1, at ``port``.

        ``protocol``: postgres, or mysql (MariaDB too). ``paced``: hand a message of several
        statements on statement by statement, as ``split`` cuts it. UsageError if that cannot be.
        """
        if protocol not in PACED:
            raise UsageError(f"unknown protocol {protocol!r}; known: {', '.join(PACED)}")
        if paced and (split is None or not PACED[protocol]):
            raise UsageError(f"{protocol}: pacing needs a way to split, and works on mysql only")
        self._protocol = protocol
        self._upstream = upstream
        self._split = split if paced else None
        self._messages: list[Message] = []
        self._connections: list[Connection] = []
        self._stop: Breakpoint | None = None
        self._held: _Held | None = None
        self.reads = 0
        """How many messages that change nothing have come."""
        self.locks: list[str] = []
        """Those of them that take an advisory lock."""
        self.recent: deque[str] = deque(maxlen=RECENT)
        """The last messages of either kind, as they came."""
        self._changed = threading.Condition()
        self._tasks: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._open = True
        self._thread = threading.Thread(target=self._serve, name="wire-proxy", daemon=True)
        self._thread.start()

    @property
    def messages(self) -> list[Message]:
        """Every changing message so far, in the order they came."""
        return list(self._messages)

    def sessions(self) -> tuple[int, ...]:
        """The server's sessions of all connections so far, also of those that have ended."""
        return tuple(c.pid for c in list(self._connections) if c.pid)

    def stop_at(self, stop: Breakpoint | None) -> None:
        """Hold the run there; None: nowhere. A place that the run has passed holds nothing."""
        self._do(lambda: setattr(self, "_stop", stop))

    def wait_stopped(self, deadline_s: float, ended: Callable[[], bool]) -> Message | None:
        """The message at which the run is held; None if ``ended`` says first that it is over.

        DeadlineExceeded if neither comes within ``deadline_s``.
        """
        end = time.monotonic() + deadline_s
        with self._changed:
            while self._held is None:
                if ended():
                    return self._message_held()
                if time.monotonic() >= end:
                    raise DeadlineExceeded(
                        f"waited {deadline_s:g} s for the run to come to {self._stop}; "
                        f"{len(self._messages)} messages have come"
                    )
                self._changed.wait(POLL_S)
            return self._message_held()

    def _message_held(self) -> Message | None:
        return self._held.message if self._held else None

    def release(self, then: Breakpoint | None = None) -> None:
        """Let the held message or answer pass, and hold again at ``then``."""

        def release() -> None:
            self._stop = then
            held = self._forget_held()
            if held is not None:
                held.connection.release()

        self._do(release)

    def cut(self, *, server_notices: bool = True) -> int:
        """Cut all connections that stand now; the number cut.

        The client's side is closed; the server's is closed too, or left open and silent. What is
        held is dropped, and later connections pass freely. Of a message that is handed on in
        parts, the server gets the parts that are left, since it would have had all of them.
        """

        def cut() -> int:
            self._stop = None
            standing = [c for c in self._connections if c.stands]
            for connection in standing:
                connection.cut(server_notices=server_notices)
            return len(standing)

        return self._do(cut) or 0

    def close(self) -> None:
        """Close everything, also what is silent; safe to call twice."""
        self._do(lambda: setattr(self, "_open", False))
        self._thread.join()

    def _do(self, task: Callable[[], Any]) -> Any:
        """Let the proxy's thread do it; None if the proxy is closed."""
        done: Future[Any] = Future()
        with self._changed:
            if not self._open:
                return None
            self._tasks.append((task, done))
            self._wake.send(b"!")
        return done.result()

    def _serve(self) -> None:
        try:
            while self._open:
                for key, events in self._selector.select():
                    if isinstance(key.data, End):
                        if not key.data.closed:
                            key.data.ready(events)
                    elif key.fileobj is self._listener:
                        self._accept()
                    else:
                        self._work()
        finally:
            self._shut()

    def _work(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._tasks and self._open:
            task, done = self._tasks.popleft()
            try:
                done.set_result(task())
            except Exception as error:
                done.set_exception(error)

    def _shut(self) -> None:
        with self._changed:
            self._open = False
            for _, done in self._tasks:
                done.set_result(None)
        for connection in self._connections:
            connection.close()
        for sock in (self._listener, self._wake, self._woken):
            sock.close()
        self._selector.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(self._upstream, timeout=CONNECT_TIMEOUT_S)
        except OSError:
            client.close()
            return
        ends = End(client, self._selector), End(server, self._selector)
        ordinal = len(self._connections) + 1
        self._connections.append(Connection(ordinal, *ends, self._dialogue(), self))

    def _dialogue(self) -> Dialogue:
        made: dict[str, Callable[[], Dialogue]] = {
            "postgres": PostgresDialogue,
            "mysql": lambda: MySQLDialogue(self._split),
        }
        return made[self._protocol]()

    def enter(self, request: Request, connection: Connection) -> Message | None:
        """See :class:`harness.wire.connection.Desk`; called by the proxy's thread."""
        if request.text:
            self.recent.append(request.text)
        if not can_change(request.text, self._protocol):
            self.reads += bool(request.text)
            return self._taking_a_lock(request, connection)
        message = Message(
            n=len(self._messages) + 1,
            text=request.text,
            part=request.part,
            parts=request.parts,
            values=request.values,
            pid=connection.pid,
            connection=connection.ordinal,
        )
        self._messages.append(message)
        return message

    def _taking_a_lock(self, request: Request, connection: Connection) -> Message | None:
        """The read as a message without a number, if the run is to be held before its lock."""
        if not TAKES_A_LOCK.search(request.text):
            return None
        self.locks.append(request.text)
        message = Message(LOCK, request.text, pid=connection.pid, connection=connection.ordinal)
        return message if self._stop == Breakpoint(LOCK, "before") else None

    def stops(self, message: Message, where: str, connection: Connection) -> bool:
        """See :class:`harness.wire.connection.Desk`; called by the proxy's thread."""
        if self._stop != Breakpoint(message.n, where):
            return False
        with self._changed:
            self._stop = None
            self._held = _Held(message, connection)
            self._changed.notify_all()
        return True

    def dropped(self, connection: Connection) -> None:
        """See :class:`harness.wire.connection.Desk`; called by the proxy's thread."""
        if self._held is not None and self._held.connection is connection:
            self._forget_held()

    def _forget_held(self) -> _Held | None:
        with self._changed:
            held, self._held = self._held, None
        return held

"""Sends what a tool sends, in a process of its own, so that it can really be killed.

The order of messages comes from the tool's adapter (``harness/tools/adapters``); what a report says
of such a run it says of an emulation. A run that is *steered* stops before and after each message
that carries statements of the migration, and goes on when it is told to.

The process and whoever started it talk over one pipe: facts of the run go up, orders come down. A
pipe that closes ends the process at once, so it never outlives the harness.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from harness import registry
from harness.errors import DatabaseError, DrillError
from harness.ports import Address, Order, Rows, Session
from harness.servers import guard
from harness.tools import tool_lock
from harness.tools.adapter import Emulation, filled, in_sql, lock_key
from harness.tools.tool_lock import LOCKED

REFUSED = "dirty"
"""The code of a run that the tool itself refuses, as a dirty flag makes it do."""
GUARD = "guard"
"""The code of a run that came to a server which is not ours."""
OPENS = frozenset({"BEGIN", "START TRANSACTION"})
CLOSES = frozenset({"COMMIT", "ROLLBACK"})
FOREIGN = ("PG", "MYSQL", "DATABASE_URL", "DB_")
"""Variables by which a client might be led to another server; none of them reaches this process."""


@dataclass(frozen=True)
class Unit:
    """One direction of one migration, ready to be sent."""

    version: str
    previous: str
    name: str
    text: str
    statements: tuple[str, ...]
    transaction: bool = True
    sha256: str = ""
    """Of the migration's way up, whichever way this is."""


@dataclass(frozen=True)
class Job:
    """All that the process needs to know.

    ``units`` are the migrations up to the target, in order; the last one is the target. Those that
    the tool does not take for applied are sent, as the tool would do. On the way down it is the
    last one alone.
    """

    engine: str
    emulation: Emulation
    units: tuple[Unit, ...]
    applied: str
    """The adapter's query for the versions that the tool takes for applied; empty: none."""
    applied_up_to: bool
    address: Address
    database: str
    nonce: str
    identity: str
    down: bool = False
    force: str | None = None
    """Only make the tool take this version for applied, as its own command does."""
    steered: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    """Timeouts of the session, as the engine's connector takes them."""


@dataclass(frozen=True)
class Connected:
    """The run has a server session."""

    pid: int


@dataclass(frozen=True)
class Stopped:
    """The run waits before or after the message that carries statements first … last."""

    where: str
    first: int
    last: int


@dataclass(frozen=True)
class Ended:
    """The run is over; ``code`` and ``message`` are empty if it went well."""

    finished: bool
    code: str = ""
    message: str = ""


Fact = Connected | Stopped | Ended
Said = TypeVar("Said")


Stop = Callable[[str, int, int], str]
"""``stop(where, first, last)``: waits if the run is steered; a text to send instead, or ""."""


def main(job: Job, pipe: Connection) -> None:
    """Run the job; its exit status is 0 only on success, and how it ended goes into the pipe."""
    _be_alone()
    orders = _listen(pipe)
    try:
        _run(job, pipe, orders)
        ended = Ended(True)
    except DatabaseError as error:
        ended = Ended(False, error.code, error.message)
    except DrillError as error:
        ended = Ended(False, GUARD, str(error))
    with suppress(OSError):
        pipe.send(ended)
    os._exit(0 if ended.finished else 1)


def _be_alone() -> None:
    """A session of our own: a Ctrl-C at the terminal is the harness's to answer."""
    with suppress(OSError):
        os.setsid()
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]


def _listen(pipe: Connection) -> queue.SimpleQueue[Order]:
    inbox: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def read() -> None:
        try:
            while True:
                inbox.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    return inbox


def _run(job: Job, pipe: Connection, orders: queue.SimpleQueue[Order]) -> None:
    engine = registry.engine(job.engine)

    def connect() -> Session:
        session: Session = engine.connector.connect(
            job.address, job.database, application="migration"
        )
        guard.check(engine, session, job.nonce, job.identity)
        if job.limits:
            engine.connector.limit(session, **job.limits)
        pipe.send(Connected(session.pid))
        return session

    def stop(where: str, first: int, last: int) -> str:
        if not job.steered:
            return ""
        pipe.send(Stopped(where, first, last))
        order = orders.get()
        if order.limits:
            engine.connector.limit(tool.session, **order.limits)
        return order.instead

    def give_up(says: str) -> None:
        with suppress(OSError):
            pipe.send(Ended(False, LOCKED, says))
        os._exit(1)

    tool = Tool(connect, job, stop, give_up)
    tool.run()
    tool.session.close()


class Tool:
    """One run of an emulated tool in one session, or in several where the tool connects again."""

    def __init__(
        self,
        connect: Callable[[], Session],
        job: Job,
        stop: Stop,
        give_up: Callable[[str], None],
    ) -> None:
        """``give_up`` ends the process where its session waits for ever."""
        self._give_up = give_up
        self._connect = connect
        self.session = connect()
        self._job = job
        self._emulation = job.emulation
        self._stop = stop
        self._target = job.units[-1]
        self._in_transaction = False

    def run(self) -> None:
        """Bring the database to the target, or back from it. DatabaseError if that fails."""
        first = self._emulation.lock_first
        if not first:
            self._set_up()
        values = self._values(self._target)
        with tool_lock.taken(self._emulation, values, self._run, self._give_up):
            if first:
                self._set_up()
            self._go(self._applied())

    def _go(self, done: Sequence[str]) -> None:
        """What it does once it has its lock, where it takes one."""
        if self._job.force is not None:
            forced = {**self._values(self._target), "version": self._job.force}
            self._send_all(self._emulation.force, forced)
            return
        self._refuse()
        if not self._job.down:
            self._up([unit for unit in self._job.units if unit.version not in done])
        elif self._target.version in done:
            self._migrate(self._target, is_target=True)

    def _up(self, pending: Sequence[Unit]) -> None:
        values = self._values(self._target)
        self._send_all(self._emulation.before_run, values)
        for unit in pending:
            self._migrate(unit, is_target=unit is self._target)
        self._send_all(self._emulation.after_run, values)

    def _set_up(self) -> None:
        """Make the tool's table, if it is not there."""
        if not self._job.applied:
            return
        if not self._emulation.setup_every_run:
            try:
                self._run(self._job.applied)
            except DatabaseError as error:
                if error.lost:
                    raise
            else:
                return
        self._send_all(self._emulation.setup, self._values(self._target))

    def _applied(self) -> Sequence[str]:
        """The versions the tool takes for applied."""
        job = self._job
        versions = [unit.version for unit in job.units]
        if not job.applied:
            return versions if job.down else versions[:-1]
        found = [str(row[0]) for row in self._run(job.applied).rows]
        if not job.applied_up_to or job.down:
            return found
        last = max((versions.index(v) for v in found if v in versions), default=-1)
        return versions[: last + 1]

    def _values(self, unit: Unit) -> Mapping[str, Any]:
        return {
            "version": unit.version,
            "previous": unit.previous,
            "name": unit.name,
            "sha256": unit.sha256,
            "database": self._job.database,
            "lock_key": lock_key(self._job.database),
        }

    def _refuse(self) -> None:
        if not self._emulation.refuse:
            return
        rows = self._run(filled(self._emulation.refuse, self._values(self._target))).rows
        if rows:
            told = filled(self._emulation.says, {"found": rows[0][0]})
            raise DatabaseError(REFUSED, told)

    def _migrate(self, unit: Unit, *, is_target: bool) -> None:
        emulation, values = self._emulation, self._values(unit)
        before, after = emulation.before, emulation.after
        if self._job.down:
            before = before if emulation.before_down is None else emulation.before_down
            after = after if emulation.after_down is None else emulation.after_down
        self._send_all(_around(before, unit), values)
        try:
            self._send(unit, self._stop if is_target else _go_on)
            self._send_all(_around(after, unit), values)
        except DatabaseError as error:
            if not error.lost:
                self._send_all(_around(emulation.failed, unit), values)
            raise

    def _send(self, unit: Unit, stop: Stop) -> None:
        if self._emulation.wire == "whole-file":
            if unit.text.strip():
                last = len(unit.statements)
                self._run_file(stop("before", 1, last) or unit.text)
                stop("after", 1, last)
            return
        for n, statement in enumerate(unit.statements, 1):
            self._run_file(stop("before", n, n) or statement)
            stop("after", n, n)

    def _send_all(self, messages: Sequence[str], values: Mapping[str, Any]) -> None:
        for sql in messages:
            self._run(filled(sql, in_sql(values)))
            self._in_transaction = _control(sql) in OPENS or (
                self._in_transaction and _control(sql) not in CLOSES
            )

    def _run(self, sql: str) -> Rows:
        return self._said(lambda session: session.run(sql))

    def _run_file(self, text: str) -> None:
        self._said(lambda session: session.run_file(text))

    def _said(self, say: Callable[[Session], Said]) -> Said:
        """Say it; once more in a new session, where this one is lost and the tool does that."""
        try:
            return say(self.session)
        except DatabaseError:
            if self._in_transaction or not self._emulation.reconnects or not self._is_gone():
                raise
        self.session.close()
        self.session = self._connect()
        return say(self.session)

    def _is_gone(self) -> bool:
        """Whether the session has ended: a server that ends one may still say so."""
        try:
            self.session.run("SELECT 1")
        except DatabaseError:
            return True
        return False


def _go_on(where: str, first: int, last: int) -> str:
    return ""


def _around(messages: Sequence[str], unit: Unit) -> list[str]:
    if unit.transaction:
        return list(messages)
    return [sql for sql in messages if _control(sql) not in OPENS | CLOSES]


def _control(sql: str) -> str:
    """The message as one that opens or closes a transaction would read."""
    return sql.upper().rstrip("; ")

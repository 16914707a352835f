"""The client of one run: the tool itself, or the emulation of what it sends; killed for real."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait
from typing import Any, Protocol

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration, Script
from harness.ports import Address
from harness.servers.guard import Guard
from harness.sqltext import must_be_alone
from harness.tools import emulation
from harness.tools.adapter import Tool, for_dialect

DIE_DEADLINE_S = 10.0


@dataclass(frozen=True)
class Ended:
    """How a client ended: its exit status (negative: the signal) and its last words."""

    status: int
    said: str


class ClientRun(Protocol):
    """A client at work in a process of its own."""

    def ended(self) -> bool: ...

    def signal(self, signum: int) -> None:
        """Send a signal to its process, and to those that it started."""

    def outcome(self, deadline_s: float) -> Ended:
        """Wait until it has ended; DeadlineExceeded if it does not."""


@dataclass(frozen=True)
class RunRequest:
    """What a client is to do: one migration, up or down."""

    migration: Migration
    down: bool = False


class Client(Protocol):
    """Starts runs of one tool on one folder of migrations."""

    def start(self, request: RunRequest, address: Address, database: str) -> ClientRun: ...

    def command(
        self, words: Sequence[str], migration: Migration, address: Address, database: str
    ) -> ClientRun:
        """Run another command of the tool, such as a repair; only a real program has any."""


@cache
def _processes() -> Any:
    """Forks of one prepared process: a tenth of the cost of a new interpreter.

    It is prepared with all that we have imported, for each fork runs our main module again.
    ``__main__`` itself cannot be named: Python 3.11 looks for it under a wrong key (gh-126631).
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(sorted(m for m in sys.modules if m.startswith("harness.")))
    return context


class EmulatedClient:
    """Forks a process that sends what the tool would send."""

    def __init__(self, tool: Tool, migrations: Sequence[Migration], guard: Guard) -> None:
        self._tool = tool
        self._migrations = tuple(migrations)
        self._guard = guard
        engine = guard.engine
        self._emulation = for_dialect(tool.emulation, engine.name, engine.dialect, None)
        self._applied = for_dialect(tool.applied, engine.name, engine.dialect, "")

    def start(self, request: RunRequest, address: Address, database: str) -> EmulatedRun:
        migration = request.migration
        script = migration.down if request.down else migration.up
        if script is None:
            way = "back" if request.down else "forth"
            raise EnvironmentProblem(f"migration {migration.name} has no way {way}")
        versions = tuple(m.version for m in self._migrations)
        at = versions.index(migration.version)
        unit = self._unit(migration, script, versions[at - 1] if at else self._tool.none)
        job = emulation.Job(
            engine=self._guard.engine.name,
            emulation=self._emulation,
            unit=unit,
            down=request.down,
            applied=self._applied,
            applied_up_to=self._tool.applied_up_to,
            versions=versions,
            address=address,
            database=database,
            nonce=self._guard.nonce,
            identity=self._guard.identity,
        )
        return EmulatedRun(job)

    def _unit(self, migration: Migration, script: Script, previous: str) -> emulation.Unit:
        dialect = self._guard.engine.dialect
        cut = script.cut(dialect)
        alone = any(must_be_alone(statement, dialect) for statement in cut)
        return emulation.Unit(
            migration.version,
            previous,
            migration.name,
            script.text,
            tuple(statement.text for statement in cut),
            script.transaction and not (alone and self._emulation.alone_outside),
        )


_REAPING = threading.Lock()
"""Whenever multiprocessing starts a child it asks after all others, and a child's status can be
read once only: of two threads that ask, one is told that it has ended with 255."""


class EmulatedRun:
    """One forked process; see :class:`ClientRun`."""

    def __init__(self, job: emulation.Job) -> None:
        context = _processes()
        self._said, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=emulation.main, args=(job, theirs), daemon=True)
        with _REAPING:
            self._process.start()
        theirs.close()

    def _status(self) -> int | None:
        with _REAPING:
            return self._process.exitcode

    def ended(self) -> bool:
        return self._status() is not None

    def signal(self, signum: int) -> None:
        with suppress(ProcessLookupError):
            if not self.ended():
                os.kill(self._process.pid, signum)

    def outcome(self, deadline_s: float) -> Ended:
        wait([self._process.sentinel], deadline_s)
        if not self.ended():
            self.signal(signal.SIGKILL)
            wait([self._process.sentinel], DIE_DEADLINE_S)
            raise DeadlineExceeded(f"the tool did not end within {deadline_s:g} s")
        said = ""
        with suppress(EOFError, OSError):
            if self._said.poll():
                said = self._said.recv()
        self._said.close()
        return Ended(self._status(), said)

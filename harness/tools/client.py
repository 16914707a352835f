"""The client of one run: the tool itself, or the emulation of what it sends; killed for real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.errors import EnvironmentProblem
from harness.layouts import Migration, Script
from harness.ports import Address
from harness.servers.guard import Guard
from harness.sqltext import must_be_alone
from harness.tools.adapter import Adapter, Emulation, for_dialect, sha256_of
from harness.tools.emulation import GUARD, REFUSED, Job, Unit
from harness.tools.process import ToolProcess
from harness.tools.tool_lock import LOCKED


@dataclass(frozen=True)
class ClientEnded:
    """How a client ended: its exit status (negative: the signal) and its last words."""

    status: int
    said: str


class ClientRun(Protocol):
    """A client at work in a process of its own."""

    def ended(self) -> bool: ...

    def signal(self, signum: int) -> None:
        """Send a signal to its process, and to those that it started."""

    def outcome(self, deadline_s: float) -> ClientEnded:
        """Wait until it has ended. DeadlineExceeded if it does not; it is killed then."""
        ...


@dataclass(frozen=True)
class RunRequest:
    """What a client is to do: one migration, up or down."""

    migration: Migration
    down: bool = False
    all_pending: bool = False
    """All that are pending up to it, in one run, as a deployment applies them."""

    @property
    def script(self) -> Script | None:
        """The statements of that way, where it is a script."""
        return self.migration.down if self.down else self.migration.up


class Client(Protocol):
    """Starts runs of one tool on one folder of migrations."""

    def start(self, request: RunRequest, address: Address, database: str) -> ClientRun:
        """Begin a run. EnvironmentProblem if the tool has no way to do that."""
        ...

    def command(
        self, words: Sequence[str], migration: Migration, address: Address, database: str
    ) -> ClientRun:
        """Run another command of the tool, such as a repair.

        EnvironmentProblem if there is no program to run, as there is none of an emulated tool.
        """
        ...

    def close(self) -> None:
        """Leave no file behind; safe to call twice."""


class EmulatedClient:
    """Starts processes that send what the tool would send."""

    def __init__(self, tool: Adapter, migrations: Sequence[Migration], guard: Guard) -> None:
        self._tool = tool
        self._migrations = tuple(migrations)
        self._at = {m.version: n for n, m in enumerate(self._migrations)}
        self._guard = guard
        engine = guard.engine
        self._emulation: Emulation = for_dialect(
            tool.emulation, engine.name, engine.dialect, Emulation("per-statement")
        )
        self._applied = for_dialect(tool.applied, engine.name, engine.dialect, "")
        self._units: dict[str, Unit] = {}

    def start(self, request: RunRequest, address: Address, database: str) -> EmulatedRun:
        migration, engine, script = request.migration, self._guard.engine, request.script
        if script is None:
            way = "back" if request.down else "forth"
            raise EnvironmentProblem(f"migration {migration.name} has no way {way}")
        job = Job(
            engine=engine.name,
            emulation=self._emulation,
            units=self._way(migration, script, request.down),
            applied=self._applied,
            applied_up_to=self._tool.applied_up_to,
            address=address,
            database=database,
            nonce=self._guard.nonce,
            identity=self._guard.identity,
            down=request.down,
        )
        return EmulatedRun(ToolProcess(job))

    def command(
        self, words: Sequence[str], migration: Migration, address: Address, database: str
    ) -> ClientRun:
        raise EnvironmentProblem(
            f"{self._tool.title} is emulated, so its command {' '.join(words)!r} cannot be run"
        )

    def close(self) -> None:
        """There are no files."""

    def _way(self, migration: Migration, script: Script, down: bool) -> tuple[Unit, ...]:
        """The migrations before it, which the tool would bring up to date, and itself."""
        if down:
            return (self._unit(migration, script),)
        earlier = self._migrations[: self._at[migration.version]]
        return tuple(self._up(m) for m in (*earlier, migration) if m.up is not None)

    def _up(self, migration: Migration) -> Unit:
        known = self._units.get(migration.version)
        if known is None:
            assert migration.up is not None
            known = self._units[migration.version] = self._unit(migration, migration.up)
        return known

    def _unit(self, migration: Migration, script: Script) -> Unit:
        dialect = self._guard.engine.dialect
        cut = script.cut(dialect)
        alone = any(must_be_alone(statement, dialect) for statement in cut)
        return Unit(
            migration.version,
            self._previous(migration),
            migration.name,
            script.text,
            tuple(statement.text for statement in cut),
            script.transaction and not (alone and self._emulation.alone_outside),
            sha256_of(migration.up.text) if migration.up else "",
        )

    def _previous(self, migration: Migration) -> str:
        at = self._at[migration.version]
        return self._migrations[at - 1].version if at else self._tool.none


class EmulatedRun:
    """One run of an emulated tool; see :class:`ClientRun`."""

    def __init__(self, process: ToolProcess) -> None:
        self._process = process
        self._ended: ClientEnded | None = None

    def ended(self) -> bool:
        return self._process.status() is not None

    def signal(self, signum: int) -> None:
        self._process.signal(signum)

    def outcome(self, deadline_s: float) -> ClientEnded:
        if self._ended is None:
            status = self._process.wait(deadline_s)
            told = self._process.last_words()
            self._process.close()
            said = "" if told is None or told.finished else _said(told.code, told.message)
            self._ended = ClientEnded(status, said)
        return self._ended


def _said(code: str, message: str) -> str:
    ours = not code or code in (GUARD, LOCKED, REFUSED)
    return message if ours else f"{code}: {message}"

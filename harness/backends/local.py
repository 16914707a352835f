"""Throwaway database servers as plain processes, for machines without Docker.

A server listens on the loopback interface only, on a port nobody else has, with a random
password, as an unprivileged user, and all it writes is in one private folder that goes with it.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness import cache
from harness.backends import _binaries, _folders, _processes
from harness.backends._workplace import Workplace
from harness.errors import (
    DatabaseError,
    DeadlineExceeded,
    EnvironmentProblem,
    GuardRefused,
    ServerLost,
)
from harness.ports import Address, Capability, Recipe, ServerFacts, ToolResult, Witness

POLL_S = 0.002
DIE_DEADLINE_S = 10
STOP_DEADLINE_S = 60
LISTEN_DEADLINE_S = 60
PORT_ATTEMPTS = 8


CAPABILITIES = frozenset(Capability)
"""Every one that there is."""


class LocalBackend:
    """Servers from the programs installed on this machine; nothing is ever downloaded."""

    name = "local"
    capabilities = CAPABILITIES

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id

    def available(self) -> str | None:
        """Usable on any Unix; whether an engine's programs are here is told by ``cannot_run``."""
        if os.name != "posix":
            return "local servers need Linux or macOS"
        try:
            _binaries.server_account()
        except EnvironmentProblem as problem:
            return str(problem)
        if not os.access(_folders.base(), os.W_OK | os.X_OK):
            return f"no folder can be made in {_folders.base()}"
        return None

    def cannot_run(self, recipe: Recipe) -> str | None:
        """Looks for the server program, its tools, and whether it is what its name says."""
        try:
            _binaries.installed(recipe)
        except EnvironmentProblem as problem:
            return str(problem)
        return None

    def start(self, recipe: Recipe, image: str | None = None) -> LocalServer:
        """Start a server; returns once it listens, which may be before it answers queries.

        EnvironmentProblem if a program is missing, is another product, or ends at once, or if
        an ``image`` is asked for, since only Docker can choose one.
        """
        if image is not None:
            raise EnvironmentProblem(
                f"the local backend runs the installed {recipe.binary!r} and no image: "
                f"leave {image!r} out or use the Docker backend"
            )
        return self._start(recipe, lambda workplace: workplace.make_data(cache.usual()))

    def start_on(self, recipe: Recipe, fill: Callable[[Path], bool]) -> LocalServer:
        """A server on the data of another one; it gets a password and an identity of its own."""
        return self._start(recipe, lambda workplace: workplace.fill_data(fill))

    def what_runs(self, recipe: Recipe) -> str:
        """Its program by its contents, what it is started with, the account, the machine."""
        program = _binaries.installed(recipe)
        made = (recipe.init_argv, recipe.serve_argv, recipe.settings, recipe.bootstrap_sql)
        account = _binaries.server_account()
        return repr((program.digest, program.version, made, account, platform.platform()))

    def _start(self, recipe: Recipe, furnish: Callable[[Workplace], None]) -> LocalServer:
        folder = _folders.make(self._run_id)
        try:
            workplace = Workplace(recipe, folder)
            furnish(workplace)
        except BaseException:
            _folders.clear(folder)
            raise
        server = LocalServer(workplace)
        try:
            server.start_again()
        except BaseException:
            server.destroy()
            raise
        return server

    def leftovers(self) -> list[str]:
        return [f"folder {folder}: {reason}" for folder, reason in _folders.abandoned()]

    def collect_garbage(self) -> list[str]:
        """Kill and remove what dead owners left; a living owner's servers are never touched."""
        removed = []
        for folder, reason in _folders.abandoned():
            killed = _folders.clear(folder, _folders.recorded_pid(folder))
            removed.append(f"removed folder {folder} and {killed} processes: {reason}")
        return removed


class LocalServer:
    """One server process with its children; made by :meth:`LocalBackend.start`."""

    capabilities = CAPABILITIES

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._process: subprocess.Popen[bytes] | None = None
        self._removed = False
        self._segments = _processes.SharedMemory()
        self._lock = threading.RLock()
        program = workplace.program
        self.facts = ServerFacts(
            backend=LocalBackend.name,
            engine=workplace.recipe.engine,
            image=str(program.path),
            digest=program.digest,
            version=program.version,
        )

    def address(self) -> Address:
        return self._workplace.address()

    def proof(self) -> str:
        """The process is our own child and still there, so its pid cannot be another's.

        DatabaseError(lost=True) while it is down, as a connection would find; GuardRefused once
        it was removed, or if the process is not the one that was started.
        """
        process = self._process
        if self._removed or process is None:
            raise GuardRefused("this server was removed; nothing may be sent to its address")
        if process.poll() is not None:
            raise DatabaseError("", f"the server is down: {_ending(process)}", lost=True)
        seen = _processes.find(process.pid)
        if seen is None or seen.parent != os.getpid():
            raise GuardRefused(
                f"process {process.pid} is not the {self.facts.engine} server that this run "
                "started; nothing was sent to it"
            )
        return f"process {process.pid}, child of this run, on port {self._workplace.port}"

    def logs(self) -> str:
        return self._workplace.logs()

    def destroy(self) -> None:
        with self._lock:
            if self._removed:
                return
            if self._process and self._process.poll() is None:
                self._strike(self._process)
            _folders.clear(self._workplace.folder)
            _processes.remove_shared_memory(self._segments)
            self._removed = True

    def kill(self) -> Sequence[Witness]:
        """SIGKILL the main process and every child; none of them is left when this returns.

        ServerLost if the server had ended before, for then it was not we who killed it.
        """
        with self._lock:
            process = self._running()
            children = self._strike(process)
        return [
            Witness(
                "injector",
                f"SIGKILL to server process {process.pid} and {children} children",
                {"pid": process.pid, "children": children},
            ),
            Witness(
                "os",
                f"server process {process.pid} ended with status {process.returncode}, "
                "no child is left",
                {"exit_status": process.returncode},
            ),
        ]

    def start_again(self) -> None:
        """Start on the same data, on the same port if it is still free; no-op while it runs.

        Returns when the server listens, or still runs after a minute; EnvironmentProblem with
        the end of its log if it ends first. A port that somebody took meanwhile is replaced.
        """
        with self._lock:
            if self._removed:
                raise ServerLost("the server was removed; it cannot be started again")
            if self._process and self._process.poll() is None:
                return
            for attempt in range(PORT_ATTEMPTS):
                if attempt or not self._workplace.port:
                    self._workplace.take_port()
                process = self._process = self._workplace.serve()
                if self._listens(process):
                    return
                if not self._workplace.port_was_taken():
                    break
            raise EnvironmentProblem(
                f"the {self.facts.engine} server {self.facts.image} ended at once "
                f"({_ending(process)}); the end of its log:\n{self._workplace.last_words()}"
            )

    def at_rest(self, look: Callable[[Path], object]) -> bool:
        """Let it end as its engine ends cleanly, and start it again when its data was looked at."""
        with self._lock:
            process = self._running()
            process.send_signal(signal.Signals[self._workplace.recipe.stop_signal])
            try:
                clean = process.wait(timeout=STOP_DEADLINE_S) == 0
            except subprocess.TimeoutExpired:
                clean = False
                self._strike(process)
            try:
                if clean:
                    look(self._workplace.data)
            finally:
                self.start_again()
        return clean

    def pause(self) -> Sequence[Witness]:
        """SIGSTOP the main process and every child; returns when the system calls all stopped."""
        with self._lock:
            pid = self._running().pid
            members = _processes.freeze(pid)
        return [
            Witness("injector", f"SIGSTOP to server process {pid} and {len(members) - 1} children"),
            Witness(
                "os",
                f"the system calls {len(members)} processes of the server stopped",
                {"stopped": [member.pid for member in members]},
            ),
        ]

    def resume(self) -> None:
        """SIGCONT to all of them; no-op if the server is not paused or not there."""
        with self._lock:
            if self._process and self._process.poll() is None:
                _processes.send(_processes.family(self._process.pid), signal.SIGCONT)

    def run_tool(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterator[bytes] = b"",
        timeout_s: float = 120,
    ) -> ToolResult:
        """Run a client program of the server, found beside it or on PATH, as the superuser.

        It is told by environment where to connect (``PGHOST`` …, ``MYSQL_PWD``), and where that
        is not enough by arguments put right after its name. DeadlineExceeded after ``timeout_s``,
        when it and all it started have been killed; EnvironmentProblem if it is not installed.
        """
        return self._workplace.run_tool(argv, stdin, timeout_s)

    def _strike(self, process: subprocess.Popen[bytes]) -> int:
        """Kill the whole server; returns how many children it had.

        It is frozen first, so that no child is born unseen, and none lives on for the moment
        that it takes it to notice its parent's death.
        """
        members = _processes.freeze(process.pid)
        self._segments = _processes.shared_memory(members)
        process.kill()
        _processes.send(members, signal.SIGKILL)
        _processes.wait_gone(members, DIE_DEADLINE_S)
        try:
            process.wait(timeout=DIE_DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(
                f"server process {process.pid} is still there {DIE_DEADLINE_S} s after SIGKILL"
            ) from None
        return len(members) - 1

    def _listens(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the server listens; False if its process ends first."""
        end = time.monotonic() + LISTEN_DEADLINE_S
        while process.poll() is None:
            if self._workplace.listening() or time.monotonic() >= end:
                return True
            time.sleep(POLL_S)
        return False

    def _running(self) -> subprocess.Popen[bytes]:
        if self._removed or self._process is None:
            raise ServerLost("the server was removed")
        if self._process.poll() is not None:
            raise ServerLost(
                f"the server had ended before: {_ending(self._process)}; the end of its log:\n"
                f"{self._workplace.last_words()}"
            )
        return self._process


def _ending(process: subprocess.Popen[bytes]) -> str:
    status = process.poll()
    if status is not None and status < 0:
        return f"process {process.pid} was ended by {signal.Signals(-status).name}"
    return f"process {process.pid} ended with exit code {status}"

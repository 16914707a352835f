"""The real program of a tool, run on a copy of the folder as its adapter says."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration
from harness.ports import Address
from harness.servers.guard import Guard
from harness.tools.adapter import Adapter, filled, for_dialect
from harness.tools.client import ClientEnded, RunRequest
from harness.tools.process import DIE_DEADLINE_S
from harness.waiting import until

OUTPUT_LIMIT = 4000


class ProgramClient:
    """Runs the real program of a tool on a copy of the folder, told by its adapter how."""

    def __init__(
        self,
        tool: Adapter,
        folder: Path,
        migrations: Sequence[Migration],
        guard: Guard,
        program: str,
        environment: Mapping[str, str],
    ) -> None:
        self._tool = tool
        self._folder = folder
        self._migrations = tuple(migrations)
        self._guard = guard
        self._program = program
        self._environment = environment
        self._copies = Path(tempfile.mkdtemp(prefix="mdrill-tool-"))
        self._shown: dict[str, Path] = {}

    def start(self, request: RunRequest, address: Address, database: str) -> ProgramRun:
        engine = self._guard.engine
        argv = self._tool.down if request.down else self._tool.apply
        words = for_dialect(argv, engine.name, engine.dialect)
        own = for_dialect(self._tool.apply_all, engine.name, engine.dialect)
        if request.all_pending and own:
            return self._spawn(own, request.migration, address, database, cut=True)
        if not words:
            raise EnvironmentProblem(f"{self._tool.title} has no command for that")
        return self._spawn(words, request.migration, address, database)

    def command(
        self, words: Sequence[str], migration: Migration, address: Address, database: str
    ) -> ProgramRun:
        """Run another of the tool's commands, such as a repair."""
        return self._spawn(words, migration, address, database)

    def close(self) -> None:
        shutil.rmtree(self._copies, ignore_errors=True)

    def _spawn(
        self,
        words: Sequence[str],
        migration: Migration,
        address: Address,
        database: str,
        *,
        cut: bool = False,
    ) -> ProgramRun:
        values = self._values(migration, address, database, cut=cut)
        for name, text in self._tool.files.items():
            (values["scratch"] / name).write_text(filled(text, values))
        added = {name: filled(text, values) for name, text in self._tool.environment.items()}
        return ProgramRun(
            [filled(word, values) for word in words],
            cwd=values["project"],
            environment={**self._environment, **added},
            log=self._copies / f"{time.monotonic_ns()}.log",
        )

    def _values(
        self, migration: Migration, address: Address, database: str, *, cut: bool
    ) -> dict[str, Any]:
        versions = [m.version for m in self._migrations]
        at = versions.index(migration.version)
        shown = self._shown_up_to(at, cut=cut)
        project, marker = project_of(self._tool, self._folder, shown)
        values = {
            "program": self._program,
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
            "database": database,
            "version": migration.version,
            "name": migration.name,
            "previous": versions[at - 1] if at else self._tool.none,
            "project": project,
            "marker": marker,
            "folder": shown,
            "app": app_of(self._migrations),
            "scratch": Path(tempfile.mkdtemp(dir=self._copies)),
        }
        engine = self._guard.engine
        url = for_dialect(self._tool.url, engine.name, engine.dialect, "")
        return {**values, "url": filled(url, values)}

    def _shown_up_to(self, at: int, *, cut: bool) -> Path:
        """A copy of the folder without the migrations after that one.

        A tool that needs the whole folder has it, unless its command does not say how far to go:
        then it is ``cut``, if there is anything after that one.
        """
        last = at == len(self._migrations) - 1
        if self._tool.folder == "whole" and (last or not cut):
            return self._folder.resolve()
        version = self._migrations[at].version
        if version not in self._shown:
            copy = self._copies / str(at) / self._folder.resolve().name
            shutil.copytree(self._folder, copy)
            kept = {file for migration in self._migrations[: at + 1] for file in migration.files}
            for later in self._migrations[at + 1 :]:
                for file in set(later.files) - kept:
                    (copy / Path(file).relative_to(self._folder)).unlink(missing_ok=True)
            self._shown[version] = copy
        return self._shown[version]


def project_of(tool: Adapter, folder: Path, *nearer: Path) -> tuple[Path, str]:
    """Where the tool is run, and the name of the file that tells: at or above the folder.

    Places that are ``nearer`` are looked at first.
    """
    own = folder.resolve()
    for place in (*nearer, own, *own.parents):
        for pattern in tool.project:
            for marker in sorted(place.glob(pattern)):
                if marker.is_file():
                    return place, marker.name
    return own, ""


def app_of(migrations: Sequence[Migration]) -> str:
    """The name of the folder that holds the one with the migrations' files: Django's app."""
    files = migrations[0].files
    return Path(files[0]).resolve().parent.parent.name if files else ""


class ProgramRun:
    """One run of a program in a process group of its own; see :class:`ClientRun`."""

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path
    ) -> None:
        self._log = log
        try:
            with log.open("wb") as sink:
                self._process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise EnvironmentProblem(f"{argv[0]} could not be started: {error}") from error

    def ended(self) -> bool:
        return self._process.poll() is not None

    def signal(self, signum: int) -> None:
        """The whole group: npx, a JVM's launcher or a shell would leave the tool itself alive."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signum)

    def outcome(self, deadline_s: float) -> ClientEnded:
        try:
            until("the tool to end", deadline_s, self.ended)
        except DeadlineExceeded:
            self.signal(signal.SIGKILL)
            until("the killed tool to end", DIE_DEADLINE_S, self.ended)
            raise
        said = self._log.read_bytes()[-OUTPUT_LIMIT:].decode("utf-8", "replace")
        return ClientEnded(self._process.returncode, said.strip())

"""The real command in a world of its own, in which everything that it leaves can be counted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from harness import registry
from harness.backends.docker import RUN_LABEL, DockerBackend
from harness.backends.local import LocalBackend

MDRILL = [sys.executable, "-c", "from harness.cli import main; main()"]
DEADLINE_S = 90
POLL_S = 0.01


def until(what: str, check: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """The first true answer of ``check``; a failed test that names ``what`` at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        time.sleep(POLL_S)


class World:
    """A temporary folder that every process of ours inherits, so that all can be found by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tmp = folder / "t"
        self.out = folder / "out"
        self.secrets: set[str] = set()
        self.volumes: set[str] = set()
        self._started: list[subprocess.Popen] = []
        self.tmp.mkdir(mode=0o755)

    # ------------------------------------------------------------------ the command

    def start(self, *arguments: str, pipes: bool = True, **options: Any) -> subprocess.Popen:
        """Start ``mdrill`` with these arguments; its output goes into files of this world."""
        environment = {**os.environ, "TMPDIR": str(self.tmp), **options.pop("env", {})}
        if pipes:
            number = len(self._started)
            options["stdin"] = subprocess.DEVNULL
            options["stdout"] = (self.folder / f"stdout.{number}").open("wb")
            options["stderr"] = (self.folder / f"stderr.{number}").open("wb")
        process = subprocess.Popen([*MDRILL, *arguments], env=environment, **options)
        process.said = lambda which: (  # type: ignore[attr-defined]
            (self.folder / f"{which}.{number}").read_text("utf-8", "replace")
        )
        self._started.append(process)
        return process

    def run(self, *arguments: str, **options: Any) -> tuple[int, str, str]:
        """Run ``mdrill`` to its end: exit code, stdout, stderr."""
        process = self.start(*arguments, **options)
        code = process.wait(timeout=5 * DEADLINE_S)
        return code, process.said("stdout"), process.said("stderr")

    def drill(self, *arguments: str, **options: Any) -> subprocess.Popen:
        """Start ``mdrill run`` with its record in this world."""
        return self.start("run", *arguments, "--out", str(self.out), **options)

    # ------------------------------------------------------------------ its record

    def runs(self) -> list[Path]:
        found = self.out.glob("*/") if self.out.exists() else ()
        return sorted(path for path in found if not path.is_symlink())

    def result(self, run: Path | None = None) -> dict[str, Any]:
        return json.loads(((run or self.runs()[-1]) / "run.json").read_text("utf-8"))

    def reached(self, phase: str) -> bool:
        """True once any trial has begun that phase."""
        wanted = f'"phase.begin", "phase": "{phase}"'
        return any(wanted in path.read_text("utf-8") for path in self.out.glob("*/*/events.jsonl"))

    # ------------------------------------------------------------------ what is there

    def containers(self, run_id: str | None = None) -> list[Any]:
        """Containers of the runs of this world, also stopped ones."""
        names = [run_id] if run_id else [run.name for run in self.runs()]
        with _engine() as client:
            if client is None:
                return []
            return [
                found
                for name in names
                for found in client.api.containers(
                    all=True, filters={"label": f"{RUN_LABEL}={name}"}
                )
            ]

    def processes(self) -> list[str]:
        """Processes that were started in this world, whatever they call themselves."""
        mark, found = str(self.tmp).encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    command = (entry / "cmdline").read_bytes()
                    where = os.readlink(entry / "cwd").encode()
                    if mark in command + (entry / "environ").read_bytes() + where:
                        found.append(f"{entry.name}: {command.decode('utf-8', 'replace')[:120]}")
        return found

    def leftovers(self) -> list[str]:
        """Everything that is still there: containers, volumes, networks, processes, files."""
        self._wait_for_pipes()
        left = [f"process {line}" for line in self.processes()]
        left += [f"file {path.name}" for path in self.tmp.iterdir()]
        left += [f"container {found['Names']}" for found in self.containers()]
        with _engine() as client:
            if client is not None:
                there = {volume.name for volume in client.volumes.list()}
                left += [f"volume {name}" for name in self.volumes & there]
                for run in self.runs():
                    wanted = {"label": f"{RUN_LABEL}={run.name}"}
                    left += [f"network {n.name}" for n in client.networks.list(filters=wanted)]
        return left

    def _wait_for_pipes(self) -> None:
        """Python's own helper processes end when they see that a pipe of ours is closed."""

        def gone() -> bool:
            return not any("from multiprocessing" in line for line in self.processes())

        with contextlib.suppress(AssertionError):
            until("the helper processes to end", gone)

    def take_note(self) -> None:
        """Remember the passwords and volumes of the servers that run now."""
        for path in self.tmp.glob("mdrill-server-*/password"):
            with contextlib.suppress(OSError):
                self.secrets.add(path.read_text().strip())
        with _engine() as client:
            for found in self.containers():
                with contextlib.suppress(docker.errors.NotFound):
                    about = client.api.inspect_container(found["Id"])
                    values = (entry.partition("=") for entry in about["Config"]["Env"])
                    self.secrets |= {value for key, _, value in values if "PASSWORD" in key}
                    self.volumes |= {mount["Name"] for mount in about["Mounts"] if "Name" in mount}

    def told_secrets(self) -> list[str]:
        """Files of the record in which a noted password stands."""
        files = [path for path in self.out.rglob("*") if path.is_file()]
        return [
            str(path.relative_to(self.out))
            for path in files
            if any(secret.encode() in path.read_bytes() for secret in self.secrets if secret)
        ]

    def end(self) -> None:
        """Leave nothing behind, however the test ended."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.run("gc")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def _engine() -> Iterator[Any]:
    """The Docker engine; None where none answers."""
    if DockerBackend("tests").available() is not None:
        yield None
        return
    client = docker.from_env(timeout=20)
    try:
        yield client
    finally:
        client.close()


def engines_of(backend: str) -> list[str]:
    """The engines of both families that this machine has on a backend; a skip if it has none."""
    wanted = [registry.engine(name) for name in ("postgres", "mysql", "mariadb")]
    if backend == "docker":
        docker_backend = DockerBackend("tests")
        if docker_backend.available() is not None:
            pytest.skip("no Docker engine answers")
        there = [engine.name for engine in wanted if docker_backend.image_here(engine.recipe)]
    else:
        local = LocalBackend("tests")
        there = [engine.name for engine in wanted if local.cannot_run(engine.recipe) is None]
    if "postgres" not in there:
        pytest.skip(f"no PostgreSQL on the {backend} backend")
    return there[:2]

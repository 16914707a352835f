"""Migrators at work, each run in a process of its own, stopped checkpoint by checkpoint.

The migrator stops before and after each message that carries statements and goes on when told
to: so "after statement 2" is a place in the program, not a guess of the clock.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import DeadlineExceeded, EnvironmentProblem
from harness.model import Moment
from harness.ports import MigrationOutcome, Session, SessionInfo
from harness.record.timeline import Timeline
from harness.servers.guard import Guard

POLL_S = 0.005
START_DEADLINE_S = 30.0
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH")


@dataclass(frozen=True)
class Checkpoint:
    """The migrator waits before or after the message that carries statements first … last."""

    where: str
    first: int
    last: int

    def is_at(self, moment: Moment) -> bool:
        """True when this is where ``moment`` strikes, or where its hold has to be armed."""
        if moment.inside is not None:
            return self.where == "before" and self.first <= moment.inside <= self.last
        if moment.before is not None:
            return self.where == "before" and self.first == moment.before
        return moment.after is not None and self.where == "after" and self.last == moment.after


class Worker:
    """A started migrator process that still waits for its job; starting early hides its cost."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k in KEPT_ENVIRONMENT}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.tools.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,
        )

    def say(self, line: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Kill it, whatever it does, and collect it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


class WorkerRun:
    """One run of the migration (ports.MigrationRun), steered checkpoint by checkpoint."""

    def __init__(
        self,
        number: int,
        worker: Worker,
        job: Mapping[str, Any],
        timeline: Timeline,
        sessions: Callable[[int], SessionInfo | None],
    ) -> None:
        self.number = number
        self.process_id = worker.process.pid
        self.session: SessionInfo | None = None
        self._worker = worker
        self._job = job
        self._timeline = timeline
        self._find = sessions
        self._inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self._done = 0
        self._outcome: MigrationOutcome | None = None
        self._begun_ns: dict[int, int] = {}
        self._carried = (0, 0)
        self._held: Checkpoint | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        worker.say(job)

    def _read(self) -> None:
        for line in self._worker.process.stdout:
            event = json.loads(line)
            self._note(event)
            self._inbox.put(event)
        self._inbox.put({"kind": "closed"})

    def _note(self, event: Mapping[str, Any]) -> None:
        """Record progress the moment it is told, not when somebody asks for it."""
        kind = event["kind"]
        if kind == "checkpoint" and event["where"] == "after":
            self._done = event["last"]
            self._finish_statements()
        elif kind == "ended" and not event["finished"]:
            self._finish_statements(code=event["code"], error=event["message"])

    def _finish_statements(self, **failure: Any) -> None:
        first, last = self._carried
        self._carried = (0, 0)
        for n in range(first, last + 1) if first else ():
            self._timeline.add(
                "migration",
                "statement.end",
                run=self.number,
                n=n,
                sql=self._job["statements"][n - 1],
                ok=not failure,
                took_ns=self._timeline.now_ns() - self._begun_ns[n],
                **failure,
            )

    def next_checkpoint(self, deadline_s: float = START_DEADLINE_S) -> Checkpoint | None:
        """Wait for the next checkpoint; None once the migrator has ended."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                event = self._inbox.get(timeout=max(0.001, end - time.monotonic()))
            except queue.Empty:
                raise DeadlineExceeded(
                    f"the migrator reached no checkpoint within {deadline_s:g} s"
                ) from None
            if event["kind"] == "session":
                self._meet(event["pid"])
            elif event["kind"] == "checkpoint":
                self._held = Checkpoint(event["where"], event["first"], event["last"])
                return self._held
            else:
                self._conclude(event)
                return None

    def _meet(self, pid: int) -> None:
        self.session = self._find(pid)
        self._timeline.add(
            "migration",
            "run",
            run=self.number,
            tool=self._job["tool"],
            mode=self._job["mode"],
            pid=pid,
            process_id=self.process_id,
        )

    def go(self, point: Checkpoint, **orders: Any) -> None:
        """Let the migrator pass; ``instead`` replaces the message, ``limits`` sets timeouts."""
        self._held = None
        if point.where == "before":
            self._carried = (point.first, point.last)
            for n in range(point.first, point.last + 1):
                self._begun_ns[n] = self._timeline.now_ns()
                self._timeline.add(
                    "migration",
                    "statement.begin",
                    run=self.number,
                    n=n,
                    sql=orders.get("instead") or self._job["statements"][n - 1],
                )
        self._worker.say({"go": True, **orders})

    def alive(self) -> bool:
        return self._worker.process.poll() is None

    def signal(self, name: str) -> None:
        self._worker.process.send_signal(signal.Signals[f"SIG{name}"])

    def outcome(self, deadline_s: float) -> MigrationOutcome:
        """Let it run to its end and tell how it ended."""
        while self._outcome is None:
            if self._held:
                self.go(self._held)
            self.next_checkpoint(deadline_s)
        return self._outcome

    def _conclude(self, event: Mapping[str, Any]) -> None:
        if self._outcome is not None:
            return
        try:
            status = self._worker.process.wait(timeout=START_DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded("the migrator closed its output but did not exit") from None
        if event["kind"] == "closed" and status > 0:
            raise EnvironmentProblem(
                f"the migrator's process broke down: {self._worker.process.stderr.read()[-2000:]}"
            )
        self._outcome = MigrationOutcome(
            done=self._done,
            finished=bool(event.get("finished")),
            code=event.get("code", ""),
            message=event.get("message", ""),
            exit_status=status,
        )
        self._timeline.add(
            "migration",
            "ended",
            run=self.number,
            done=self._outcome.done,
            finished=self._outcome.finished,
            code=self._outcome.code,
            message=self._outcome.message,
            exit_status=status,
        )

    def end(self) -> None:
        """Kill the process if it still lives; called at teardown."""
        self._worker.end()
        self._reader.join(timeout=5)


class Spares:
    """Keeps one worker started ahead, so that no run waits for a process to start."""

    def __init__(self) -> None:
        self._next: Worker | None = Worker()

    def take(self) -> Worker:
        """A started worker; the one after it is started at once."""
        worker, self._next = self._next or Worker(), Worker()
        return worker

    def end(self) -> None:
        """Leave no process behind; safe to call twice."""
        if self._next:
            self._next.end()
            self._next = None


class MigrationRunner:
    """Starts the runs of one trial's migration, one worker process for each."""

    def __init__(
        self,
        job: Mapping[str, Any],
        guard: Guard,
        timeline: Timeline,
        observer: Callable[[], Session],
        spares: Spares,
    ) -> None:
        self._job = dict(job)
        self._guard = guard
        self._timeline = timeline
        self._observer = observer
        self._spares = spares
        self._runs: list[WorkerRun] = []

    @property
    def session_pids(self) -> frozenset[int]:
        """Server sessions of every run so far."""
        return frozenset(run.session.pid for run in self._runs if run.session)

    def start(self, *, through: tuple[str, int] | None = None, **changes: Any) -> WorkerRun:
        """Begin a run; ``through`` is the relay it connects by, ``changes`` go into its job."""
        address = self._guard.server.address()
        host, port = through or (address.host, address.port)
        job = {
            **self._job,
            "nonce": self._guard.nonce,
            "identity": self._guard.identity,
            "address": {
                "host": host,
                "port": port,
                "user": address.user,
                "password": address.password,
            },
            "limits": {},
            "force": None,
            **changes,
        }
        worker = self._spares.take()
        run = WorkerRun(len(self._runs) + 1, worker, job, self._timeline, self._find)
        self._runs.append(run)
        return run

    def _find(self, pid: int) -> SessionInfo | None:
        listing = self._guard.engine.sessions.listing(self._observer())
        return next((info for info in listing if info.pid == pid), None)

    def end(self) -> None:
        """Leave no process behind."""
        for run in self._runs:
            run.end()

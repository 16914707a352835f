"""Many trials: one lane (server) for each worker, retries of INCONCLUSIVE only, interrupts."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from harness.drill.drill_server import DrillServer
from harness.drill.results import TrialResult, of_trial, to_json
from harness.drill.trial import TrialRun
from harness.errors import DrillError, EnvironmentProblem
from harness.model import Trial
from harness.ports import Backend, Engine
from harness.record.run_folder import RunFolder, write_atomically
from harness.record.timeline import Event

Listener = Callable[[str, Event[Any] | TrialResult], None]
"""Told of each event of a trial, and of its result."""


class Campaign:
    """Runs trials and leaves nothing behind, whether it ends well, badly or by a signal."""

    def __init__(
        self,
        backend: Backend,
        engines: Mapping[str, Engine],
        images: Mapping[str, str],
        folder: RunFolder,
        attempts: int = 1,
        jobs: int = 0,
        listener: Listener = lambda _trial, _news: None,
    ) -> None:
        self._backend = backend
        self._engines = engines
        self._images = images
        self._folder = folder
        self._attempts = attempts
        self._jobs = jobs
        self._tell = listener
        self._stopping = threading.Event()
        self._lanes: set[DrillServer] = set()
        self._lock = threading.Lock()
        self._results: list[TrialResult] = []

    @property
    def results(self) -> list[TrialResult]:
        """What has been finished so far, one value for each attempt."""
        with self._lock:
            return list(self._results)

    def run(self, trials: Sequence[Trial]) -> list[TrialResult]:
        """Run them all. Interrupted if a signal came; what was done until then is kept."""
        waiting: dict[str, queue.SimpleQueue[Trial]] = {}
        for trial in trials:
            waiting.setdefault(trial.engine, queue.SimpleQueue()).put(trial)
        lanes_each = max(1, (self._jobs or len(waiting)) // len(waiting))
        workers = [name for name in waiting for _ in range(lanes_each)]
        pool = ThreadPoolExecutor(len(workers), thread_name_prefix="lane")
        try:
            futures = [pool.submit(self._work, name, waiting[name]) for name in workers]
            for future in as_completed(futures):
                future.result()
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown()
        return self.results

    def stop(self) -> None:
        """Destroy every server at once: whoever waits for one is woken by its loss."""
        self._stopping.set()
        with self._lock:
            lanes = tuple(self._lanes)
        for lane in lanes:
            with contextlib.suppress(DrillError):
                lane.server.destroy()

    def _work(self, engine: str, waiting: queue.SimpleQueue[Trial]) -> None:
        lane: DrillServer | None = None
        try:
            while not self._stopping.is_set():
                try:
                    trial = waiting.get_nowait()
                except queue.Empty:
                    return
                lane = lane or self._open(engine)
                if self._run_trial(trial, lane) == "ERROR":
                    self._close(lane)
                    lane = None
        except DrillError:
            if not self._stopping.is_set():
                raise
        finally:
            if lane:
                self._close(lane)

    def _run_trial(self, trial: Trial, lane: DrillServer) -> str:
        for attempt in range(1, self._attempts + 1):
            folder = self._folder.trial_folder(trial.id, attempt)
            run = TrialRun(
                trial,
                lane,
                folder,
                lambda event: self._tell(trial.id, event),
                stopping=self._stopping.is_set,
            )
            result = of_trial(run.run().events(), attempt)
            write_atomically(folder / "trial.json", to_json(result))
            with self._lock:
                self._results.append(result)
            self._tell(trial.id, result)
            if not self._worth_another(trial, result):
                break
        return result.verdict

    @staticmethod
    def _worth_another(trial: Trial, result: TrialResult) -> bool:
        """Only what could not be proved; a control that fails would fail again."""
        return (
            result.verdict == "INCONCLUSIVE"
            and trial.purpose == "recovery"
            and result.reason != "control_failed"
        )

    def _open(self, engine: str) -> DrillServer:
        chosen = self._engines[engine]
        lane = DrillServer(self._backend, chosen, self._images.get(chosen.name))
        with self._lock:
            self._lanes.add(lane)
        if self._stopping.is_set():
            self._close(lane)
            raise EnvironmentProblem("the run was told to stop")
        return lane

    def _close(self, lane: DrillServer) -> None:
        lane.close()
        with self._lock:
            self._lanes.discard(lane)

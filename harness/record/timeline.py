"""The append-only record of one trial: the only source of every verdict and report.

An event is one JSON object on one line of ``events.jsonl``, flushed as it happens, so that
what had happened can still be told after the harness itself was killed. Times are monotonic
nanoseconds since the trial began; the wall clock is noted once, in the first event.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from harness.errors import DrillError, EnvironmentProblem


@dataclass(frozen=True)
class Event:
    """Something that happened: when (ns since the trial began), in which lane, what, details."""

    t_ns: int
    lane: str
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(
            {"t_ns": self.t_ns, "lane": self.lane, "kind": self.kind, **self.data}, default=str
        )

    @classmethod
    def from_json(cls, line: str) -> Event:
        data = json.loads(line)
        return cls(data.pop("t_ns"), data.pop("lane"), data.pop("kind"), data)


class Timeline:
    """Grows by one event at a time, from any thread; what it wrote it never changes.

    Secrets registered with :meth:`redact` are replaced before anything is kept or written:
    this is the single path by which text enters the run folder.
    """

    def __init__(self, path: Path | None = None, listener=None) -> None:
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        self._listener = listener
        self._start_ns = time.monotonic_ns()
        self._file: IO[str] | None = _opened(path) if path else None
        self.add("trial", "clock", wall=datetime.now(UTC).isoformat(timespec="milliseconds"))

    def redact(self, secret: str) -> None:
        """From now on ``secret`` appears nowhere in the record."""
        if secret:
            self._secrets.add(secret)

    def now_ns(self) -> int:
        """Nanoseconds since the trial began."""
        return time.monotonic_ns() - self._start_ns

    def add(self, lane: str, kind: str, **data: Any) -> Event:
        """Append one event and flush it to the file."""
        with self._lock:
            event = Event(self.now_ns(), lane, kind, data)
            line = event.to_json()
            for secret in self._secrets:
                line = line.replace(secret, "********")
            event = Event.from_json(line)
            self._events.append(event)
            self._write(line)
        if self._listener:
            self._listener(event)
        return event

    def _write(self, line: str) -> None:
        """To the file. EnvironmentProblem once if it cannot be written; then only memory is."""
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            file, self._file = self._file, None
            with suppress(OSError):
                file.close()
            raise _unwritable(file.name, error) from error

    @contextmanager
    def span(self, lane: str, kind: str, **data: Any) -> Iterator[dict[str, Any]]:
        """Record ``<kind>.begin`` and ``<kind>.end``; what the body puts into the dict is kept."""
        begun = self.now_ns()
        self.add(lane, f"{kind}.begin", **data)
        found: dict[str, Any] = {}
        try:
            yield found
        except BaseException as error:
            found.setdefault("ok", False)
            found.setdefault("error", _said(error))
            raise
        finally:
            found.setdefault("ok", True)
            self.add(lane, f"{kind}.end", **{**data, **found}, took_ns=self.now_ns() - begun)

    def events(self) -> tuple[Event, ...]:
        """A copy of everything recorded so far."""
        with self._lock:
            return tuple(self._events)

    def close(self) -> None:
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None


def _said(error: BaseException) -> str:
    """Our own errors are sentences; of others the class is half of what they say."""
    return str(error) if isinstance(error, DrillError) else f"{type(error).__name__}: {error}"


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path | str, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"cannot write {path}: {error.strerror}; make room there or name another folder with --out"
    )


def read(path: Path) -> tuple[Event, ...]:
    """The events of a file, up to the first line that was cut short by a crash."""
    events = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                events.append(Event.from_json(line))
            except (json.JSONDecodeError, KeyError):
                break
    return tuple(events)

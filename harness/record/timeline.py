"""The append-only record of a trial or a sweep: the only source of every verdict and report.

An event is one JSON object on one line of a file, flushed as it happens, so that what had happened
can still be told after the harness itself was killed. Times are monotonic nanoseconds since the
record began; the wall clock is noted once, in the first event.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, Generic, Literal, TypeVar

from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn

from harness.errors import DrillError, EnvironmentProblem, UsageError
from harness.record.events import OF_A_TRIAL, Clock, Other, Payload, Span, WitnessSeen

P = TypeVar("P", bound=Payload, covariant=True)
Q = TypeVar("Q", bound=Payload)
D = TypeVar("D")
Kinds = Mapping[str, type[Payload]]
Edge = Literal["", "begin", "end"]


@dataclass(frozen=True)
class Event(Generic[P]):
    """Something that happened, and when (ns since the record began).

    ``edge`` tells whether it begins or ends what lasts; it is empty for what only happens.
    """

    t_ns: int
    what: P
    edge: Edge = ""

    def to_json(self) -> str:
        what = self.what
        if isinstance(what, Other):
            told = {"t_ns": self.t_ns, "lane": what.lane, "kind": what.kind, **what.data}
        else:
            kind = f"{what.KIND}.{self.edge}" if self.edge else what.KIND
            told = {"t_ns": self.t_ns, "lane": what.LANE, "kind": kind}
            told |= _of_begin(what) if self.edge == "begin" else asdict(what)
        return json.dumps(told, default=str)

    @classmethod
    def read(cls, told: Mapping[str, Any], kinds: Kinds = OF_A_TRIAL) -> Event[Any]:
        """From what a line says; a sweep of before had neither time nor lane."""
        rest = {key: value for key, value in told.items() if key not in ("t_ns", "lane", "kind")}
        word, t_ns = told["kind"], told.get("t_ns", 0)
        name, dot, edge = word.rpartition(".")
        if dot and edge in ("begin", "end") and name in kinds:
            return Event(t_ns, structured(kinds[name], rest), edge)
        if word in kinds:
            return Event(t_ns, structured(kinds[word], rest))
        return Event(t_ns, Other(told.get("lane", ""), word, rest))


def told(events: Iterable[Event[Any]], kind: type[Q]) -> list[Event[Q]]:
    """Those of the events that tell something of that kind, in order; of a span both ends."""
    return [event for event in events if isinstance(event.what, kind)]


def first(events: Iterable[Event[Any]], kind: type[Q]) -> Q | None:
    """What the first event of that kind tells; None if there is none."""
    return next((event.what for event in events if isinstance(event.what, kind)), None)


def structured(kind: type[D], value: Mapping[str, Any]) -> D:
    """The value as a dataclass; what it lacks has its default, what is not known is left out."""
    return _converter().structure(value, kind)


@cache
def _converter() -> Converter:
    converter = Converter()

    def lenient(kind: type[Any]) -> Callable[[Any, type[Any]], Any]:
        """A field that is null has its default; a witness of before was a sentence alone."""
        plain = make_dict_structure_fn(kind, converter)

        def read(value: Any, of: type[Any]) -> Any:
            if kind is WitnessSeen and isinstance(value, str):
                return WitnessSeen(says=value)
            return plain({k: v for k, v in value.items() if v is not None}, of)

        return read

    converter.register_structure_hook_factory(is_dataclass, lenient)
    converter.register_structure_hook_func(lambda kind: kind is str, lambda value, _: str(value))
    return converter


def _of_begin(what: Payload) -> dict[str, Any]:
    """Nothing of how it went, as that is not known yet."""
    whole = asdict(what)
    default = {field.name: field.default for field in fields(what)}
    return {k: v for k, v in whole.items() if v != default[k]}


class Timeline:
    """Grows by one event at a time, from any thread; what it wrote it never changes.

    Secrets registered with :meth:`redact` are replaced before anything is kept or written: this is
    the single path by which text enters the run folder. A file that is there already is gone on
    with if it is to be ``continued``; a last line that a kill cut off is taken away first.
    """

    def __init__(
        self,
        path: Path | None = None,
        listener: Callable[[Event[Any]], None] | None = None,
        *,
        continued: bool = False,
    ) -> None:
        self._events: list[Event[Any]] = []
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        self._listener = listener
        self._start_ns = time.monotonic_ns()
        self._file: IO[str] | None = _opened(path, continued) if path else None
        self._clock = Clock(wall=datetime.now(UTC).isoformat(timespec="milliseconds"))
        self._clock_is_noted = False
        if not continued:
            self._note_clock()

    def redact(self, secret: str) -> None:
        """From now on ``secret`` appears nowhere in the record."""
        if secret:
            self._secrets.add(secret)

    def now_ns(self) -> int:
        """Nanoseconds since the record began."""
        return time.monotonic_ns() - self._start_ns

    def add(self, what: Payload, edge: Edge = "") -> None:
        """Append one event and flush it to the file."""
        self._note_clock()
        with self._lock:
            event: Event[Any] = Event(self.now_ns(), what, edge)
            line = event.to_json()
            for secret in self._secrets:
                line = line.replace(secret, "********")
            event = Event.read(json.loads(line), {what.KIND: type(what)})
            self._events.append(event)
            self._write(line)
        if self._listener:
            self._listener(event)

    def _note_clock(self) -> None:
        """Before the first event; a record that is gone on with is touched when there is one."""
        with self._lock:
            noted, self._clock_is_noted = self._clock_is_noted, True
        if not noted:
            self.add(self._clock)

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
    def span(self, what: Span) -> Iterator[dict[str, Any]]:
        """Record its begin and its end; what the body puts into the dict, by field, is kept."""
        begun = self.now_ns()
        self.add(what, "begin")
        found: dict[str, Any] = {}
        try:
            yield found
        except BaseException as error:
            found = {"ok": False, "error": _said(error), **found}
            raise
        finally:
            self.add(replace(what, **found, took_ns=self.now_ns() - begun), "end")

    def events(self) -> tuple[Event[Any], ...]:
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


def _opened(path: Path, continued: bool) -> IO[str]:
    try:
        if continued and path.exists():
            raw = path.read_bytes()
            path.write_bytes(raw[: raw.rfind(b"\n") + 1])
        return path.open("a" if continued else "w", encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path | str, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"cannot write {path}: {error.strerror}; make room there or name another folder with --out"
    )


def read(path: Path, kinds: Kinds = OF_A_TRIAL) -> tuple[Event[Any], ...]:
    """The events of a file, up to the first line that was cut short by a crash.

    UsageError if a whole line is none of ours.
    """
    events: list[Event[Any]] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                events.append(Event.read(json.loads(line), kinds))
            except (json.JSONDecodeError, KeyError):
                break
            except BaseValidationError as error:
                why = "; ".join(transform_error(error))
                raise UsageError(
                    f"{path}:{number}: no event of ours: {why}; wanted the record as it was written"
                ) from error
    return tuple(events)

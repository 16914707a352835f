"""A table of users and the application at work on it, for one test."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.application.background import BackgroundApplication
from harness.application.ledger import Op, WriteOutcome
from harness.errors import DatabaseError
from harness.model import App, AppVersion
from harness.ports import Engine, Session
from harness.record.events import Payload
from harness.record.timeline import Timeline, told

P = TypeVar("P", bound=Payload)

SOON_S = 30
"""A bound for what should be a matter of milliseconds."""

OLD = AppVersion(
    read="SELECT email FROM users WHERE id = :id",
    insert="INSERT INTO users (id, email, note) VALUES (:id, :email, ':email')",
    update="UPDATE users SET email = :email WHERE id = :id",
    delete="DELETE FROM users WHERE id = :id",
)
BROKEN = AppVersion(read="SELECT phone FROM users WHERE id = :id")
ROWS = 60


def make_app(**changes) -> App:
    given = {
        "table": "users",
        "key": "id",
        "keys": (1, ROWS),
        "versions": {"old": OLD, "broken": BROKEN},
        "values": {"email": "w{n}@example.test"},
        "ledger": ("email",),
        "readers": 1,
        "writers": 2,
    }
    return App(**(given | changes))


class World:
    """A database with one table of users, and whatever applications a test starts on it."""

    def __init__(self, engine: Engine, connect: Callable[[str], Session]) -> None:
        self.engine = engine
        self.connect = connect
        self.observer = connect("observer")
        self.up = True
        self._apps: list[BackgroundApplication] = []
        self.observer.run(
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(100), note VARCHAR(20))"
        )
        self.observer.run(
            f"INSERT INTO users (id, email) SELECT n, 'old' FROM {engine.databases.series(ROWS)}"
        )

    def application(self, **changes) -> BackgroundApplication:
        def connect(role: str) -> Session:
            if not self.up:
                raise DatabaseError("", "nobody answers", lost=True)
            return self.connect(role)

        app = BackgroundApplication(make_app(**changes), connect, self.engine, Timeline(), seed=1)
        self._apps.append(app)
        return app

    def running(self, **changes) -> BackgroundApplication:
        app = self.application(**changes)
        app.start()
        traffic = app.works(1, SOON_S)
        assert (traffic.errors, traffic.first_error, traffic.reached) == (0, "", True)
        return app

    def end_session(self, pid: int) -> None:
        sessions = self.engine.sessions
        for info in sessions.listing(self.observer):
            if info.pid == pid:
                sessions.end(self.observer, pid, info.started)

    def waits(self, pid: int) -> bool:
        sessions = self.engine.sessions
        return any(
            info.pid == pid and sessions.waits_for_lock(info)
            for info in sessions.listing(self.observer)
        )

    def close(self) -> None:
        for app in self._apps:
            with contextlib.suppress(ZeroDivisionError):
                app.stop(self.end_session)
        self.observer.close()


def until(holds: Callable[[], Any]) -> Any:
    """Wait for something that comes soon, and give it."""
    end = time.monotonic() + SOON_S
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)
    return found


def acknowledged_keys(app: BackgroundApplication, op: Op) -> list[int]:
    """Keys whose last write is an acknowledged one of this kind."""
    last = {write.key: write for write in app.ledger.writes()}
    return [k for k, w in last.items() if (w.op, w.outcome) == (op, WriteOutcome.ACKNOWLEDGED)]


def told_by(app: BackgroundApplication, kind: type[P]) -> list[P]:
    """What the events of that kind tell, in order."""
    return [event.what for event in told(app.timeline.events(), kind)]


@contextmanager
def a_world(bench: Any) -> Iterator[World]:
    """In a new database; whatever runs in it ends with the test."""
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    made = World(bench.engine, lambda role: bench.guard.connect(name, role))
    try:
        yield made
    finally:
        made.close()

"""A real server of every engine on every backend this machine has, and one small world in it."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import places
import pytest

import harness.engines
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.errors import DatabaseError, EnvironmentProblem
from harness.ports import Engine, Server, Session, SessionInfo
from harness.servers.guard import Guard
from harness.servers.throwaway import ThrowawayServer
from harness.testing import FakeBackend

DEADLINE_S = 30
POLL_S = 0.005
TEMPLATE = "conformance_template"
BACKENDS = {"local": LocalBackend, "docker": DockerBackend}
ENGINES = sorted(
    folder.parent.name for folder in Path(harness.engines.__file__).parent.glob("*/__init__.py")
)

SCHEMA = (
    "CREATE TABLE teams (id bigint PRIMARY KEY, title varchar(50) NOT NULL)",
    "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(100) NOT NULL, name varchar(100), "
    "status varchar(20) DEFAULT 'active', score integer NOT NULL, team_id bigint, "
    "note varchar(50), twice integer GENERATED ALWAYS AS (score * 2) STORED, "
    "CONSTRAINT users_email_key UNIQUE (email), "
    "CONSTRAINT users_team FOREIGN KEY (team_id) REFERENCES teams (id), "
    "CONSTRAINT users_score_sane CHECK (score < 1000000))",
    "CREATE INDEX users_name ON users (name)",
    "CREATE TABLE notes (id bigint PRIMARY KEY, body varchar(200))",
    "CREATE TABLE tags (user_id bigint, word varchar(50), PRIMARY KEY (user_id, word))",
    "CREATE TABLE loose (a varchar(20), b varchar(20))",
)
ROWS = 2000
NOTES = (None, "", "it's", 'a "quote"', "back\\slash", "tab\tand\nline", "ünï © 漢字", "\\N")


@dataclass(frozen=True)
class Words:
    """What one dialect says differently; everything else in the suite is common SQL."""

    no_such_column: str
    lock_timeout: str
    statement_timeout: str
    trigger: tuple[str, ...]
    on_notes: str = ""

    @property
    def drop_trigger(self) -> str:
        return f"DROP TRIGGER notes_shout{self.on_notes}"


DIALECTS = {
    "postgres": Words(
        no_such_column="42703",
        lock_timeout="55P03",
        statement_timeout="57014",
        trigger=(
            "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN NEW.body = upper(NEW.body); RETURN NEW; END'",
            "CREATE TRIGGER notes_shout BEFORE INSERT ON notes "
            "FOR EACH ROW EXECUTE FUNCTION shout()",
        ),
        on_notes=" ON notes",
    ),
    "mysql": Words(
        no_such_column="1054",
        lock_timeout="1205",
        statement_timeout="3024",
        trigger=(
            "CREATE TRIGGER notes_shout BEFORE INSERT ON notes "
            "FOR EACH ROW SET NEW.body = upper(NEW.body)",
        ),
    ),
    "mariadb": Words(
        no_such_column="1054",
        lock_timeout="1205",
        statement_timeout="1969",
        trigger=(
            "CREATE TRIGGER notes_shout BEFORE INSERT ON notes "
            "FOR EACH ROW SET NEW.body = upper(NEW.body)",
        ),
    ),
}


@dataclass
class Bench:
    """One engine on one server, a fresh copy of the world, and sessions that end with the test."""

    host: ThrowawayServer
    nonce_before: str | None
    words: Words
    database: str = ""
    _made: list[str] = field(default_factory=list)
    _sessions: list[Session] = field(default_factory=list)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    @property
    def engine(self) -> Engine:
        return self.host.engine

    @property
    def server(self) -> Server:
        return self.host.server

    @property
    def guard(self) -> Guard:
        return self.host.guard

    def connect(self, application: str = "test", database: str | None = None) -> Session:
        """A session past the guard; it waits for a server that is coming back."""
        where = database or self.database
        session = self.guard.connect(where, application, deadline_s=DEADLINE_S)
        self._sessions.append(session)
        return session

    def admin(self) -> Session:
        return self.connect("admin", self.engine.databases.maintenance)

    def new_name(self) -> str:
        """A name for one more database, removed after the test."""
        name = f"conformance_{secrets.token_hex(4)}"
        self._made.append(name)
        return name

    def copy(self) -> str:
        name = self.new_name()
        self.engine.databases.clone(self.admin(), TEMPLATE, name)
        return name

    def info(self, session: Session) -> SessionInfo:
        """The session as an observer sees it."""
        listing = self.engine.sessions.listing(self.admin())
        return next(info for info in listing if info.pid == session.pid)

    def start(self, session: Session, sql: str) -> Future[Any]:
        """Run it in a thread of its own."""
        return self._threads.submit(session.run, sql)

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + DEADLINE_S
        while not (found := holds()):
            assert time.monotonic() < end, f"waited {DEADLINE_S} s in vain until {what}"
            time.sleep(POLL_S)
        return found

    def parked(self, session: Session, sql: str) -> Future[Any]:
        """Start it and wait until an observer sees it wait for a lock."""
        info, observer = self.info(session), self.admin()
        running = self.start(session, sql)

        def waits() -> bool:
            assert not running.done(), f"{sql} was not held up: {running.result()}"
            seen = self.engine.sessions.find(observer, info.pid, info.started)
            return seen is not None and self.engine.sessions.waits_for_lock(seen)

        self.until(f"{sql} is parked", waits)
        return running

    def until_gone(self, info: SessionInfo) -> None:
        observer = self.admin()
        self.until(
            f"session {info.pid} is gone",
            lambda: self.engine.sessions.find(observer, info.pid, info.started) is None,
        )

    def tidy(self) -> None:
        """Drop what the test made, which ends every session in it, then close what is left."""
        admin = self.admin()
        for name in self._made:
            self.engine.databases.drop(admin, name)
        for session in self._sessions:
            session.close()
        self._made.clear()
        self._sessions.clear()
        self._threads.shutdown(wait=True)
        self._threads = ThreadPoolExecutor(8)


class Wire:
    """A loopback relay that keeps what the client sent, and how often it was its turn."""

    def __init__(self, host: str, port: int) -> None:
        self.sent = bytearray()
        self.turns = 0
        self._client_speaks = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = [self._listener]
        threading.Thread(target=self._serve, args=(host, port), daemon=True).start()

    def _serve(self, host: str, port: int) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection((host, port))
        self._ends += [client, server]
        answers = threading.Thread(target=self._pass, args=(server, client), daemon=True)
        answers.start()
        self._pass(client, server)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        from_client = source is self._ends[1]
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                if from_client:
                    self.sent += block
                    self.turns += not self._client_speaks
                self._client_speaks = from_client
                sink.sendall(block)

    def close(self) -> None:
        for end in self._ends:
            end.close()


@pytest.fixture(scope="session", params=places.both(ENGINES))
def furnished(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A server with the world in its template database; one for the whole session."""
    name, backend_name = request.param
    engine = places.engine(name)
    backend = BACKENDS[backend_name](f"conformance-{secrets.token_hex(4)}")
    if reason := backend.available():
        pytest.skip(f"no {backend_name} backend here: {reason}")
    try:
        server = backend.start(engine.recipe)
    except EnvironmentProblem as problem:
        pytest.skip(
            f"no {engine.title} on the {backend_name} backend here: {_first_sentence(problem)}"
        )
    try:
        before = _nonce_of_new_server(engine, server)
        host = ThrowawayServer(FakeBackend([server]), engine)
        bench = Bench(host, before, DIALECTS[engine.name])
        _furnish(bench)
        yield bench
        host.close()
    finally:
        server.destroy()


@pytest.fixture
def bench(furnished: Bench) -> Iterator[Bench]:
    """The furnished server with a copy of the world that belongs to this test alone."""
    furnished.database = furnished.copy()
    yield furnished
    furnished.tidy()


@pytest.fixture
def wire(bench: Bench) -> Iterator[Wire]:
    address = bench.server.address()
    wire = Wire(address.host, address.port)
    yield wire
    wire.close()


def _first_sentence(problem: EnvironmentProblem) -> str:
    return str(problem).partition(". ")[0]


def _nonce_of_new_server(engine: Engine, server: Server) -> str | None:
    end = time.monotonic() + 2 * DEADLINE_S
    while True:
        try:
            session = engine.connector.connect(
                server.address(), engine.databases.maintenance, application="test"
            )
            break
        except DatabaseError:
            assert time.monotonic() < end, f"{engine.title} never answered:\n{server.logs()}"
            time.sleep(POLL_S)
    try:
        return engine.databases.read_nonce(session)
    finally:
        session.close()


def _furnish(bench: Bench) -> None:
    series = bench.engine.databases.series
    bench.engine.databases.create(bench.admin(), TEMPLATE)
    session = bench.connect("test", TEMPLATE)
    for sql in (*SCHEMA, *bench.words.trigger):
        session.run(sql)
    session.run("INSERT INTO teams VALUES (1, 'one'), (2, 'two')")
    session.run(
        "INSERT INTO users (id, email, name, score, team_id) "
        "SELECT n, concat('u', n, '@example.org'), concat('name ', n), n, 1 "
        f"FROM {series(ROWS)}"
    )
    for n, note in enumerate(NOTES, 1):
        session.run("UPDATE users SET note = %s WHERE id = %s", (note, n))
    session.run(f"INSERT INTO notes SELECT n, concat('body ', n) FROM {series(20)}")
    bench.tidy()

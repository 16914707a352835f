"""For your own tests: run a scenario under pytest, and fakes that keep the real protocols.

::

    def test_our_runbook_works():
        assert run_scenario("drills/our-outage.yaml", "postgres").surprises == []

The fakes answer what they are told to and remember what they were sent. Nothing here patches
anything: a fake is handed in where the real thing would be.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from harness import loading, registry
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.drill import plan, results
from harness.drill.drill_server import DrillServer
from harness.drill.results import TrialResult
from harness.drill.trial import TrialRun
from harness.errors import DatabaseError, EnvironmentProblem, GuardRefused
from harness.model import Drill
from harness.ports import (
    Address,
    Backend,
    Capability,
    Engine,
    Recipe,
    Rows,
    ServerFacts,
    SessionInfo,
    Witness,
)

RECIPE = Recipe(
    engine="fake",
    image="fake:1",
    stand_in="migration-drill/fake:1",
    port=1,
    superuser="root",
    data_folder="/var/lib/fake",
    container_env={},
    container_args=(),
    binary="faked",
    init_argv=(),
    serve_argv=(),
    settings=(),
)


# ---------------------------------------------------------------------- run for real


@dataclass(frozen=True)
class ScenarioResult:
    """What came out of every trial of one scenario; each value is what ``trial.json`` holds."""

    trials: tuple[TrialResult, ...]

    @property
    def surprises(self) -> list[str]:
        """One line for each trial that did not end as it must; each has the line to run again."""
        return [
            f"{trial.id}: {trial.outcome}, wanted {trial.expected}. "
            f"{trial.sentence} Again: {trial.rerun}"
            for trial in self.trials
            if not trial.as_expected
        ]


def run_scenario(
    path: str | Path,
    engine: str = "postgres",
    backend: Backend | Literal["auto", "docker", "local"] = "auto",
    *,
    decoys: bool = True,
    only: Sequence[str] = (),
    rows: int | None = None,
    seed: int = 0,
) -> ScenarioResult:
    """Run a scenario file on a server of its own, which is gone when this returns.

    ``only`` takes shell patterns of trial ids. ScenarioError for an invalid file,
    EnvironmentProblem if no server can be had, NothingSelected if no trial is left.
    """
    scenario = loading.load_scenario(Path(path))
    chosen = registry.engine(engine)
    drill = Drill("pytest", scenario.title, decoys="all" if decoys else "none", rows=rows)
    source = _backend(backend)
    planned = plan.only(plan.make(drill, (scenario,), (chosen,), seed, source.capabilities), only)
    lane = DrillServer(source, chosen)
    try:
        return ScenarioResult(
            tuple(
                results.of_trial(TrialRun(trial, lane).run().events()) for trial in planned.trials
            )
        )
    finally:
        lane.close()


def _backend(wanted: Backend | str) -> Backend:
    if not isinstance(wanted, str):
        return wanted
    run_id = f"pytest-{secrets.token_hex(4)}"
    docker = DockerBackend(run_id)
    problem = None if wanted == "local" else docker.available()
    if wanted == "docker" and problem:
        raise EnvironmentProblem(problem)
    return LocalBackend(run_id) if wanted == "local" or problem else docker


# ---------------------------------------------------------------------- fakes


@dataclass
class FakeServer:
    """A ``Server`` in memory. ``answers`` maps a statement to its rows or to an error."""

    identity: str = "fake-1"
    nonce: str | None = None
    is_ours: bool = True
    answers: dict[str, Rows | DatabaseError] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    """(application, statement) of everything that any session sent."""
    sessions: list[FakeSession] = field(default_factory=list)
    up: bool = True
    paused: bool = False
    destroyed: bool = False
    facts: ServerFacts = field(
        default_factory=lambda: ServerFacts("fake", "fake", "fake:1", "sha256:0")
    )
    capabilities: frozenset[Capability] = frozenset({Capability.KILL, Capability.PAUSE})

    def address(self) -> Address:
        return Address("127.0.0.1", 1, "root", "secret of a fake")

    def proof(self) -> str:
        if not self.is_ours:
            raise GuardRefused("this run did not start that server")
        return "made by this test"

    def logs(self) -> str:
        return "the log of a fake"

    def destroy(self) -> None:
        self.up, self.destroyed = False, True

    def kill(self) -> Sequence[Witness]:
        self.up = False
        return [Witness("injector", "killed"), Witness("os", "died of SIGKILL")]

    def start_again(self) -> None:
        self.up = True

    def pause(self) -> Sequence[Witness]:
        self.paused = True
        return [Witness("injector", "paused")]

    def resume(self) -> None:
        self.paused = False


class FakeSession:
    """A ``Session`` of a :class:`FakeServer`; every session has a pid of its own."""

    _pids = itertools.count(1)

    def __init__(self, server: FakeServer, database: str, application: str) -> None:
        self.pid = next(self._pids)
        self.server = server
        self.database = database
        self.application = application
        self.open = True
        server.sessions.append(self)

    def run(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        if not (self.open and self.server.up):
            raise DatabaseError("", "the connection is lost", lost=True)
        self.server.sent.append((self.application, sql))
        answer = self.server.answers.get(sql, Rows())
        if isinstance(answer, DatabaseError):
            raise answer
        return answer

    def run_file(self, sql: str) -> None:
        self.run(sql)

    def close(self) -> None:
        self.open = False


def _connect(
    server: FakeServer, database: str, application: str, timeout_s: float = 5
) -> FakeSession:
    if not server.up or server.paused:
        raise DatabaseError("", "nobody answers", lost=True)
    return FakeSession(server, database, application)


def _info(session: FakeSession) -> SessionInfo:
    return SessionInfo(
        session.pid, "since the test began", session.application, "idle", "", "", session.database
    )


def fake_engine(server: FakeServer, traits: frozenset[str] = frozenset()) -> Engine:
    """An ``Engine`` whose every connection leads to ``server``, whatever the address says."""
    return SimpleNamespace(
        name="fake",
        label="fake",
        title="Fake",
        dialect="fake",
        traits=traits,
        recipe=RECIPE,
        connector=_connector(server),
        databases=_databases(),
        sessions=_sessions(server),
    )


def _connector(server: FakeServer) -> SimpleNamespace:
    return SimpleNamespace(
        connect=lambda _address, database, *, application, timeout_s=5: _connect(
            server, database, application, timeout_s
        ),
        limit=lambda _session, **_limits: None,
        client_line=lambda _address, database: f"fake {database}",
        identity=lambda session: session.server.identity,
        version=lambda _session: "1.0",
    )


def _databases() -> SimpleNamespace:
    def plant(session: FakeSession, nonce: str) -> None:
        session.server.nonce = nonce

    return SimpleNamespace(
        maintenance="maintenance",
        plant_nonce=plant,
        read_nonce=lambda session: session.server.nonce,
        create=lambda session, name: session.run(f"CREATE DATABASE {name}"),
        drop=lambda session, name: session.run(f"DROP DATABASE {name}"),
        clone=lambda session, template, name: session.run(f"CLONE {template} {name}"),
        series=lambda count: f"(1..{count}) AS series",
    )


def _sessions(server: FakeServer) -> SimpleNamespace:
    def listing(_session: FakeSession) -> list[SessionInfo]:
        return [_info(session) for session in server.sessions if session.open]

    def find(session: FakeSession, pid: int, _started: str) -> SessionInfo | None:
        return next((info for info in listing(session) if info.pid == pid), None)

    def end(_session: FakeSession, pid: int, _started: str) -> bool:
        found = [session for session in server.sessions if session.open and session.pid == pid]
        for session in found:
            session.close()
        return bool(found)

    return SimpleNamespace(
        listing=listing,
        find=find,
        end=end,
        cancel=lambda _session, _pid, _started: True,
        waiting=lambda _session, _database: [],
        root_blockers=lambda _session, _database: [],
        prepare_progress=lambda _session: None,
        waits_for_lock=lambda info: bool(info.wait),
        KILLED=frozenset({"killed"}),
        look_sql={},
    )


@dataclass
class FakeBackend:
    """A ``Backend`` that hands out the servers it was given, in order."""

    servers: list[FakeServer] = field(default_factory=list)
    name: str = "fake"
    capabilities: frozenset[Capability] = frozenset(Capability)
    started: int = 0
    refuses: str | None = None

    def available(self) -> str | None:
        return self.refuses

    def cannot_run(self, recipe: Recipe) -> str | None:
        return self.refuses

    def start(self, recipe: Recipe, image: str | None = None) -> FakeServer:
        if self.refuses:
            raise EnvironmentProblem(self.refuses)
        if self.started == len(self.servers):
            self.servers.append(FakeServer())
        self.started += 1
        return self.servers[self.started - 1]

    def leftovers(self) -> list[str]:
        return []

    def collect_garbage(self) -> list[str]:
        return []

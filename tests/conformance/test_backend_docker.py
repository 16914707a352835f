"""The Docker backend, on real containers of every engine whose image is on this machine."""

from __future__ import annotations

import io
import itertools
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import psycopg
import pymysql
import pytest

from harness.backends.docker import OWNER_LABEL, RUN_LABEL, DockerBackend, DockerServer
from harness.errors import DeadlineExceeded, EnvironmentProblem, GuardRefused, ServerLost
from harness.ports import Backend, HasTools, Killable, Pausable, Recipe

WHY_NOT = DockerBackend("probe").available()
pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(WHY_NOT is not None, reason=f"no Docker here: {WHY_NOT}"),
]
READY_S = 60


def recipe(engine: str, image: str, port: int, user: str, env: str, *args: str) -> Recipe:
    data = "/var/lib/postgresql" if engine == "postgres" else "/var/lib/mysql"
    return Recipe(
        engine=engine,
        image=image,
        stand_in=f"migration-drill/{image}",
        port=port,
        superuser=user,
        data_folder=data,
        container_env={env: "{password}"},
        container_args=args,
        binary="",
        init_argv=(),
        serve_argv=(),
        settings=(),
    )


@dataclass(frozen=True)
class Case:
    """An engine as these tests speak to it: its recipe, a driver, its command-line client."""

    recipe: Recipe
    connect: Callable[[Any], Any]
    client: tuple[str, ...]
    setting: str


def with_psycopg(address: Any) -> psycopg.Connection:
    return psycopg.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        dbname="postgres", connect_timeout=2, autocommit=True,
    )  # fmt: skip


def with_pymysql(address: Any) -> pymysql.Connection:
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        connect_timeout=2, read_timeout=2, autocommit=True,
    )  # fmt: skip


CASES = {
    "postgres": Case(
        recipe(
            "postgres",
            "postgres:18",
            5432,
            "postgres",
            "POSTGRES_PASSWORD",
            "-c",
            "max_connections=77",
        ),
        with_psycopg,
        ("psql", "-qAt", "-d", "postgres", "-v", "ON_ERROR_STOP=1"),
        "SELECT current_setting('max_connections')",
    ),
    "mysql": Case(
        recipe("mysql", "mysql:9.7", 3306, "root", "MYSQL_ROOT_PASSWORD", "--max-connections=77"),
        with_pymysql,
        ("mysql", "--user=root", "-N"),
        "SELECT CAST(@@global.max_connections AS CHAR)",
    ),
    "mariadb": Case(
        recipe(
            "mariadb",
            "mariadb:11.8",
            3306,
            "root",
            "MARIADB_ROOT_PASSWORD",
            "--max-connections=77",
        ),
        with_pymysql,
        ("mariadb", "--user=root", "-N"),
        "SELECT CAST(@@global.max_connections AS CHAR)",
    ),
}


def local_images() -> set[str]:
    if WHY_NOT:
        return set()
    client = docker.from_env(timeout=10)
    return {tag for image in client.images.list() for tag in image.tags}


IMAGES = local_images()


def has_image(case: Case) -> bool:
    return bool({case.recipe.image, case.recipe.stand_in} & IMAGES)


def needs_image(engine: str) -> Any:
    wanted = CASES[engine].recipe
    return pytest.param(
        engine,
        marks=pytest.mark.skipif(
            not {wanted.image, wanted.stand_in} & IMAGES,
            reason=f"no image of {engine}: docker pull {wanted.image}, or mdrill images build",
        ),
    )


ONE = next((case for case in CASES.values() if has_image(case)), CASES["postgres"])
"""The first engine that is here, for tests to which the engine does not matter."""
ENGINES = [needs_image(name) for name in CASES]


@pytest.fixture(scope="module")
def engine_api() -> Iterator[docker.APIClient]:
    client = docker.from_env(timeout=10)
    yield client.api
    client.close()


@pytest.fixture(scope="module")
def backend() -> DockerBackend:
    return DockerBackend("conformance")


@pytest.fixture(scope="module", params=ENGINES)
def running(request: pytest.FixtureRequest, backend: DockerBackend) -> Iterator[Any]:
    """One server of the engine for all tests that leave it as they found it."""
    case = CASES[request.param]
    server = backend.start(case.recipe)
    try:
        query(case, server, "SELECT 1")
        yield case, server
    finally:
        server.destroy()


@pytest.fixture
def one(backend: DockerBackend) -> Iterator[DockerServer]:
    """A server of its own, of the first engine that is here."""
    if not has_image(ONE):
        pytest.skip("no image of any engine on this machine: mdrill images build postgres")
    server = backend.start(ONE.recipe)
    yield server
    server.destroy()


def query(case: Case, server: DockerServer, sql: str) -> Any:
    """Run SQL as soon as the server answers; the first value of the last row."""
    end = time.monotonic() + READY_S
    while True:
        try:
            connection = case.connect(server.address())
            break
        except (psycopg.OperationalError, pymysql.OperationalError):
            if time.monotonic() >= end:
                raise
            time.sleep(0.01)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def processes_of(api: docker.APIClient, server: DockerServer) -> list[str]:
    """The names of what lives in the container, as the engine sees it from outside."""
    listed = api.top(server.container_id, ps_args="-eo pid,stat,comm")["Processes"]
    return [name for _, state, name in listed if state[0] not in "ZX"]


def containers_of(api: docker.APIClient, label: str) -> list[str]:
    return [c["Id"] for c in api.containers(all=True, filters={"label": label})]


def test_it_keeps_the_protocols_it_promises(backend: DockerBackend, running: Any) -> None:
    """A container server can be killed, paused and given tools, and says so."""
    _, server = running
    promise: Backend = backend
    assert promise.available() is None
    assert isinstance(server, Killable)
    assert isinstance(server, Pausable)
    assert isinstance(server, HasTools)
    assert sorted(server.capabilities) == ["kill", "pause", "tools"]


def test_the_facts_say_which_image_ran(running: Any, engine_api: docker.APIClient) -> None:
    """The record names the image that ran and an immutable digest of it."""
    case, server = running
    assert server.facts.backend == "docker"
    assert server.facts.image in (case.recipe.image, case.recipe.stand_in)
    image = engine_api.inspect_image(server.facts.image)
    assert server.facts.digest.startswith("sha256:")
    assert server.facts.digest in (image["Id"], *(d.split("@")[1] for d in image["RepoDigests"]))


def test_the_recipes_settings_reach_the_server(running: Any) -> None:
    """Arguments of the recipe arrive as settings of the server."""
    case, server = running
    assert query(case, server, case.setting) == "77"


def test_it_listens_on_loopback_only(running: Any, engine_api: docker.APIClient) -> None:
    """Nobody on the network can reach a throwaway server."""
    _, server = running
    ports = engine_api.inspect_container(server.container_id)["NetworkSettings"]["Ports"]
    bound = [binding["HostIp"] for bindings in ports.values() for binding in bindings or ()]
    assert bound == ["127.0.0.1"]
    assert server.address().host == "127.0.0.1"


def test_a_killed_server_died_of_sigkill_and_kept_its_data(
    running: Any, engine_api: docker.APIClient
) -> None:
    """Independent witnesses tell of the death, nothing is left of the server, its rows are."""
    case, server = running
    database = "" if case.recipe.engine == "postgres" else "mysql."
    query(case, server, f"CREATE TABLE IF NOT EXISTS {database}kept (n int)")
    query(case, server, f"INSERT INTO {database}kept VALUES (1)")
    before = server.address()
    witnesses = server.kill()
    assert [w.source for w in witnesses] == ["injector", "os", "docker", "observer"]
    assert witnesses[1].data == {"exit_code": 137}
    assert processes_of(engine_api, server) == ["sh", "sh"]
    assert server.address() == before
    with pytest.raises((psycopg.OperationalError, pymysql.OperationalError)):
        case.connect(server.address())
    with pytest.raises(ServerLost, match="killed before"):
        server.kill()
    server.start_again()
    assert query(case, server, f"SELECT count(*) FROM {database}kept") == 1
    query(case, server, f"DROP TABLE {database}kept")


def test_the_container_outlives_its_server(running: Any, engine_api: docker.APIClient) -> None:
    """Killing and starting again costs no restart of the container: same start, same port."""
    case, server = running
    began = engine_api.inspect_container(server.container_id)["State"]["StartedAt"]
    port = server.address().port
    for _ in range(3):
        server.kill()
        server.start_again()
        server.start_again()
        assert query(case, server, "SELECT 1") == 1
    assert engine_api.inspect_container(server.container_id)["State"]["StartedAt"] == began
    assert server.address().port == port
    assert server.logs().count("the server ended with status 137, its container is kept") >= 3


def test_no_zombie_stays_of_killed_servers(running: Any, engine_api: docker.APIClient) -> None:
    """The container's first process buries what earlier servers left."""
    case, server = running
    for _ in range(2):
        server.kill()
        server.start_again()
        query(case, server, "SELECT 1")
    listed = engine_api.top(server.container_id, ps_args="-eo pid,stat,comm")["Processes"]
    assert [row for row in listed if row[1].startswith("Z")] == []


def test_a_tool_beside_the_server_dies_with_it(one: DockerServer) -> None:
    """As when a container is killed, no program that runs in it is spared."""
    with ThreadPoolExecutor() as pool:
        tool = pool.submit(one.run_tool, ["sleep", "1234"])
        deadline = time.monotonic() + READY_S
        while "sleep" not in processes_of(one._client.api, one):
            assert time.monotonic() < deadline
        one.kill()
        assert tool.result().exit_code == 137


def test_a_frozen_server_is_killed_as_it_thaws(one: DockerServer) -> None:
    """The order waits for it in the container, which stays."""
    query(ONE, one, "SELECT 1")
    began = one._inspect()["State"]["StartedAt"]
    one.pause()
    witnesses = one.kill()
    assert "kill -9 -1" in witnesses[0].says
    assert one._inspect()["State"]["StartedAt"] == began
    one.start_again()
    assert query(ONE, one, "SELECT 1") == 1
    assert "kill -9 -1" in one.kill()[0].says


def test_a_server_killed_by_another_is_told_and_can_be_started(one: DockerServer) -> None:
    """Only a kill of ours keeps the container; any other end is the server's own."""
    query(ONE, one, "SELECT 1")
    one.kill()
    one.start_again()
    query(ONE, one, "SELECT 1")
    one.run_tool(["sh", "-c", "kill -9 -1"])
    with pytest.raises(ServerLost, match="ended by itself with exit code 137"):
        query(ONE, one, "SELECT 1")
    with pytest.raises(ServerLost, match="ended by itself"):
        one.kill()
    one.start_again()
    assert query(ONE, one, "SELECT 1") == 1


@pytest.mark.parametrize("killed", [False, True], ids=["at-work", "killed"])
def test_docker_stop_is_passed_on(running: Any, killed: bool) -> None:
    """The image's stop signal reaches the server, which shuts down in order."""
    case, server = running
    query(case, server, "SELECT 1")
    if killed:
        server.kill()
    began = time.monotonic()
    server._client.api.stop(server.container_id, timeout=120)
    assert time.monotonic() - began < 60
    assert server._inspect()["State"]["ExitCode"] == 0
    server.start_again()
    assert query(case, server, "SELECT 1") == 1


def test_a_lost_session_is_one_clear_problem(one: DockerServer) -> None:
    """Without the session in the container the run ends; it does not believe in a kill."""
    query(ONE, one, "SELECT 1")
    one.kill()
    one.start_again()
    assert one._killer is not None
    one._killer._lines._connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(EnvironmentProblem, match=r"session .* is lost .* engine restarted"):
        one.kill()
    assert query(ONE, one, "SELECT 1") == 1


AS_THE_OFFICIAL = r"""#!/usr/bin/env bash
set -Eeo pipefail
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" && chown postgres "$PGDATA" && chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$BASH_SOURCE" "$@"
fi
[ "${1:0:1}" = - ] && set -- postgres "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    psql -U postgres -c 'CREATE TABLE first_start (n int)'
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
"""


@pytest.fixture
def derived(engine_api: docker.APIClient) -> Iterator[Callable[..., str]]:
    """Makes an image from PostgreSQL's with other settings; all are removed afterwards."""
    wanted = CASES["postgres"].recipe
    here = [name for name in (wanted.stand_in, wanted.image) if name in IMAGES]
    if not here:
        pytest.skip("no image of PostgreSQL on this machine: mdrill images build postgres")
    made = []

    def make(changes: list[str], script: str = "") -> str:
        scratch = engine_api.create_container(here[0])["Id"]
        try:
            if script:
                engine_api.put_archive(scratch, "/", archive("entry.sh", script))
            made.append(engine_api.commit(scratch, changes=changes)["Id"])
        finally:
            engine_api.remove_container(scratch, v=True)
        return made[-1]

    yield make
    for image in made:
        engine_api.remove_image(image, force=True)


def archive(name: str, text: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text), 0o755
        tar.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


def test_an_image_that_initialises_at_its_first_start(
    derived: Callable[..., str], backend: DockerBackend
) -> None:
    """As official ones do: as root, a temporary server first, then another account's server."""
    case = CASES["postgres"]
    settings = ("-c", "listen_addresses=*")
    image = derived(
        ["USER root", "ENV PGDATA=/tmp/fresh", 'ENTRYPOINT ["/entry.sh"]', 'CMD ["postgres"]'],
        AS_THE_OFFICIAL,
    )
    server = backend.start(replace(case.recipe, container_args=settings), image)
    try:
        assert query(case, server, "SELECT count(*) FROM first_start") == 0
        assert server.kill()[1].data == {"exit_code": 137}
        server.start_again()
        assert query(case, server, "SELECT count(*) FROM first_start") == 0
        assert server.logs().count("database system was not properly shut down") == 1
    finally:
        server.destroy()


def test_an_image_without_a_shell_is_killed_with_its_container(
    derived: Callable[..., str], backend: DockerBackend
) -> None:
    """Nothing can stand before its server, so the whole container dies and starts again."""
    case = CASES["postgres"]
    path = "PATH=/usr/lib/postgresql/18/bin:/usr/local/bin:/usr/bin:/bin"
    entry = f'ENTRYPOINT ["/usr/bin/env","{path}","sh","/usr/local/bin/entrypoint.sh"]'
    image = derived(["ENV PATH=/nowhere", entry, 'CMD ["postgres"]'])
    server = backend.start(case.recipe, image)
    try:
        assert query(case, server, case.setting) == "77"
        witnesses = server.kill()
        assert "the container as a whole" in witnesses[0].says
        assert [w.data.get("exit_code") for w in witnesses] == [None, 137, 137]
        server.start_again()
        assert query(case, server, "SELECT 1") == 1
    finally:
        server.destroy()


def test_the_port_is_looked_up_anew_after_a_restart(one: DockerServer) -> None:
    """The engine may publish another port after a restart; address() tells the present one."""
    query(ONE, one, "SELECT 1")
    one._client.api.restart(one.container_id, timeout=30)
    found = one._inspect()["NetworkSettings"]["Ports"]
    published = int(found[f"{ONE.recipe.port}/tcp"][0]["HostPort"])
    assert one.address().port == published
    assert query(ONE, one, "SELECT 1") == 1


def test_a_paused_server_does_not_answer_until_it_is_thawed(running: Any) -> None:
    """Pausing is witnessed by the engine; thawing may be asked for twice."""
    case, server = running
    witnesses = server.pause()
    try:
        assert [w.source for w in witnesses] == ["injector", "docker"]
        with pytest.raises((psycopg.OperationalError, pymysql.OperationalError)):
            case.connect(server.address())
    finally:
        server.resume()
    server.resume()
    assert query(case, server, "SELECT 1") == 1


def test_tools_are_authenticated_and_take_input(running: Any) -> None:
    """A client program beside the server needs no password and reads its standard input."""
    case, server = running
    result = server.run_tool(case.client, stdin=b"SELECT 6 * 7;\n")
    assert (result.exit_code, result.stdout) == (0, b"42\n")


def test_a_failing_tool_tells_its_exit_code_and_error(running: Any) -> None:
    """Standard output and standard error stay apart, and the exit code is the tool's own."""
    case, server = running
    result = server.run_tool(case.client, stdin=b"SELECT 1;\nSELECT no_such_column;\n")
    assert result.exit_code != 0
    assert result.stdout == b"1\n"
    assert b"no_such_column" in result.stderr


def test_the_password_is_in_no_argument_list(running: Any, engine_api: docker.APIClient) -> None:
    """Neither the container's command nor a tool's arguments, nor the log, show the password."""
    case, server = running
    password = server.address().password
    found = engine_api.inspect_container(server.container_id)
    assert password not in str([found["Path"], found["Args"], found["Config"]["Cmd"]])
    seen = server.run_tool(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
    assert case.recipe.container_args[-1].encode() in seen.stdout
    assert password.encode() not in seen.stdout
    assert password not in server.logs()


def test_the_log_is_the_servers_own(running: Any) -> None:
    """What the server writes to its log can be read from outside."""
    _, server = running
    assert "ready" in server.logs()


def test_large_dumps_pass_in_and_out(one: DockerServer) -> None:
    """Sixty megabytes go in and come back unchanged, both directions at once."""
    sent = os.urandom(1 << 20) * 60
    result = one.run_tool(["cat"], stdin=sent)
    assert result.exit_code == 0
    assert result.stdout == sent


def test_input_may_come_in_pieces(one: DockerServer) -> None:
    """What is too large for memory; an error while it is made leaves the call as it is."""
    pieces = [bytes([n]) * (n << 12) for n in range(100)]
    assert one.run_tool(["cat"], stdin=iter(pieces)).stdout == b"".join(pieces)

    def broken() -> Iterator[bytes]:
        yield b"1"
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        one.run_tool(["cat"], stdin=broken())
    endless = itertools.repeat(b"x" * (1 << 18))
    assert one.run_tool(["sh", "-c", "exit 3"], stdin=endless).exit_code == 3


def test_a_tool_that_does_not_read_its_input_does_not_hang(one: DockerServer) -> None:
    """A program that ends without reading leaves its exit code, not a broken pipe."""
    result = one.run_tool(["sh", "-c", "exit 3"], stdin=b"x" * (8 << 20))
    assert result.exit_code == 3


def test_a_tool_past_its_deadline_is_killed(one: DockerServer) -> None:
    """The deadline ends the program inside the container too."""
    with pytest.raises(DeadlineExceeded, match="sleep was killed"):
        one.run_tool(["sleep", "1234"], timeout_s=0.3)
    left = one.run_tool(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
    assert b"sleep 1234" not in left.stdout


def test_destroying_leaves_nothing(backend: DockerBackend, engine_api: docker.APIClient) -> None:
    """No container and no volume remains, even of a frozen server; twice is as good as once."""
    mine = DockerBackend("destroying")
    volumes = {v["Name"] for v in engine_api.volumes()["Volumes"] or ()}
    server = mine.start(ONE.recipe)
    server.pause()
    server.destroy()
    server.destroy()
    assert containers_of(engine_api, f"{RUN_LABEL}=destroying") == []
    assert {v["Name"] for v in engine_api.volumes()["Volumes"] or ()} <= volumes
    with pytest.raises(ServerLost, match="is gone"):
        server.address()


def test_a_server_that_dies_at_start_is_told_with_its_log(backend: DockerBackend) -> None:
    """An unknown setting ends the server; asking for its address says so and shows the log."""
    case = ONE
    server = backend.start(replace(case.recipe, container_args=("--no-such-setting=1",)))
    try:
        with pytest.raises(ServerLost, match=r"(?s)ended by itself.*no.such.setting"):
            query(case, server, "SELECT 1")
    finally:
        server.destroy()


def test_a_failed_start_leaves_nothing(
    engine_api: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that was created but could not be started is removed again."""
    created = []

    def fails(_: Any, container: Any) -> None:
        created.extend(containers_of(engine_api, f"{RUN_LABEL}=failing"))
        raise docker.errors.APIError("port is already allocated")

    monkeypatch.setattr("testcontainers.core.docker_client.DockerClient.start", fails)
    case = ONE
    with pytest.raises(EnvironmentProblem, match=r"could not start.*already allocated"):
        DockerBackend("failing").start(case.recipe)
    assert len(created) == 1
    assert containers_of(engine_api, f"{RUN_LABEL}=failing") == []


def test_a_missing_image_is_told_with_the_next_move(backend: DockerBackend) -> None:
    """Neither image is here and none can be pulled: the message names both ways out."""
    missing = replace(
        CASES["postgres"].recipe,
        image="localhost:1/none:1",
        stand_in="localhost:1/none:2",
        suites={"1": "sid"},
    )
    with pytest.raises(EnvironmentProblem) as told:
        backend.start(missing)
    assert "`docker pull localhost:1/none:1`" in str(told.value)
    assert "`mdrill images build postgres`" in str(told.value)
    with pytest.raises(EnvironmentProblem, match="`mdrill images build postgres:1`"):
        backend.start(replace(missing, asked="1"))
    with pytest.raises(EnvironmentProblem) as told:
        backend.start(replace(missing, suites={}))
    assert "images build" not in str(told.value)


def test_every_version_that_is_here_is_listed(
    backend: DockerBackend, engine_api: docker.APIClient
) -> None:
    """Official or stand-in; the official one where both are here, and nothing but versions."""
    here = next(name for name in (ONE.recipe.stand_in, ONE.recipe.image) if name in IMAGES)
    made = [("official", tag) for tag in ("7", "8.1", "8.1-alpine", "latest")]
    made += [("stand-in", tag) for tag in ("6", "7")]
    recipe = replace(ONE.recipe, image="mdrill-test/official:8", stand_in="mdrill-test/stand-in:8")
    try:
        for name, tag in made:
            engine_api.tag(here, f"mdrill-test/{name}", tag)
        assert backend.versions_here(recipe) == {
            "6": "mdrill-test/stand-in:6",
            "7": "mdrill-test/official:7",
            "8.1": "mdrill-test/official:8.1",
        }
    finally:
        for name, tag in made:
            engine_api.remove_image(f"mdrill-test/{name}:{tag}", noprune=True)


def test_another_runs_container_is_refused(one: DockerServer) -> None:
    """The proof of ownership is the label on the container, not our memory of it."""
    assert f"{RUN_LABEL}=conformance" in one.proof()
    stranger = DockerServer(
        one._client, one.container_id, "another-run", CASES["postgres"].recipe, "", one.facts
    )
    with pytest.raises(GuardRefused, match="this run did not start it"):
        stranger.proof()


def test_an_engine_that_does_not_answer_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, one: DockerServer
) -> None:
    """Without an engine the backend says why it cannot be used, and destroy says so too."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/docker.sock")
    why = DockerBackend("nowhere").available()
    assert why is not None
    assert "/no/such/docker.sock" in why
    lost = DockerServer(
        docker.DockerClient(base_url="unix:///no/such/docker.sock", version="1.41"),
        one.container_id, "nowhere", CASES["postgres"].recipe, "", one.facts,
    )  # fmt: skip
    with pytest.raises(EnvironmentProblem, match="could not remove"):
        lost.destroy()


def test_an_engine_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A daemon that accepts the connection and never answers is told as such, not waited for."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "hung.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/hung.sock")
        why = DockerBackend("nowhere").available()
    assert "no Docker engine answers" in (why or "")
    assert "timed out" in (why or "").lower()


def test_an_engine_on_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are published on loopback only, so a remote engine is of no use."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    assert "on another machine" in (DockerBackend("far").available() or "")


ORPHAN = """
import sys
from tests.conformance.test_backend_docker import CASES, has_image
from harness.backends.docker import DockerBackend
case = next(case for case in CASES.values() if has_image(case))
print(DockerBackend("orphaned").start(case.recipe).container_id, flush=True)
sys.stdin.read()
"""


def test_garbage_of_a_killed_process_is_collected_and_nothing_else(
    one: DockerServer, engine_api: docker.APIClient
) -> None:
    """A process killed by SIGKILL leaves a container; the next one removes exactly that."""
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        orphan = process.stdout.readline().strip()
        try:
            spared = DockerBackend("cleaner").collect_garbage()
            process.send_signal(signal.SIGKILL)
            process.wait()
            removed = DockerBackend("cleaner").collect_garbage()
        finally:
            process.kill()
    mine = f":{process.pid}:"
    assert [line for line in spared if mine in line] == []
    assert len([line for line in removed if mine in line]) == 1
    assert orphan not in containers_of(engine_api, OWNER_LABEL)
    assert one.container_id in containers_of(engine_api, OWNER_LABEL)

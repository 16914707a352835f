"""Dumps that were made elsewhere, restored with what they need and nothing else."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from harness import registry
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.dumps import dump as dumps
from harness.engines.postgres import foreign_dump
from harness.engines.postgres.databases import GUARD_SCHEMA
from harness.errors import UsageError
from harness.sweep.sweep_server import SweepServer

pytestmark = pytest.mark.matrix(of=2)

HERE, THERE = "here", "there"
OF_A_POLICY = """\
CREATE ROLE "App Owner" NOLOGIN;
CREATE ROLE reader NOLOGIN;
CREATE TABLE users (id integer PRIMARY KEY, name text);
INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace');
ALTER TABLE users OWNER TO "App Owner";
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users FOR SELECT TO reader USING (id = 1);
GRANT SELECT ON users TO reader;
"""
OURS = ("-N", GUARD_SCHEMA)
FORMATS = {
    "plain": ("pg_dump", *OURS, "-d", THERE),
    "custom": ("pg_dump", "-Fc", *OURS, "-d", THERE),
    "tar": ("pg_dump", "-Ft", *OURS, "-d", THERE),
    "directory": (
        *("sh", "-c"),
        f'd=$(mktemp -u) && pg_dump -Fd -N {GUARD_SCHEMA} -f "$d" -d {THERE} && '
        'tar -c -C "$d" . && rm -r "$d"',
    ),
    "one schema": ("pg_dump", "-n", "public", "-d", THERE),
}


@pytest.fixture(scope="module")
def server():
    """A server of PostgreSQL with the client programs beside it."""
    engine = registry.engine("postgres")
    for backend in (DockerBackend("tests"), LocalBackend("tests")):
        if backend.available() is None and backend.cannot_run(engine.recipe) is None:
            with SweepServer(backend, engine) as opened:
                yield opened
            return
    pytest.skip("no server of PostgreSQL on this machine")


def sql(server: SweepServer, database: str, text: str) -> str:
    done = server.tools().run_tool(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database],
        stdin=text.encode(),
    )
    assert done.exit_code == 0, done.stderr
    return done.stdout.decode().strip()


@pytest.fixture
def dumped(server, tmp_path, request) -> Path:
    """A dump of a database whose roles are gone by now."""
    server.drop(HERE)
    server.drop(THERE)
    server.create(THERE)
    sql(server, THERE, OF_A_POLICY)
    done = server.tools().run_tool(FORMATS[request.param])
    assert done.exit_code == 0, done.stderr
    server.drop(THERE)
    sql(server, "postgres", 'DROP ROLE "App Owner", reader')
    if request.param == "directory":
        folder = tmp_path / "dump"
        folder.mkdir()
        subprocess.run(["tar", "-x", "-C", str(folder)], input=done.stdout, check=True)
        return folder
    file = tmp_path / "dump"
    file.write_bytes(done.stdout)
    return file


def restored(server: SweepServer, path: Path) -> list[str]:
    """What was told while it was restored."""
    told: list[str] = []
    server.create(HERE)
    dump = dumps.read(path, told.append)
    assert dump is not None
    assert dump.engine is server.engine
    dump.load(server, HERE)
    return told


@pytest.mark.parametrize("dumped", FORMATS, indirect=True)
def test_roles_that_a_dump_names_are_made_and_told(server, dumped):
    """With all that depends on them: owner, privileges, and a policy."""
    try:
        told = restored(server, dumped)
        assert told == ["made roles that the dump names, without a login: App Owner, reader"]
        assert sql(server, HERE, "SELECT count(*) FROM users") == "2"
        assert sql(server, HERE, "SELECT roles FROM pg_policies") == "{reader}"
        assert sql(server, HERE, "SELECT tableowner FROM pg_tables WHERE tablename = 'users'") == (
            "App Owner"
        )
        assert sql(server, HERE, "SELECT has_table_privilege('reader', 'users', 'SELECT')") == "t"
        assert sql(server, HERE, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'reader'") == "f"
    finally:
        server.drop(HERE)
        sql(server, "postgres", 'DROP ROLE IF EXISTS "App Owner", reader')


@pytest.mark.parametrize("dumped", ["plain", "custom"], indirect=True)
def test_a_packed_dump_is_unpacked(server, dumped):
    packed = dumped.with_suffix(".gz")
    packed.write_bytes(gzip.compress(dumped.read_bytes()))
    try:
        restored(server, packed)
        assert sql(server, HERE, "SELECT count(*) FROM users") == "2"
    finally:
        server.drop(HERE)
        sql(server, "postgres", 'DROP ROLE IF EXISTS "App Owner", reader')


def test_an_extension_that_is_not_here_is_named_with_the_way_to_it(server, tmp_path):
    file = tmp_path / "dump.sql"
    file.write_text(
        "-- PostgreSQL database dump\nSELECT 1;\nCREATE EXTENSION IF NOT EXISTS shop_geometry;\n"
    )
    try:
        with pytest.raises(UsageError, match=r"needs the extension shop_geometry.*--image"):
            restored(server, file)
    finally:
        server.drop(HERE)


@pytest.mark.parametrize("dumped", ["custom"], indirect=True)
def test_an_archive_that_is_cut_off_is_refused(server, dumped):
    dumped.write_bytes(dumped.read_bytes()[:-40])
    try:
        with pytest.raises(UsageError, match=r"dump: the dump cannot be restored: pg_restore"):
            restored(server, dumped)
    finally:
        server.drop(HERE)
        sql(server, "postgres", 'DROP ROLE IF EXISTS "App Owner", reader')


def test_roles_are_read_from_the_lines_that_name_them():
    text = """\
ALTER TABLE public."odd ; table" OWNER TO "o""wner";
GRANT SELECT ON TABLE public.t TO a, "B c" WITH GRANT OPTION;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE d IN SCHEMA public GRANT SELECT ON TABLES TO e;
CREATE POLICY p ON public.t FOR SELECT TO f USING ((x = 1));
SET SESSION AUTHORIZATION 'g';
ALTER SCHEMA public OWNER TO pg_database_owner;
INSERT INTO t VALUES ('ALTER TABLE t OWNER TO nobody;');
"""
    assert sorted(foreign_dump.roles(text)) == ["B c", "a", "d", "e", "f", "g"]

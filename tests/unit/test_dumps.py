"""A dump is looked at before any server is started: what it is, and of which engine."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import registry
from harness.cli import sweep_selection
from harness.dumps import dump as dumps
from harness.errors import UsageError

POSTGRES = b"--\n-- PostgreSQL database dump\n--\n"
MYSQL = b"-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n--\n-- Host: localhost\n"
OLD_MARIADB = b"-- MySQL dump 10.19  Distrib 10.6.12-MariaDB, for debian-linux-gnu (x86_64)\n"
MARIADB = b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19-11.8.2-MariaDB\n"


def read(path: Path) -> dumps.Dump:
    found = dumps.read(path, print)
    assert found is not None
    return found


def written(folder: Path, content: bytes) -> Path:
    (folder / "dump").write_bytes(content)
    return folder / "dump"


@pytest.mark.parametrize(
    ("begin", "engine"),
    [
        (POSTGRES, "postgres"),
        (b"PGDMP\x01\x10", "postgres"),
        (b"toc.dat\0\0", "postgres"),
        (MYSQL, "mysql"),
        (OLD_MARIADB, "mariadb"),
        (MARIADB, "mariadb"),
        (b"INSERT INTO users VALUES (1);\n", None),
    ],
)
def test_a_dump_tells_its_engine(tmp_path, begin, engine):
    """By how it begins; SQL that somebody wrote tells none, and is taken for any."""
    dump = read(written(tmp_path, begin + b"x" * 9000))
    assert (dump.engine and dump.engine.name) == engine


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_packed_is_unpacked(tmp_path, pack):
    """Whatever the file is called."""
    assert b"".join(read(written(tmp_path, pack(POSTGRES))).pieces()) == POSTGRES


def test_a_dump_of_another_kind_of_engine_is_refused(tmp_path):
    """MySQL's and MariaDB's are of one kind."""
    dump = read(written(tmp_path, MYSQL))
    dump.check(registry.engine("mysql"))
    dump.check(registry.engine("mariadb"))
    with pytest.raises(UsageError, match=r"found a dump of MySQL, wanted one of PostgreSQL"):
        dump.check(registry.engine("postgres"))
    read(written(tmp_path, b"SELECT 1;")).check(registry.engine("postgres"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x28\xb5\x2f\xfd\0", r"found zstd.*zstd -d"),
        (gzip.compress(POSTGRES)[:-6], "cannot be read"),
    ],
    ids=("empty", "zstd", "cut off"),
)
def test_what_is_no_dump_is_refused(tmp_path, content, says):
    with pytest.raises(UsageError, match=says):
        read(written(tmp_path, content))


def test_a_folder_of_pg_dump_becomes_a_tar(tmp_path):
    """With its table of contents first, by which it is known; any other folder is refused."""
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "1.dat.gz").write_bytes(b"rows")
    with pytest.raises(UsageError, match=r"a folder without toc.dat, wanted one of pg_dump -Fd"):
        read(folder)
    (folder / "toc.dat").write_bytes(b"PGDMP")
    dump = read(folder)
    assert dump.engine is registry.engine("postgres")
    with tarfile.open(fileobj=io.BytesIO(b"".join(dump.pieces()))) as tar:
        assert tar.getnames() == ["./toc.dat", "./1.dat.gz"]


def test_the_engine_is_that_of_the_dump(tmp_path):
    """Where nobody named one, and the SQL does not tell it."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "1_a.up.sql").write_text("CREATE TABLE a (id integer);\n")
    nothing = dict.fromkeys(("tool", "program", "layout", "only", "range_", "since"))
    options = SimpleNamespace(
        **nothing, placeholder=(), engine=None, seed_dump=written(tmp_path, MARIADB)
    )
    assert sweep_selection.plan(folder, options).engine.name == "mariadb"
    options.engine = "postgres"
    with pytest.raises(UsageError, match=r"found a dump of MariaDB.*--engine mariadb"):
        sweep_selection.plan(folder, options)
    options.engine = options.seed_dump = None
    with pytest.raises(UsageError, match="does not tell its engine"):
        sweep_selection.plan(folder, options)

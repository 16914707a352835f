"""What a dump says of itself: who made it, when, of what, and whether its end is there."""

from __future__ import annotations

import pytest

from harness import registry
from harness.backup.checking import series_of
from harness.backup.findings import Finding, Grade, Verdict, verdict
from harness.dumps.dump import Dump

KEY = b"f3Kq"
PLAIN = (
    b"--\n-- PostgreSQL database dump\n--\n\n\\restrict " + KEY + b"\n\n"
    b"-- Dumped from database version 18.6\n-- Dumped by pg_dump version 17.5\n\n"
)
COMPLETE = b"--\n-- PostgreSQL database dump complete\n--\n\n"
MYSQL = (
    b"-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n--\n"
    b"-- Host: localhost    Database: shop\n-- ------\n-- Server version\t8.4.9\n\n"
)
MARIADB = (
    b"/*M!999999\\- enable the sandbox mode */ \n"
    b"-- MariaDB dump 10.19-11.8.2-MariaDB, for debian-linux-gnu (x86_64)\n--\n"
)


def number(value: int) -> bytes:
    return b"\0" + value.to_bytes(4, "little")


def string(text: str) -> bytes:
    return number(len(text)) + text.encode()


def archive(minor: int) -> bytes:
    """The head of an archive of pg_dump's, in format 1.minor."""
    compression = b"\1" if minor >= 15 else number(6)
    when = b"".join(map(number, (9, 8, 7, 26, 10, 126, 0)))
    names = string("shop") + string("16.15") + string("16.14")
    return b"PGDMP\1" + bytes((minor, 0, 4, 8, 1)) + compression + when + names + b"x" * 99


def words(engine: str, begin: bytes, end: bytes = b""):
    return registry.engine(engine).backups.words(begin, end)


@pytest.mark.parametrize("minor", [14, 15, 16])
@pytest.mark.parametrize(
    "before", [b"", b"./toc.dat".ljust(512, b"\0"), b"toc.dat".ljust(512, b"\0")]
)
def test_the_head_of_an_archive_is_read(minor, before):
    """Alone, or as the table of contents of a folder or a tar; its end shows when it is read."""
    told = words("postgres", before + archive(minor))
    assert (told.tool, told.server, told.database) == ("pg_dump 16.14", "16.15", "shop")
    assert told.taken == "2026-11-26 07:08:09"
    assert told.has_end is None
    assert told.marks_end


def test_the_head_of_an_archive_that_is_cut_off_tells_nothing():
    """And is no error: the restore will tell."""
    whole = archive(16)
    for length in range(len(whole) - 99):
        assert words("postgres", whole[:length] or b"PGDMP").tool == ""


@pytest.mark.parametrize(
    ("end", "has_end"),
    [
        (b"\n" + COMPLETE + b"\\unrestrict " + KEY + b"\n\n", True),
        (b"\n" + COMPLETE + b"\\unrestrict other\n\n", False),
        (b"\n" + COMPLETE, False),
        (b"1\tAda\n", False),
        (b"1\t-- PostgreSQL database dump complete\n", False),
    ],
)
def test_plain_sql_ends_with_its_last_line_and_its_key(end, has_end):
    told = words("postgres", PLAIN, end)
    assert (told.tool, told.server, told.has_end) == ("pg_dump 17.5", "18.6", has_end)


@pytest.mark.parametrize(
    ("engine", "begin", "end", "tool", "taken", "has_end"),
    [
        ("mysql", MYSQL, b"x\n-- Dump completed on 2026-11-26  7:08:09\n", "MySQL dump 9.7.4",
         "2026-11-26 07:08:09", True),
        ("mysql", MYSQL, b"x\n-- Dump completed\n", "MySQL dump 9.7.4", "", True),
        ("mysql", MYSQL, b"x\n-- Dump completed on 2026-11-26 17:08:09\nSELECT 1;\n",
         "MySQL dump 9.7.4", "", False),
        ("mysql", MYSQL, b"INSERT INTO t VALUES (1);\n", "MySQL dump 9.7.4", "", False),
        ("mariadb", MARIADB, b"x\n-- Dump completed on 2026-11-26 17:08:09\n",
         "MariaDB dump 10.19-11.8.2-MariaDB", "2026-11-26 17:08:09", True),
    ],
)  # fmt: skip
def test_a_dump_of_mysql_ends_with_its_last_line(engine, begin, end, tool, taken, has_end):
    told = words(engine, begin, end)
    assert (told.tool, told.taken, told.has_end) == (tool, taken, has_end)


def test_dumps_of_one_database_are_known_by_its_name_else_by_their_own(tmp_path):
    (tmp_path / "monday").write_bytes(MYSQL)
    (tmp_path / "tuesday").write_bytes(MYSQL)
    assert series_of(Dump(tmp_path / "monday")) == series_of(Dump(tmp_path / "tuesday"))
    for name in ("shop-25.sql", "shop-26.sql", "bank-26.sql"):
        (tmp_path / name).write_bytes(PLAIN)
    of = [series_of(Dump(tmp_path / n)) for n in ("shop-25.sql", "shop-26.sql", "bank-26.sql")]
    assert of[0] == of[1] != of[2]


@pytest.mark.parametrize(
    ("grades", "wanted"),
    [
        ((), Verdict.USABLE),
        ((Grade.NOTE,), Verdict.USABLE),
        ((Grade.NOTE, Grade.UNPROVEN), Verdict.NOT_PROVEN),
        ((Grade.UNPROVEN, Grade.BROKEN), Verdict.NOT_USABLE),
    ],
)
def test_the_worst_finding_decides(grades, wanted):
    assert verdict(Finding(grade, "any", "") for grade in grades) is wanted

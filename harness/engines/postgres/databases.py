"""Databases on one PostgreSQL server: the nonce in each, clones, and clean removal."""

from __future__ import annotations

import time
from collections.abc import Collection

from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.errors import DatabaseError, DeadlineExceeded

maintenance = "postgres"

GUARD_SCHEMA = "mdrill_guard"
"""Ours in every database; its comment is the nonce. No catalogue function shows it."""

EMPTY_DEADLINE_S = 10.0
POLL_S = 0.005

LARGE = 32 * 1024 * 1024
"""Bytes from which a copy of files costs less than one through the log."""

NO_SHARING = frozenset({"0A000", "58000", "XX000"})

SIZE_OF = """
SELECT pg_database_size(%s), EXISTS (
  SELECT FROM pg_settings WHERE name = 'file_copy_method' AND 'clone' = ANY (enumvals))
"""
"""PostgreSQL 18 knows the method, if it was built where a file can be cloned."""

COPY_SETTINGS = """
INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
SELECT made.oid, r.setrole, r.setconfig FROM pg_database made, pg_database template
JOIN pg_db_role_setting r ON r.setdatabase = template.oid
WHERE made.datname = %s AND template.datname = %s
"""
"""``ALTER DATABASE … SET`` belongs to the name, so the server does not copy it."""

END_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def plant_nonce(s: PostgresSession, nonce: str) -> None:
    """Write the nonce into this database and into ``template1``, which later ones copy."""
    _plant(s, nonce)
    template = s.beside("template1")
    try:
        _plant(template, nonce)
    finally:
        template.close()
    _empty(s, "template1")


def read_nonce(s: PostgresSession) -> str | None:
    """The nonce of the database the session is in; None where none was planted."""
    found = s.run(
        f"SELECT obj_description(to_regnamespace('{GUARD_SCHEMA}'), 'pg_namespace')"
    ).scalar()
    return None if found is None else str(found)


def create(s: PostgresSession, name: str) -> None:
    """A new, empty database that shows the nonce."""
    s.run(f"CREATE DATABASE {quoting.name(name)}")


def drop(s: PostgresSession, name: str) -> None:
    """End every session in the database and remove it; no error if it is not there."""
    _empty(s, name)
    s.run(f"DROP DATABASE IF EXISTS {quoting.name(name)} WITH (FORCE)")


def clone(s: PostgresSession, template: str, name: str) -> None:
    """Copy the whole database and its settings; sessions in the template are ended first.

    A small copy goes through the log: that needs no checkpoint, but is written again after a
    crash (20 ms each). A large one is copied file by file, on file systems that can without
    copying a block.
    """
    _empty(s, template)
    size, by_block = s.run(SIZE_OF, (template,)).rows[0]
    made = f"CREATE DATABASE {quoting.name(name)} TEMPLATE {quoting.name(template)} STRATEGY "
    if size < LARGE:
        s.run(f"{made} WAL_LOG")
    elif by_block:
        _by_block(s, f"{made} FILE_COPY")
    else:
        s.run(f"{made} FILE_COPY")
    s.run(COPY_SETTINGS, (name, template))


def reset(s: PostgresSession, template: str, name: str, changed: Collection[str] | None) -> None:
    """Make ``name`` equal to ``template`` again; every session in either is ended first.

    The database is always made anew as a whole, whatever ``changed`` says: here that costs less
    than to compare it object by object.
    """
    drop(s, name)
    clone(s, template, name)


def series(count: int) -> str:
    """A derived table with one column ``n`` = 1 … ``count``."""
    return f"(SELECT n FROM generate_series(1, {int(count)}) AS g (n)) AS series"


def _plant(s: PostgresSession, nonce: str) -> None:
    s.run(f"CREATE SCHEMA IF NOT EXISTS {GUARD_SCHEMA}")
    s.run(f"COMMENT ON SCHEMA {GUARD_SCHEMA} IS {quoting.value(nonce)}")


def _by_block(s: PostgresSession, sql: str) -> None:
    """Let the file system share blocks; if it refuses, copy them."""
    s.run("SET file_copy_method = clone")
    try:
        s.run(sql)
    except DatabaseError as error:
        if error.code not in NO_SHARING:
            raise
        s.run("SET file_copy_method = copy")
        s.run(sql)
    finally:
        s.run("RESET file_copy_method")


def _empty(s: PostgresSession, database: str) -> None:
    """Until nobody is in the database; the server itself would look only every 100 ms."""
    end = time.monotonic() + EMPTY_DEADLINE_S
    while s.run(END_ALL, (database,)).scalar():
        if time.monotonic() >= end:
            raise DeadlineExceeded(
                f"sessions in database {database} are still there {EMPTY_DEADLINE_S:g} s "
                "after they were told to end"
            )
        time.sleep(POLL_S)

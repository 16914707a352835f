"""Databases on one PostgreSQL server: the nonce in each, clones, and clean removal."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.errors import DatabaseError, DeadlineExceeded
from harness.ports.contents import Table

maintenance = "postgres"

GUARD_SCHEMA = "mdrill_guard"
"""Ours in every database; its comment is the nonce. No catalogue function shows it."""

EMPTY_DEADLINE_S = 10.0
POLL_S = 0.005

FIRST_WITH_STRATEGIES = 150000
"""Before version 15 a database was always copied file by file."""

NO_SHARING = frozenset({"0A000", "58000", "XX000"})

KNOWS_BLOCKS = """
SELECT EXISTS (
  SELECT FROM pg_settings WHERE name = 'file_copy_method' AND 'clone' = ANY (enumvals))
"""
"""PostgreSQL 18 knows the method, if it was built where a file can be cloned."""

OF_ITS_OWN = """
INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
SELECT made.oid, r.setrole, r.setconfig FROM {pair}
JOIN pg_db_role_setting r ON r.setdatabase = template.oid;
INSERT INTO pg_shdescription SELECT made.oid, d.classoid, d.description FROM {pair}
JOIN pg_shdescription d ON d.objoid = template.oid AND d.classoid = 'pg_database'::regclass;
INSERT INTO pg_shseclabel SELECT made.oid, l.classoid, l.provider, l.label FROM {pair}
JOIN pg_shseclabel l ON l.objoid = template.oid AND l.classoid = 'pg_database'::regclass;
DELETE FROM pg_shdepend d USING {pair}
WHERE d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = made.oid
  AND (made.datdba, made.datacl::text) IS DISTINCT FROM (template.datdba, template.datacl::text);
INSERT INTO pg_shdepend SELECT 0, d.classid, made.oid, 0, d.refclassid, d.refobjid, d.deptype
FROM {pair}
JOIN pg_shdepend d ON d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = template.oid
WHERE (made.datdba, made.datacl::text) IS DISTINCT FROM (template.datdba, template.datacl::text);
INSERT INTO pg_subscription SELECT (jsonb_populate_record(b, jsonb_build_object(
  'oid', pg_nextoid('pg_subscription', 'oid', 'pg_subscription_oid_index'),
  'subdbid', made.oid, 'subenabled', false))).*
FROM {pair} JOIN pg_subscription b ON b.subdbid = template.oid;
UPDATE pg_database d SET datdba = template.datdba, datacl = template.datacl,
  datconnlimit = template.datconnlimit, datistemplate = template.datistemplate
FROM {pair} WHERE d.oid = made.oid
  AND (made.datdba, made.datacl::text, made.datconnlimit, made.datistemplate) IS DISTINCT FROM (
    template.datdba, template.datacl::text, template.datconnlimit, template.datistemplate)
"""
"""What a database has by its name and not in its files, so that the server does not copy it: its
settings, comment, owner, grants, limits. A subscription is copied disabled, or its copy would take
its place at the publisher; how far its tables are belongs to the original."""

BINDS = """
DELETE FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = {name});
UPDATE pg_database SET datistemplate = false WHERE datname = {name} AND datistemplate
"""
BOUND = frozenset({"55006", "42809"})
"""object_in_use by a subscription; wrong_object_type: a template database."""

OTHERS = """
SELECT datname FROM pg_database WHERE datallowconn AND datname <> current_database()
"""
SETTINGS = "SELECT name, reset_val FROM pg_settings WHERE name <> 'port'"

END_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def plant_nonce(s: PostgresSession, nonce: str) -> None:
    """Write the nonce into every database, and so into ``template1``, which later ones copy.

    No trigger that a database has sees it.
    """
    _plant(s, nonce)
    for (name,) in s.run(OTHERS).rows:
        other = s.beside(name)
        try:
            other.run("SET session_replication_role = replica")
            _plant(other, nonce)
        finally:
            other.close()
        _empty(s, name)


def settings(s: PostgresSession) -> dict[str, str]:
    """What the server is set to for everybody, by name; what a restart may change by itself is not
    among it.
    """
    return {name: str(value) for name, value in s.run(SETTINGS).rows}


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
    gone = f"DROP DATABASE IF EXISTS {quoting.name(name)} WITH (FORCE)"
    try:
        s.run(gone)
    except DatabaseError as error:
        if error.code not in BOUND:
            raise
        s.run(BINDS.format(name=quoting.value(name)))
        s.run(gone)


def clone(s: PostgresSession, template: str, name: str) -> None:
    """Copy the whole database with its settings and rights; sessions in the template are ended.

    It is copied file by file, on file systems that can without copying a block. The other way,
    through the log, needs no checkpoint; without fsync it takes twice the time all the same, and is
    done once more after each crash.
    """
    _empty(s, template)
    by_block = s.run(KNOWS_BLOCKS).scalar()
    made = f"CREATE DATABASE {quoting.name(name)} TEMPLATE {quoting.name(template)}"
    if s.server_version >= FIRST_WITH_STRATEGIES:
        made += " STRATEGY FILE_COPY"
    if by_block:
        _by_block(s, made)
    else:
        s.run(made)
    pair = (
        f"(SELECT * FROM pg_database WHERE datname = {quoting.value(name)}) AS made CROSS JOIN "
        f"(SELECT * FROM pg_database WHERE datname = {quoting.value(template)}) AS template"
    )
    s.run(OF_ITS_OWN.format(pair=pair))


def reset(s: PostgresSession, template: str, name: str, changed: Collection[str] | None) -> None:
    """Make ``name`` equal to ``template`` again; every session in either is ended first.

    The database is always made anew as a whole, whatever ``changed`` says: here that costs less
    than to compare it object by object.
    """
    drop(s, name)
    clone(s, template, name)


def keep_rows(s: PostgresSession, tables: Collection[str]) -> dict[str, bytes]:
    """The rows of small tables of the session's database, by table as a snapshot names it."""
    return {name: s.copy_out(f"COPY {_quoted(name)} TO STDOUT") for name in tables}


def refill(s: PostgresSession, template: str, table: Table, rows: bytes) -> None:
    """Give a small table of the session's database the rows that were kept."""
    s.run(f"BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM {table.source}")
    try:
        s.copy_in(f"COPY {table.source.removeprefix('ONLY ')} FROM STDIN", rows)
    except DatabaseError:
        s.run("ROLLBACK")
        raise
    s.run("COMMIT")


def _quoted(name: str) -> str:
    space, _, table = name.partition(".")
    return f"{quoting.name(space)}.{quoting.name(table)}"


def forget_reserved_keys(s: PostgresSession, tables: Collection[str]) -> None:
    """Nothing: a sequence goes on where it is, and a crash only leads it onward."""


def give_next(s: PostgresSession, numbers: Mapping[str, int]) -> None:
    """By the name of the sequence."""
    for name, number in numbers.items():
        s.run(f"SELECT setval({quoting.value(_quoted(name))}, {number}, false)")


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

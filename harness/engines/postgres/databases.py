"""Databases on one PostgreSQL server: the nonce in each, clones, and clean removal."""

from __future__ import annotations

import time

from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.errors import DeadlineExceeded

maintenance = "postgres"

GUARD_SCHEMA = "mdrill_guard"
"""Ours in every database; its comment is the nonce. No catalogue function shows it."""

EMPTY_DEADLINE_S = 10.0
POLL_S = 0.005

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
    return s.run(
        f"SELECT obj_description(to_regnamespace('{GUARD_SCHEMA}'), 'pg_namespace')"
    ).scalar()


def create(s: PostgresSession, name: str) -> None:
    """A new, empty database that shows the nonce."""
    s.run(f"CREATE DATABASE {quoting.name(name)}")


def drop(s: PostgresSession, name: str) -> None:
    """End every session in the database and remove it; no error if it is not there."""
    _empty(s, name)
    s.run(f"DROP DATABASE IF EXISTS {quoting.name(name)} WITH (FORCE)")


def clone(s: PostgresSession, template: str, name: str) -> None:
    """Copy the whole database; sessions in the template are ended, for they forbid a copy."""
    _empty(s, template)
    s.run(
        f"CREATE DATABASE {quoting.name(name)} TEMPLATE {quoting.name(template)} STRATEGY WAL_LOG"
    )


def series(count: int) -> str:
    """A derived table with one column ``n`` = 1 … ``count``."""
    return f"(SELECT n FROM generate_series(1, {int(count)}) AS g (n)) AS series"


def _plant(s: PostgresSession, nonce: str) -> None:
    s.run(f"CREATE SCHEMA IF NOT EXISTS {GUARD_SCHEMA}")
    s.run(f"COMMENT ON SCHEMA {GUARD_SCHEMA} IS {quoting.value(nonce)}")


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

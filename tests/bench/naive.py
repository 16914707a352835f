"""What a user would do without the harness: a fresh testcontainers container for every trial.

The same image, rows, statements, fault and repair as our trial; no application, no ledger, no
gates, no witnesses, no report. Readiness is asked as testcontainers asks it, once a second.

An official image initialises its data directory when it starts. A stand-in did so when it was
built, so it is made to do it again here; what official images do besides (a temporary server,
time zones) is left out, in the naive trial's favour.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.lane import Lane

testcontainers_config.ryuk_disabled = True
PASSWORD = "bench"
POLL_S = testcontainers_config.sleep_time
DEADLINE_S = 120
STAND_IN = "migration-drill/"
USERS = "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(255) NOT NULL)"


@dataclass(frozen=True)
class Dialect:
    """How to reach one engine with its plain driver."""

    port: int
    environment: dict[str, str]
    connect: Callable[[str, int], Any]
    end_session: str
    session_id: str
    initialise: str
    """How a stand-in makes its data directory anew before it becomes the server."""


DIALECTS = {
    "postgres": Dialect(
        5432,
        {"POSTGRES_PASSWORD": PASSWORD},
        lambda host, port: psycopg.connect(
            host=host, port=port, user="postgres", password=PASSWORD, autocommit=True
        ),
        "SELECT pg_terminate_backend({id})",
        "SELECT pg_backend_pid()",
        "[ -e /tmp/made ] || { rm -rf $PGDATA/* && initdb -U postgres -E UTF8 --locale=C.UTF-8 "
        "--auth-local=trust --auth-host=scram-sha-256 "
        "&& echo \"listen_addresses = '*'\" >> $PGDATA/postgresql.conf "
        "&& echo 'host all all all scram-sha-256' >> $PGDATA/pg_hba.conf; }; "
        "touch /tmp/made; exec sh /usr/local/bin/entrypoint.sh postgres",
    ),
    "mysql": Dialect(
        3306,
        {"MYSQL_ROOT_PASSWORD": PASSWORD, "MYSQL_DATABASE": "bench"},
        lambda host, port: pymysql.connect(
            host=host, port=port, user="root", password=PASSWORD, database="bench", autocommit=True
        ),
        "KILL {id}",
        "SELECT CONNECTION_ID()",
        "[ -e /tmp/made ] || { rm -rf /var/lib/mysql/* && mysqld --initialize-insecure; }; "
        "touch /tmp/made; exec sh /usr/local/bin/entrypoint.sh mysqld",
    ),
}

REPAIR = (
    "UPDATE users SET phone = '' WHERE phone IS NULL",
    "ALTER TABLE users ADD COLUMN phone_verified SMALLINT NOT NULL DEFAULT 0",
)
VERIFY = (
    "SELECT COUNT(*) FROM users WHERE phone = ''",
    "SELECT COUNT(*) FROM users WHERE email LIKE 'user%'",
)


def trial(engine: str, image: str, lane: Lane, *, kill_server: bool) -> float:
    """Seconds for one trial, from nothing to nothing left."""
    dialect = DIALECTS[engine]
    begun = time.monotonic()
    container = DockerContainer(image).with_exposed_ports(dialect.port)
    if image.startswith(STAND_IN):
        container.with_kwargs(entrypoint=["sh", "-c", dialect.initialise])
    for name, value in dialect.environment.items():
        container.with_env(name, value)
    with container:
        with closing(_ready(container, dialect)) as operator:
            _run(operator, USERS)
            _run(
                operator,
                "INSERT INTO users SELECT n, CONCAT('user', n, '@example.test') "
                f"FROM {lane.engine.databases.series(2000)}",
            )
            migration = _ready(container, dialect)
            _run(migration, "ALTER TABLE users ADD COLUMN phone VARCHAR(20)")
            if not kill_server:
                session = _run(migration, dialect.session_id)
                _run(operator, dialect.end_session.format(id=session))
        if kill_server:
            container.get_wrapped_container().kill()
            container.get_wrapped_container().start()
        with closing(_ready(container, dialect)) as operator:
            for sql in REPAIR:
                _run(operator, sql)
            if [_run(operator, sql) for sql in VERIFY] != [2000, 2000]:
                raise RuntimeError("the naive trial did not repair the table")
    return time.monotonic() - begun


def _ready(container: DockerContainer, dialect: Dialect) -> Any:
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            host = container.get_container_host_ip()
            connection = dialect.connect(host, container.get_exposed_port(dialect.port))
            _run(connection, "SELECT 1")
            return connection
        except (psycopg.Error, pymysql.Error, ConnectionError, OSError):
            if time.monotonic() >= end:
                raise
            time.sleep(POLL_S)


def _run(connection: Any, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

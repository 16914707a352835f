"""A server that one naive trial has for itself: started for it, removed after it.

Readiness is asked as testcontainers asks it: by its own classes, with their own strategies,
once a second. It has no way to wait for a server that was killed and started again, so there a
connection is tried every 100 ms, in the naive trial's favour.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
from testcontainers.community.mysql import MySqlContainer
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.ports import Backend, Engine

testcontainers_config.ryuk_disabled = True
PASSWORD = "bench"
AGAIN_POLL_S = 0.1
DEADLINE_S = 120
READY_ONCE = r"ready for connections"
"""The stand-in has no X protocol, so its log says this once and not twice."""

INITIALISE = {
    "postgres": (
        "[ -e $PGDATA/PG_VERSION ] || { chown postgres:postgres /var/lib/postgresql && "
        "setpriv --reuid=postgres --regid=postgres --init-groups sh -ec '"
        "mkdir -p -m 0700 $PGDATA; "
        "initdb -U postgres -E UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256; "
        'echo "host all all all scram-sha-256" >> $PGDATA/pg_hba.conf\'; } && '
        "exec sh /usr/local/bin/entrypoint.sh postgres -c listen_addresses=*"
    ),
    "mysql": (
        "[ -d /var/lib/mysql/mysql ] || { chown mysql:mysql /var/lib/mysql && "
        "setpriv --reuid=mysql --regid=mysql --init-groups mysqld --initialize-insecure; } && "
        "exec sh /usr/local/bin/entrypoint.sh mysqld"
    ),
}
"""How a stand-in makes its data directory when it starts, as official images do."""


@dataclass(frozen=True)
class Driver:
    """How a plain script reaches one family of servers and names a session of its own."""

    connect: Callable[[str, int, str, str, str], Any]
    errors: type[Exception]
    database: str
    session_id: str
    end_session: str


DRIVERS = {
    "postgres": Driver(
        lambda host, port, user, password, database: psycopg.connect(
            host=host, port=port, user=user, password=password, dbname=database, autocommit=True
        ),
        psycopg.Error,
        "postgres",
        "SELECT pg_backend_pid()",
        "SELECT pg_terminate_backend({id})",
    ),
    "mysql": Driver(
        lambda host, port, user, password, database: pymysql.connect(
            host=host, port=port, user=user, password=password, database=database, autocommit=True
        ),
        pymysql.Error,
        "mysql",
        "SELECT CONNECTION_ID()",
        "KILL {id}",
    ),
}


class FreshContainer:
    """A container of testcontainers' own class for the engine, with its default readiness."""

    def __init__(self, engine: Engine, image: str, *, initialise: bool) -> None:
        """``initialise`` makes a stand-in build its data directory at start."""
        self._driver = DRIVERS[engine.dialect]
        self._port = engine.recipe.port
        self._container = _container(engine, image)
        if initialise:
            argv = ["sh", "-c", INITIALISE[engine.dialect]]
            self._container.with_kwargs(entrypoint=argv)
        try:
            self._container.start()
        except BaseException:
            self.remove()
            raise

    def connect(self) -> Any:
        host = self._container.get_container_host_ip()
        port = self._container.get_exposed_port(self._port)
        user = self._container.username
        return self._driver.connect(host, port, user, PASSWORD, self._container.dbname)

    def crash(self) -> None:
        """SIGKILL, start on the same data, and wait until a session stands."""
        wrapped = self._container.get_wrapped_container()
        wrapped.kill()
        wrapped.wait()
        wrapped.start()
        _until_it_answers(self.connect, self._driver)

    def remove(self) -> None:
        self._container.stop()


class FreshProcess:
    """Where there is no Docker: a local server of its own, data directory and all."""

    def __init__(self, engine: Engine, backend: Backend) -> None:
        self._driver = DRIVERS[engine.dialect]
        self._server = backend.start(engine.recipe)
        try:
            _until_it_answers(self.connect, self._driver)
        except BaseException:
            self.remove()
            raise

    def connect(self) -> Any:
        at = self._server.address()
        return self._driver.connect(at.host, at.port, at.user, at.password, self._driver.database)

    def crash(self) -> None:
        """SIGKILL, start on the same data, and wait until a session stands."""
        self._server.kill()
        self._server.start_again()
        _until_it_answers(self.connect, self._driver)

    def remove(self) -> None:
        self._server.destroy()


def _container(engine: Engine, image: str) -> DockerContainer:
    if engine.dialect == "postgres":
        return PostgresContainer(
            image, username="postgres", password=PASSWORD, dbname="postgres", driver=None
        )
    stand_in = {"wait_strategy_check_string": READY_ONCE} if image == engine.recipe.stand_in else {}
    return MySqlContainer(
        image,
        username="root",
        root_password=PASSWORD,
        password=PASSWORD,
        dbname="bench",
        **stand_in,
    )


def _until_it_answers(connect: Callable[[], Any], driver: Driver) -> None:
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            session = connect()
        except (driver.errors, OSError):
            if time.monotonic() >= end:
                raise
        else:
            with suppress(driver.errors):
                session.close()
            return
        time.sleep(AGAIN_POLL_S)

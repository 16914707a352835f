"""Databases on one MySQL server: the nonce they all show, clones, and clean removal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import MySQLSession
from harness.errors import DatabaseError, DeadlineExceeded

GUARD_DATABASE = "mdrill_guard"
maintenance = "mysql"

DROP_DEADLINE_S = 15.0
POLL_S = 0.01
NO_SUCH_TABLE = "1146"
NO_SUCH_DATABASE = "1049"
LOCK_TIMEOUT = "1205"

USERS_OF = """
SELECT PROCESSLIST_ID FROM performance_schema.threads
WHERE PROCESSLIST_DB = %s AND PROCESSLIST_ID <> CONNECTION_ID()
UNION
SELECT t.PROCESSLIST_ID FROM performance_schema.metadata_locks m
JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID
WHERE m.OBJECT_SCHEMA = %s AND t.PROCESSLIST_ID <> CONNECTION_ID()
"""
"""Who is in the database, and who holds something in it from elsewhere."""

COPY_SETTINGS = "SET SESSION foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
"""As mysqldump has them: tables in any order, and a key of 0 stays 0."""


def plant_nonce(s: MySQLSession, nonce: str) -> None:
    """Write the nonce where a session in any database can read it."""
    s.run(f"CREATE DATABASE IF NOT EXISTS {GUARD_DATABASE}")
    s.run(f"CREATE TABLE IF NOT EXISTS {GUARD_DATABASE}.nonce (nonce VARCHAR(64) PRIMARY KEY)")
    s.run(f"DELETE FROM {GUARD_DATABASE}.nonce")
    s.run(f"INSERT INTO {GUARD_DATABASE}.nonce VALUES ({quoting.value(nonce)})")


def read_nonce(s: MySQLSession) -> str | None:
    """The nonce of this server; None where none was planted."""
    try:
        return s.run(f"SELECT nonce FROM {GUARD_DATABASE}.nonce").scalar()
    except DatabaseError as error:
        if error.code in (NO_SUCH_TABLE, NO_SUCH_DATABASE):
            return None
        raise


def create(s: MySQLSession, name: str) -> None:
    """A new, empty database."""
    s.run(f"CREATE DATABASE {quoting.name(name)}")


def drop(s: MySQLSession, name: str) -> None:
    """End every session in the database and remove it; no error if it is not there."""
    end = time.monotonic() + DROP_DEADLINE_S
    with _settings(s, "lock_wait_timeout"):
        s.run("SET SESSION lock_wait_timeout = 1")
        while not _dropped(s, name):
            if time.monotonic() >= end:
                raise DeadlineExceeded(
                    f"database {name} is still in use after {DROP_DEADLINE_S:g} s"
                )
            time.sleep(POLL_S)


def clone(s: MySQLSession, template: str, name: str) -> None:
    """Copy tables with their keys, foreign keys and checks, rows and statistics, triggers, views.

    Stored procedures and functions are not copied.
    """
    create(s, name)
    with _settings(s, "foreign_key_checks", "sql_mode"):
        s.run(COPY_SETTINGS)
        s.run(f"USE {quoting.name(name)}")
        for table in _names(s, TABLES_OF, template):
            s.run(_shown(s, "TABLE", template, table)[1])
            _copy_rows(s, template, table)
            s.run(f"ANALYZE NO_WRITE_TO_BINLOG TABLE {quoting.name(table)}")
        for trigger in _names(s, TRIGGERS_OF, template):
            _, sql_mode, text, *_ = _shown(s, "TRIGGER", template, trigger)
            s.run(f"SET SESSION sql_mode = {quoting.value(sql_mode)}")
            s.run(text)
        _copy_views(s, template, name)


def series(count: int) -> str:
    """A derived table with one column ``n`` = 1 … ``count``, of digits, without recursion."""
    digits = " UNION ALL ".join(f"SELECT {d} AS d" for d in range(10))
    places = range(max(1, len(str(int(count)))))
    number = " + ".join(f"p{place}.d * {10**place}" for place in places)
    tables = " CROSS JOIN ".join(f"({digits}) AS p{place}" for place in places)
    return (
        f"(SELECT n FROM (SELECT {number} AS n FROM {tables}) AS numbers "
        f"WHERE n BETWEEN 1 AND {int(count)}) AS series"
    )


TABLES_OF = """
SELECT TABLE_NAME FROM information_schema.tables
WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME
"""

TRIGGERS_OF = """
SELECT TRIGGER_NAME FROM information_schema.triggers
WHERE TRIGGER_SCHEMA = %s ORDER BY EVENT_OBJECT_TABLE, ACTION_ORDER
"""

VIEWS_OF = """
SELECT TABLE_NAME FROM information_schema.views WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME
"""

STORED_COLUMNS_OF = """
SELECT COLUMN_NAME FROM information_schema.columns
WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND COALESCE(GENERATION_EXPRESSION, '') = ''
ORDER BY ORDINAL_POSITION
"""


def _names(s: MySQLSession, sql: str, *args: str) -> list[str]:
    return [row[0] for row in s.run(sql, args).rows]


def _shown(s: MySQLSession, what: str, database: str, name: str) -> tuple[Any, ...]:
    found = s.run(f"SHOW CREATE {what} {quoting.name(database)}.{quoting.name(name)}")
    return found.rows[0]


def _copy_rows(s: MySQLSession, template: str, table: str) -> None:
    """READ COMMITTED, so that no row of the template is locked and no lock there is waited for."""
    listed = quoting.names(_names(s, STORED_COLUMNS_OF, template, table))
    s.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    s.run(
        f"INSERT INTO {quoting.name(table)} ({listed}) "
        f"SELECT {listed} FROM {quoting.name(template)}.{quoting.name(table)}"
    )


def _copy_views(s: MySQLSession, template: str, name: str) -> None:
    """A view is shown without its database's name only from inside; one may need another."""
    s.run(f"USE {quoting.name(template)}")
    texts = [_shown(s, "VIEW", template, view)[1] for view in _names(s, VIEWS_OF, template)]
    s.run(f"USE {quoting.name(name)}")
    while texts:
        waiting = [text for text in texts if not _created(s, text)]
        if len(waiting) == len(texts):
            s.run(waiting[0])
        texts = waiting


def _created(s: MySQLSession, text: str) -> bool:
    try:
        s.run(text)
    except DatabaseError as error:
        if error.code != NO_SUCH_TABLE:
            raise
        return False
    return True


@contextlib.contextmanager
def _settings(s: MySQLSession, *names: str) -> Iterator[None]:
    """Leave the session afterwards as it was: these settings, and in the maintenance database."""
    listed = ", ".join(f"@@SESSION.{name}" for name in names)
    before = s.run(f"SELECT {listed}").rows[0]
    try:
        yield
    finally:
        again = ", ".join(
            f"{name} = {quoting.value(value)}" for name, value in zip(names, before, strict=True)
        )
        s.run(f"SET SESSION {again}")
        s.run(f"USE {quoting.name(maintenance)}")


def _dropped(s: MySQLSession, name: str) -> bool:
    """One attempt: end whoever is in it, then drop it; False if it was held nevertheless."""
    for (pid,) in s.run(USERS_OF, (name, name)).rows:
        _kill(s, pid)
    try:
        s.run(f"DROP DATABASE IF EXISTS {quoting.name(name)}")
    except DatabaseError as error:
        if error.code != LOCK_TIMEOUT:
            raise
        return False
    return True


def _kill(s: MySQLSession, pid: int) -> None:
    try:
        s.run(f"KILL {int(pid)}")
    except DatabaseError as error:
        if error.lost:
            raise

"""Databases on one MySQL server: the nonce they all show, clones, and clean removal."""

from __future__ import annotations

import time

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
"""


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
    s.run("SET SESSION lock_wait_timeout = 1")
    while True:
        for (pid,) in s.run(USERS_OF, (name,)).rows:
            _kill(s, pid)
        try:
            s.run(f"DROP DATABASE IF EXISTS {quoting.name(name)}")
            return
        except DatabaseError as error:
            if error.code != LOCK_TIMEOUT:
                raise
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"database {name} is still in use after {DROP_DEADLINE_S:g} s")
        time.sleep(POLL_S)


def clone(s: MySQLSession, template: str, name: str) -> None:
    """Copy tables with their keys, foreign keys and checks, rows and statistics, then triggers."""
    create(s, name)
    s.run("SET SESSION foreign_key_checks = 0")
    try:
        s.run(f"USE {quoting.name(name)}")
        for table in _tables(s, template):
            s.run(_shown(s, "TABLE", template, table, 1))
            _copy_rows(s, template, table)
            s.run(f"ANALYZE NO_WRITE_TO_BINLOG TABLE {quoting.name(table)}")
        for trigger in _triggers(s, template):
            s.run(_shown(s, "TRIGGER", template, trigger, 2))
    finally:
        s.run(f"USE {quoting.name(maintenance)}")
        s.run("SET SESSION foreign_key_checks = 1")


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


def _tables(s: MySQLSession, database: str) -> list[str]:
    found = s.run(
        "SELECT TABLE_NAME FROM information_schema.tables "
        "WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME",
        (database,),
    )
    return [row[0] for row in found.rows]


def _triggers(s: MySQLSession, database: str) -> list[str]:
    found = s.run(
        "SELECT TRIGGER_NAME FROM information_schema.triggers "
        "WHERE TRIGGER_SCHEMA = %s ORDER BY EVENT_OBJECT_TABLE, ACTION_ORDER",
        (database,),
    )
    return [row[0] for row in found.rows]


def _shown(s: MySQLSession, what: str, database: str, name: str, column: int) -> str:
    found = s.run(f"SHOW CREATE {what} {quoting.name(database)}.{quoting.name(name)}")
    return found.rows[0][column]


def _copy_rows(s: MySQLSession, template: str, table: str) -> None:
    stored = s.run(
        "SELECT COLUMN_NAME FROM information_schema.columns "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND GENERATION_EXPRESSION = '' "
        "ORDER BY ORDINAL_POSITION",
        (template, table),
    )
    listed = quoting.names(row[0] for row in stored.rows)
    s.run(
        f"INSERT INTO {quoting.name(table)} ({listed}) "
        f"SELECT {listed} FROM {quoting.name(template)}.{quoting.name(table)}"
    )


def _kill(s: MySQLSession, pid: int) -> None:
    try:
        s.run(f"KILL {int(pid)}")
    except DatabaseError as error:
        if error.lost:
            raise

"""Opens sessions on MySQL through PyMySQL and says its errors in the project's words.

The only module of this folder that imports PyMySQL.
"""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from harness.errors import DatabaseError
from harness.ports import Address, Rows

LOCK_TIMEOUT = "1205"
"""The code of a lock that was waited for in vain."""

NO_ANSWER = frozenset({0, 2003, 2006, 2013, 2014})
"""Errors of the client library: the connection broke and the server said nothing."""

BOOTED = "SELECT MIN(TIME_ENABLED) FROM information_schema.INNODB_METRICS"
"""InnoDB's built-in counters tell when it came up; ``Uptime`` is rounded and may differ by 1 s."""

FLAGS = CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS
"""Several statements in one message; and an UPDATE counts the rows it found, as PostgreSQL does,
not only those it changed: one that sets a value anew to what it was has not been refused."""


class MySQLSession:
    """One connection in autocommit; see :class:`harness.ports.Session`."""

    def __init__(self, connection: pymysql.Connection, address: Address) -> None:
        self.pid: int = connection.thread_id()  # type: ignore[no-untyped-call]
        self.server = (address.host, address.port)
        self._connection = connection
        self._booted = ""

    def booted(self) -> str:
        """When the server this session is on was started; a restart begins all ids anew."""
        if not self._booted:
            self._booted = str(self.run(BOOTED).scalar())
        return self._booted

    def run(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Send one message; without ``args`` exactly as written, percent signs untouched.

        An error in a later statement of the message comes only with its own result set, so all
        of them are read.
        """
        return self.run_all(sql, args)[-1]

    def run_all(self, sql: str, args: Sequence[Any] = ()) -> list[Rows]:
        """The same; the result of each of its statements."""
        with translated(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(args) or None)
            found = [_rows(cursor)]
            while cursor.nextset():
                found.append(_rows(cursor))
            return found

    def run_file(self, sql: str) -> None:
        """Send several statements as one message; the server runs them one after the other."""
        self.run(sql)

    def close(self) -> None:
        """Say goodbye; safe to call twice and on a broken connection."""
        with contextlib.suppress(pymysql.Error, OSError):
            self._connection.close()


def connect(
    address: Address, database: str, *, application: str, timeout_s: float = 5
) -> MySQLSession:
    """Open a session in autocommit. DatabaseError(lost=True) if nobody answers in time (s).

    A frozen server accepts and never greets, so reading is bounded until the session stands.
    Without TLS, which adds nothing on loopback, a message can be recognised on the wire.
    """
    with translated():
        connection = pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=database or None,
            program_name=application,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=max(1, math.ceil(timeout_s)),
            read_timeout=max(1, math.ceil(timeout_s)),
            client_flag=FLAGS,
            read_default_file=None,
            local_infile=False,
            ssl_disabled=True,
        )
    vars(connection)["_read_timeout"] = None
    return MySQLSession(connection, address)


def limit(s: MySQLSession, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
    """Set this session's lock timeouts (at least 1 s each) and SELECT timeout; None leaves it.

    A lock wait then ends with 1205, a long SELECT with 3024. ``max_execution_time`` does not
    bound DDL or UPDATE.
    """
    if lock_ms is not None:
        s.run(f"SET SESSION lock_wait_timeout = {seconds(lock_ms)}")
        s.run(f"SET SESSION innodb_lock_wait_timeout = {seconds(lock_ms)}")
    if statement_ms is not None:
        s.run(f"SET SESSION max_execution_time = {int(statement_ms)}")


def seconds(ms: int) -> int:
    """Whole seconds, rounded up: the server clamps 0 to 1."""
    return max(1, math.ceil(ms / 1000))


def client_line(address: Address, database: str) -> str:
    """The shell line with which a person connects; it shows the throwaway server's password."""
    return (
        f"MYSQL_PWD={shlex.quote(address.password)} mysql -h {shlex.quote(address.host)} "
        f"-P {address.port} -u {shlex.quote(address.user)} {shlex.quote(database)}"
    )


def identity(s: MySQLSession) -> str:
    """The server's UUID, made anew for each data directory."""
    return str(s.run("SELECT @@server_uuid").scalar())


def version(s: MySQLSession) -> str:
    """The server's own version text, e.g. ``9.7.4-2``."""
    return str(s.run("SELECT VERSION()").scalar())


def _rows(cursor: Any) -> Rows:
    if cursor.description is None:
        return Rows(affected=max(cursor.rowcount, 0))
    columns = tuple(column[0] for column in cursor.description)
    return Rows(columns, tuple(cursor.fetchall()), max(cursor.rowcount, 0))


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn PyMySQL's errors into DatabaseError; a misuse of the driver passes as it is."""
    try:
        yield
    except pymysql.Error as error:
        code, *rest = (*error.args, "")
        if not isinstance(code, int):
            code, rest = 0, [str(error)]
        lost = code in NO_ANSWER
        message = str(rest[0]) or "the connection is closed"
        raise DatabaseError(str(code or ""), message, lost=lost) from error
    except OSError as error:
        raise DatabaseError("", f"the connection broke: {error}", lost=True) from error

"""Opens sessions on PostgreSQL through psycopg and says its errors in the project's words.

The only module of this folder that imports psycopg.
"""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from harness.errors import DatabaseError
from harness.ports import Address, Rows

LEAST_CONNECT_TIMEOUT_S = 2
"""libpq takes anything shorter for two seconds."""

REFUSALS = {
    "the database system is": "57P03",
    "the database system was": "57P03",
    "does not exist": "3D000",
    "password authentication failed": "28P01",
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "terminating connection": "57P01",
}
"""What a server says when it refuses a connection; libpq hands on the text without its code."""

SETTINGS_OF_OURS: Mapping[str, Any] = {
    "hostaddr": "",
    "options": "-c log_statement=none",
    "passfile": "",
    "client_encoding": "UTF8",
    "sslmode": "disable",
    "sslnegotiation": "postgres",
    "gssencmode": "disable",
    "channel_binding": "disable",
    "require_auth": "scram-sha-256",
    "target_session_attrs": "any",
    "load_balance_hosts": "disable",
    "keepalives": "1",
    "fallback_application_name": "",
}
"""Given outright, so that no PG* variable or service file of the machine can supply them. What we
send is not logged: the server's log of statements is for those of a person."""

DIALECT_OF_OURS = {"TimeZone": "UTC", "DateStyle": "ISO, MDY"}
"""What libpq lets the environment set and no connection parameter can override."""


class PostgresSession:
    """One connection in autocommit; see :class:`harness.ports.Session`."""

    def __init__(self, connection: psycopg.Connection[Any], address: Address) -> None:
        self.pid = connection.info.backend_pid
        self.server_version: int = connection.info.server_version
        """As libpq has it: 180006 is 18.6."""
        self._connection = connection
        self._address = address

    def run(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Send one message; without ``args`` exactly as written, percent signs untouched."""
        with translated(), self._connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            while cursor.nextset():
                pass
            if cursor.description is None:
                return Rows(affected=max(cursor.rowcount, 0))
            columns = tuple(column.name for column in cursor.description)
            return Rows(columns, tuple(cursor.fetchall()), max(cursor.rowcount, 0))

    def run_file(self, sql: str) -> None:
        """Send the text as one simple-protocol Query, whatever it holds.

        The server then runs it as one implicit transaction, unless the text has its own.
        """
        self.run(sql)

    def close(self) -> None:
        """Say goodbye; safe to call twice and on a broken connection."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()

    def beside(self, database: str) -> PostgresSession:
        """A second session on the same server in another database."""
        application = self._connection.info.get_parameters().get("application_name", "mdrill")
        return connect(self._address, database, application=application)

    def copy_to(self, other: PostgresSession, out_sql: str, in_sql: str) -> None:
        """Pipe ``COPY … TO STDOUT`` of this session into ``COPY … FROM STDIN`` of the other."""
        with (
            translated(),
            self._connection.cursor().copy(out_sql) as source,
            other._connection.cursor().copy(in_sql) as sink,
        ):
            for block in source:
                sink.write(block)

    def copy_out(self, sql: str) -> bytes:
        """What ``COPY … TO STDOUT`` gives."""
        with translated(), self._connection.cursor().copy(sql) as source:
            return b"".join(bytes(block) for block in source)

    def copy_in(self, sql: str, rows: bytes) -> None:
        """Hand that to ``COPY … FROM STDIN``."""
        with translated(), self._connection.cursor().copy(sql) as sink:
            sink.write(rows)


def connect(
    address: Address, database: str, *, application: str, timeout_s: float = 5
) -> PostgresSession:
    """Open a session in autocommit that never prepares statements by itself.

    DatabaseError(lost=True) if nobody answers within ``timeout_s`` (2 s at the least).
    """
    with translated():
        connection = psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            dbname=database,
            application_name=application,
            connect_timeout=max(LEAST_CONNECT_TIMEOUT_S, math.ceil(timeout_s)),
            autocommit=True,
            prepare_threshold=None,
            **SETTINGS_OF_OURS,
        )
        for setting, wanted in DIALECT_OF_OURS.items():
            if connection.info.parameter_status(setting) != wanted:
                connection.execute(f"SET {setting} = '{wanted}'")
    return PostgresSession(connection, address)


def limit(
    s: PostgresSession, *, lock_ms: int | None = None, statement_ms: int | None = None
) -> None:
    """Set this session's ``lock_timeout`` and ``statement_timeout`` (ms; None leaves it, 0 is off).

    A lock wait then ends with 55P03, a long statement with 57014.
    """
    if lock_ms is not None:
        s.run(f"SET lock_timeout = {int(lock_ms)}")
    if statement_ms is not None:
        s.run(f"SET statement_timeout = {int(statement_ms)}")


def client_line(address: Address, database: str) -> str:
    """The shell line with which a person connects; it shows the throwaway server's password."""
    return (
        f"PGPASSWORD={shlex.quote(address.password)} psql -h {shlex.quote(address.host)} "
        f"-p {address.port} -U {shlex.quote(address.user)} -d {shlex.quote(database)}"
    )


def identity(s: PostgresSession) -> str:
    """The system identifier, which initdb draws anew for each cluster."""
    return str(s.run("SELECT system_identifier FROM pg_control_system()").scalar())


def version(s: PostgresSession) -> str:
    """The server's own version text, e.g. ``18.6 (Debian 18.6-3)``."""
    return str(s.run("SHOW server_version").scalar())


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn psycopg's errors into DatabaseError; a misuse of the driver passes as it is."""
    try:
        yield
    except psycopg.Error as error:
        answer = _translate(error)
        if answer is None:
            raise
        raise answer from error


def _translate(error: psycopg.Error) -> DatabaseError | None:
    if error.sqlstate:
        return DatabaseError(error.sqlstate, error.diag.message_primary or str(error))
    message = str(error).strip()
    if "FATAL:" in message:
        said = message.rpartition("FATAL:")[2].strip()
        code = next((code for text, code in REFUSALS.items() if text in said), "")
        return DatabaseError(code, said)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseError("", message, lost=True)
    return None

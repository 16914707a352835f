"""Opens sessions on MariaDB, by the same protocol and driver as on MySQL."""

from __future__ import annotations

import shlex

from harness.engines.mysql.connector import MySQLSession, connect, seconds, version
from harness.ports import Address

IDENTITY = """
SELECT LEFT(SHA2(JSON_VALUE(Priv, '$.authentication_string'), 256), 32)
FROM mysql.global_priv WHERE CONCAT(User, '@', Host) = CURRENT_USER()
"""

__all__ = ["client_line", "connect", "identity", "limit", "version"]


def limit(s: MySQLSession, *, lock_ms: int | None = None, statement_ms: int | None = None) -> None:
    """Set this session's lock timeouts (at least 1 s) and statement timeout; None leaves it.

    A lock wait then ends with 1205, a long statement of any kind with 1969.
    """
    if lock_ms is not None:
        s.run(f"SET SESSION lock_wait_timeout = {seconds(lock_ms)}")
        s.run(f"SET SESSION innodb_lock_wait_timeout = {seconds(lock_ms)}")
    if statement_ms is not None:
        s.run(f"SET SESSION max_statement_time = {int(statement_ms) / 1000}")


def client_line(address: Address, database: str) -> str:
    """The shell line with which a person connects; it shows the throwaway server's password."""
    return (
        f"MYSQL_PWD={shlex.quote(address.password)} mariadb -h {shlex.quote(address.host)} "
        f"-P {address.port} -u {shlex.quote(address.user)} {shlex.quote(database)}"
    )


def identity(s: MySQLSession) -> str:
    """A fingerprint of our account's password hash, which no other server of ours has.

    ``server_uid`` will not do: it is made from the network card and the port, so it changes when
    a container comes back with another address.
    """
    return str(s.run(IDENTITY).scalar())

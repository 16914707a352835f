"""golang-migrate's version table and lock, as its real binary keeps them (at 18966c75).

One row (version, dirty), replaced in a transaction of its own. PostgreSQL: advisory lock;
BEGIN; TRUNCATE; INSERT; COMMIT. MySQL: GET_LOCK; DELETE … LIMIT 1 and INSERT in a serializable
transaction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.errors import DatabaseError
from harness.ports import Session

DIRTY = "dirty"
LOCKED = "locked"
LOCK_SALT = 1486364155

CREATE = (
    "CREATE TABLE IF NOT EXISTS schema_migrations "
    "(version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)"
)


@dataclass(frozen=True)
class Protocol:
    """What differs between the tool's two database drivers."""

    lock: str
    unlock: str
    begin: tuple[str, ...]
    forget: str


PROTOCOLS = {
    "postgres": Protocol(
        lock="SELECT pg_try_advisory_lock({key})",
        unlock="SELECT pg_advisory_unlock({key})",
        begin=("BEGIN",),
        forget="TRUNCATE schema_migrations",
    ),
    "mysql": Protocol(
        lock="SELECT GET_LOCK('{key}', 0)",
        unlock="SELECT RELEASE_LOCK('{key}')",
        begin=("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION"),
        forget="DELETE FROM schema_migrations LIMIT 1",
    ),
}


def lock_key(database: str) -> int:
    """The key of the tool's lock: CRC32 of the names, times a constant, modulo 2^32."""
    return zlib.crc32(f"schema_migrations\0{database}".encode()) * LOCK_SALT % 2**32


def read_version(session: Session) -> tuple[int, bool] | None:
    """(version, dirty); None where the tool believes that nothing was ever applied."""
    rows = session.run("SELECT version, dirty FROM schema_migrations LIMIT 1").rows
    return (int(rows[0][0]), bool(rows[0][1])) if rows else None


def set_version(session: Session, dialect: str, version: int, dirty: bool) -> None:
    """Replace the tool's one row, in a transaction of its own."""
    protocol = PROTOCOLS[dialect]
    for sql in protocol.begin:
        session.run(sql)
    session.run(protocol.forget)
    session.run(f"INSERT INTO schema_migrations (version, dirty) VALUES ({version}, {dirty})")
    session.run("COMMIT")


@contextmanager
def locked(session: Session, dialect: str, database: str) -> Iterator[None]:
    """Hold the tool's lock. Unlike the tool it does not wait 15 s for it: it says so at once."""
    protocol, key = PROTOCOLS[dialect], lock_key(database)
    if not session.run(protocol.lock.format(key=key)).scalar():
        raise DatabaseError(LOCKED, "can't acquire database lock")
    try:
        yield
    finally:
        try:
            session.run(protocol.unlock.format(key=key))
        except DatabaseError as error:
            if not error.lost:
                raise

"""Keeps golang-migrate's protocol: one row (version, dirty), set before and cleared after.

An emulation, and called so in reports: the statements and their order are those in the real
binary's server logs (golang-migrate at 18966c75). PostgreSQL: advisory lock; BEGIN; TRUNCATE;
INSERT; COMMIT around the file, which travels as one message. MySQL: GET_LOCK; DELETE … LIMIT 1
and INSERT in a serializable transaction. ``per-statement`` is its option x-multi-statement.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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


def pending(job: Mapping[str, Any], current: int | None) -> list[tuple[int, list[str]]]:
    """The migrations the tool believes are still to run: all of them if it knows of none."""
    history = [(job["applied_version"], job["applied_statements"])] if job["applied_version"] else []
    every = [*history, (job["version"], job["statements"])]
    return [(version, text) for version, text in every if current is None or version > current]


@dataclass(frozen=True)
class Versioned:
    """Refuses while dirty; ``force`` sets the version and checks nothing, as the tool does."""

    def apply(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None:
        dialect = job["dialect"]
        with locked(session, dialect, job["database"]):
            session.run(CREATE)
            if job.get("force") is not None:
                set_version(session, dialect, job["force"], False)
                return
            current = read_version(session)
            if current and current[1]:
                raise DatabaseError(
                    DIRTY, f"Dirty database version {current[0]}. Fix and force version."
                )
            for version, statements in pending(job, current[0] if current else None):
                set_version(session, dialect, version, True)
                if version == job["version"]:
                    self._send(session, job, checkpoint)
                else:
                    session.run_file(";\n".join(statements))
                set_version(session, dialect, version, False)

    def _send(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None:
        statements = job["statements"]
        if job["mode"] == "per-statement":
            for n, sql in enumerate(statements, 1):
                session.run(checkpoint("before", n, n) or sql)
                checkpoint("after", n, n)
            return
        last = len(statements)
        text = ";\n".join(statements)
        session.run_file(checkpoint("before", 1, last) or text)
        checkpoint("after", 1, last)


KIND = Versioned

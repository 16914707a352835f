"""Who is connected to MariaDB, who waits for whom; see MySQL's sessions for what is the same."""

from __future__ import annotations

from collections.abc import Mapping

from harness.engines.mariadb import locks
from harness.engines.mysql import sessions
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.sessions import (
    KILLED,
    cancel,
    end,
    end_sql,
    prepare_progress,
    progress,
    waits_for_lock,
)
from harness.ports import SessionInfo

__all__ = [
    "KILLED",
    "cancel",
    "end",
    "end_sql",
    "find",
    "listing",
    "look_sql",
    "prepare_progress",
    "progress",
    "root_blockers",
    "waiting",
    "waits_for_lock",
]

look_sql: Mapping[str, str] = sessions.looks(locks.ROW_WAITS)


def listing(s: MySQLSession) -> list[SessionInfo]:
    """Every client session of the server, this one included."""
    return sessions.listing(s, locks.row_waits)


def find(s: MySQLSession, pid: int, started: str) -> SessionInfo | None:
    """One session. None once it is gone: by then its locks are free and its work is undone."""
    return sessions.find(s, pid, started, locks.row_waits)


def waiting(s: MySQLSession, database: str) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs: metadata locks with those ahead in the queue, and row locks."""
    return sessions.waiting(s, database, locks.row_waits)


def root_blockers(s: MySQLSession, database: str) -> list[int]:
    """Sessions that block others and wait for nobody: ending one of these helps."""
    return sessions.root_blockers(s, database, locks.row_waits)

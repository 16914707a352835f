"""Who is connected to MySQL, who waits for whom, and how a session is ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.engines.mysql import locks
from harness.engines.mysql.connector import MySQLSession
from harness.errors import DatabaseError
from harness.ports import SessionInfo, SessionProgress

RowWaits = Callable[..., list[tuple[int, int]]]
"""``row_waits(s, database=None)``, as :func:`harness.engines.mysql.locks.row_waits`."""

KILLED = frozenset({"1053", "1317", "1927", "2006", "2013", "4031"})
"""Server shutdown, query interrupted, connection killed, lost connection, disconnected."""

NO_SUCH_THREAD = "1094"

SELECT_SESSIONS = """
SELECT t.PROCESSLIST_ID, t.THREAD_ID, COALESCE(a.ATTR_VALUE, ''), t.PROCESSLIST_COMMAND,
       COALESCE(t.PROCESSLIST_STATE, ''), COALESCE(t.PROCESSLIST_INFO, ''),
       COALESCE(t.PROCESSLIST_DB, ''),
       EXISTS (SELECT 1 FROM performance_schema.events_transactions_current x
               WHERE x.THREAD_ID = t.THREAD_ID AND x.STATE = 'ACTIVE')
FROM performance_schema.threads t
LEFT JOIN performance_schema.session_connect_attrs a
  ON a.PROCESSLIST_ID = t.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name'
WHERE t.TYPE = 'FOREGROUND' AND t.PROCESSLIST_ID IS NOT NULL
  AND t.PROCESSLIST_COMMAND IS NOT NULL AND t.PROCESSLIST_COMMAND <> 'Daemon'
"""

ROOTS = """
WITH waits AS ({waits})
SELECT DISTINCT t.PROCESSLIST_ID AS pid, t.PROCESSLIST_COMMAND AS command,
       t.PROCESSLIST_STATE AS state, t.PROCESSLIST_INFO AS info
FROM waits JOIN performance_schema.threads t ON t.PROCESSLIST_ID = waits.blocked_by
WHERE waits.blocked_by NOT IN (SELECT pid FROM waits)
"""

PROGRESS = """
SELECT t.PROCESSLIST_ID AS pid, e.EVENT_NAME AS phase,
       e.WORK_COMPLETED AS done, e.WORK_ESTIMATED AS total
FROM performance_schema.events_stages_current e
JOIN performance_schema.threads t ON t.THREAD_ID = e.THREAD_ID
WHERE e.WORK_ESTIMATED > 0 AND t.PROCESSLIST_ID <> CONNECTION_ID()
UNION ALL
SELECT pid, phase, done, total FROM (
  SELECT t.PROCESSLIST_ID AS pid,
         CONCAT(h.EVENT_NAME, ', then: ', t.PROCESSLIST_STATE) AS phase,
         h.WORK_COMPLETED AS done, h.WORK_ESTIMATED AS total,
         ROW_NUMBER() OVER (PARTITION BY h.THREAD_ID
                            ORDER BY h.WORK_COMPLETED DESC, h.EVENT_ID DESC) AS best
  FROM performance_schema.events_stages_history h
  JOIN performance_schema.events_statements_current s
    ON s.THREAD_ID = h.THREAD_ID AND s.EVENT_ID = h.NESTING_EVENT_ID AND s.TIMER_WAIT IS NOT NULL
  JOIN performance_schema.threads t ON t.THREAD_ID = h.THREAD_ID
  WHERE h.WORK_ESTIMATED > 0 AND t.PROCESSLIST_STATE LIKE 'Waiting for%'
) AS reached WHERE best = 1
"""
"""The stage at work, with its work; for a statement that waits now, the furthest it had got."""

ROW_LOCK = "InnoDB row lock"
USER_LOCK = "User lock"
"""The one stage of a wait for a lock whose name does not begin with "Waiting for"."""


SESSIONS = """
SELECT t.PROCESSLIST_ID AS pid, a.ATTR_VALUE AS program, t.PROCESSLIST_COMMAND AS command,
       t.PROCESSLIST_STATE AS state, t.PROCESSLIST_INFO AS info
FROM performance_schema.threads t
LEFT JOIN performance_schema.session_connect_attrs a
  ON a.PROCESSLIST_ID = t.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name'
WHERE t.PROCESSLIST_DB = DATABASE()
"""


def looks(row_waits: str) -> dict[str, str]:
    """The diagnosis queries as a person types them, for the database the session is in."""
    waits = (locks.METADATA_WAITS + "UNION" + row_waits).format(database="DATABASE()").strip()
    return {
        "root-blockers": ROOTS.format(waits=waits).strip(),
        "waiting": waits,
        "progress": PROGRESS.strip(),
        "sessions": SESSIONS.strip(),
    }


look_sql: Mapping[str, str] = looks(locks.ROW_WAITS)


def waits_for_lock(info: SessionInfo) -> bool:
    """Whether the session is parked on a lock: metadata, row, or user level."""
    return bool(info.wait)


def listing(s: MySQLSession, row_waits: RowWaits = locks.row_waits) -> list[SessionInfo]:
    """Every client session of the server, this one included."""
    return _infos(s, row_waits, SELECT_SESSIONS + "ORDER BY t.PROCESSLIST_ID")


def find(
    s: MySQLSession, pid: int, started: str, row_waits: RowWaits = locks.row_waits
) -> SessionInfo | None:
    """One session. None once it is gone: by then its locks are free and its work is undone."""
    found = _infos(s, row_waits, SELECT_SESSIONS + "AND t.PROCESSLIST_ID = %s", (pid,))
    return next((info for info in found if info.started == started), None)


def _infos(
    s: MySQLSession, row_waits: RowWaits, sql: str, args: tuple[Any, ...] = ()
) -> list[SessionInfo]:
    infos = [_info(row, s.booted()) for row in s.run(sql, args).rows]
    if not any(_may_wait_for_row(s, info) for info in infos):
        return infos
    waiters = {pid for pid, _ in row_waits(s)}
    return [
        replace(info, wait=ROW_LOCK) if _may_wait_for_row(s, info) and info.pid in waiters else info
        for info in infos
    ]


def _may_wait_for_row(s: MySQLSession, info: SessionInfo) -> bool:
    return info.state == "active" and not info.wait and info.pid != s.pid


def _info(row: tuple[Any, ...], booted: str) -> SessionInfo:
    pid, thread, application, command, stage, query, database, in_transaction = row
    wait = stage if stage.startswith("Waiting for") or stage == USER_LOCK else ""
    state = "active"
    if command == "Sleep":
        state = "idle in transaction" if in_transaction else "idle"
    return SessionInfo(
        int(pid), f"thread {thread} since {booted}", application, state, wait, query, database
    )


def end(s: MySQLSession, pid: int, started: str) -> bool:
    """KILL that very session; it is gone when ``find`` gives None."""
    return _kill(s, "KILL", pid, started)


def end_sql(pid: int) -> str:
    """The bare command a person would paste; it asks nobody whose session that is."""
    return f"KILL {int(pid)}"


def cancel(s: MySQLSession, pid: int, started: str) -> bool:
    """End the query the session runs, and nothing else; the session stays."""
    return _kill(s, "KILL QUERY", pid, started)


def _nobody(s: MySQLSession) -> list[tuple[int, int]]:
    return []


def _kill(s: MySQLSession, verb: str, pid: int, started: str) -> bool:
    if pid == s.pid or find(s, pid, started, row_waits=_nobody) is None:
        return False
    try:
        s.run(f"{verb} {int(pid)}")
    except DatabaseError as error:
        if error.code != NO_SUCH_THREAD:
            raise
        return False
    return True


def waiting(
    s: MySQLSession, database: str, row_waits: RowWaits = locks.row_waits
) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs: metadata locks with those ahead in the queue, and row locks."""
    return sorted({*locks.metadata_waits(s, database), *row_waits(s, database)})


def root_blockers(
    s: MySQLSession, database: str, row_waits: RowWaits = locks.row_waits
) -> list[int]:
    """Sessions that block others and wait for nobody: ending one of these helps."""
    pairs = waiting(s, database, row_waits)
    waiters = {waiter for waiter, _ in pairs}
    return sorted({blocker for _, blocker in pairs} - waiters)


def progress(s: MySQLSession) -> list[SessionProgress]:
    """Statements in a stage that counts its work, such as an index build or a table's copy."""
    return [
        SessionProgress(int(pid), str(phase), _count(done), _count(total))
        for pid, phase, done, total in s.run(PROGRESS).rows
    ]


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def prepare_progress(s: MySQLSession) -> None:
    """Stage events are off by default, and off again after every restart.

    On MariaDB the events of statements and transactions are, too.
    """
    s.run(
        "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' "
        "WHERE NAME IN ('events_stages_current', 'events_stages_history', "
        "'events_statements_current', 'events_transactions_current')"
    )

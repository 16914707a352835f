"""Who is connected to MySQL, who waits for whom, and how a session is ended."""

from __future__ import annotations

from typing import Any

from harness.engines.mysql.connector import MySQLSession
from harness.errors import DatabaseError
from harness.ports import SessionInfo

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

METADATA_WAITS = """
SELECT DISTINCT w.PROCESSLIST_ID AS pid, b.PROCESSLIST_ID AS blocked_by
FROM performance_schema.metadata_locks lw
JOIN performance_schema.metadata_locks lb
  ON lb.OBJECT_TYPE = lw.OBJECT_TYPE AND lb.OBJECT_NAME = lw.OBJECT_NAME
 AND COALESCE(lb.OBJECT_SCHEMA, '') = COALESCE(lw.OBJECT_SCHEMA, '')
 AND lb.OWNER_THREAD_ID <> lw.OWNER_THREAD_ID
JOIN performance_schema.threads w ON w.THREAD_ID = lw.OWNER_THREAD_ID
JOIN performance_schema.threads b ON b.THREAD_ID = lb.OWNER_THREAD_ID
WHERE lw.LOCK_STATUS = 'PENDING' AND lw.OBJECT_TYPE IN ('TABLE', 'USER LEVEL LOCK')
  AND w.PROCESSLIST_DB = {database}
  AND (   (lw.LOCK_TYPE = 'EXCLUSIVE' AND lb.LOCK_STATUS = 'GRANTED')
       OR (lw.LOCK_TYPE <> 'EXCLUSIVE' AND lb.LOCK_TYPE = 'EXCLUSIVE')
       OR (lw.LOCK_TYPE LIKE 'SHARED_WRITE%%' AND lb.LOCK_STATUS = 'GRANTED'
           AND lb.LOCK_TYPE IN ('SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE', 'SHARED_READ_ONLY'))
       OR (lw.LOCK_TYPE IN ('SHARED_UPGRADABLE', 'SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE')
           AND lb.LOCK_STATUS = 'GRANTED'
           AND lb.LOCK_TYPE IN ('SHARED_UPGRADABLE', 'SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE')))
"""
"""A pending lock waits for granted ones that conflict, and for an exclusive one ahead of it."""

ROW_WAITS = """
SELECT DISTINCT w.PROCESSLIST_ID AS pid, b.PROCESSLIST_ID AS blocked_by
FROM performance_schema.data_lock_waits d
JOIN performance_schema.threads w ON w.THREAD_ID = d.REQUESTING_THREAD_ID
JOIN performance_schema.threads b ON b.THREAD_ID = d.BLOCKING_THREAD_ID
WHERE w.PROCESSLIST_DB = {database}
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
WHERE t.PROCESSLIST_ID IS NOT NULL AND t.PROCESSLIST_ID <> CONNECTION_ID()
"""

ROW_LOCK = "InnoDB row lock"


def _as_typed(*parts: str) -> str:
    """The query as a person types it, for the database the session is in."""
    waits = "UNION".join(part.format(database="DATABASE()") for part in parts)
    return waits.replace("%%", "%").strip()


look_sql = {
    "root-blockers": ROOTS.format(waits=_as_typed(METADATA_WAITS, ROW_WAITS)).strip(),
    "waiting": _as_typed(METADATA_WAITS, ROW_WAITS),
    "progress": PROGRESS.strip(),
    "sessions": (
        "SELECT PROCESSLIST_ID AS pid, PROCESSLIST_COMMAND AS command, "
        "PROCESSLIST_STATE AS state,\n       PROCESSLIST_INFO AS info\n"
        "FROM performance_schema.threads WHERE PROCESSLIST_DB = DATABASE()"
    ),
}


def WAITS_FOR_LOCK(info: SessionInfo) -> bool:  # noqa: N802
    """Whether the session is parked on a lock: metadata, row, or user level."""
    return bool(info.wait)


def listing(s: MySQLSession) -> list[SessionInfo]:
    """Every client session of the server, this one included."""
    return _infos(s, SELECT_SESSIONS + "ORDER BY t.PROCESSLIST_ID")


def find(s: MySQLSession, pid: int, started: str) -> SessionInfo | None:
    """One session by its connection id and thread id; None once it is gone."""
    found = _infos(s, SELECT_SESSIONS + "AND t.PROCESSLIST_ID = %s", (pid,))
    return next((info for info in found if info.started == started), None)


def _infos(s: MySQLSession, sql: str, args: tuple[Any, ...] = ()) -> list[SessionInfo]:
    rows = s.run(sql, args).rows
    row_waiters = {pid for pid, _ in row_waits(s)} if rows else set()
    return [_info(row, row_waiters) for row in rows]


def _info(row: tuple[Any, ...], row_waiters: set[int]) -> SessionInfo:
    pid, thread, application, command, stage, query, database, in_transaction = row
    wait = ""
    if stage.startswith("Waiting for") or stage == "User lock":
        wait = stage
    elif pid in row_waiters:
        wait = ROW_LOCK
    state = "active"
    if command == "Sleep":
        state = "idle in transaction" if in_transaction else "idle"
    return SessionInfo(int(pid), str(thread), application, state, wait, query, database)


def row_waits(s: MySQLSession) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs of InnoDB's row locks, in every database."""
    rows = s.run(ROW_WAITS.replace("WHERE w.PROCESSLIST_DB = {database}", "")).rows
    return [(int(waiter), int(blocker)) for waiter, blocker in rows]


def end(s: MySQLSession, pid: int, started: str) -> bool:
    """KILL that very session; it is gone when ``find`` gives None."""
    return _kill(s, "KILL", pid, started)


def end_sql(pid: int) -> str:
    """The bare command a person would paste; it asks nobody whose session that is."""
    return f"KILL {int(pid)}"


def cancel(s: MySQLSession, pid: int, started: str) -> bool:
    """End the query the session runs, and nothing else; the session stays."""
    return _kill(s, "KILL QUERY", pid, started)


def _kill(s: MySQLSession, verb: str, pid: int, started: str) -> bool:
    if pid == s.pid or find(s, pid, started) is None:
        return False
    try:
        s.run(f"{verb} {int(pid)}")
    except DatabaseError as error:
        if error.code != NO_SUCH_THREAD:
            raise
        return False
    return True


def waiting(s: MySQLSession, database: str) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs: metadata locks with those ahead in the queue, and row locks."""
    sql = METADATA_WAITS.format(database="%s") + "UNION" + ROW_WAITS.format(database="%s")
    rows = s.run(sql, (database, database)).rows
    return [(int(waiter), int(blocker)) for waiter, blocker in rows]


def root_blockers(s: MySQLSession, database: str) -> list[int]:
    """Sessions that block others and wait for nobody: ending one of these helps."""
    pairs = waiting(s, database)
    waiters = {waiter for waiter, _ in pairs}
    return sorted({blocker for _, blocker in pairs} - waiters)


def progress(s: MySQLSession) -> list[dict[str, Any]]:
    """The stage each statement is in, with how much of its work is done."""
    rows = s.run(PROGRESS)
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]


def prepare_progress(s: MySQLSession) -> None:
    """Stage events are off by default, and off again after every restart."""
    s.run(
        "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' "
        "WHERE NAME IN ('events_stages_current', 'events_transactions_current')"
    )

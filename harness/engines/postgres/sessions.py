"""Who is connected to PostgreSQL, who waits for whom, and how a session is ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.engines.postgres.connector import PostgresSession
from harness.ports import SessionInfo, SessionProgress

KILLED = frozenset({"57014", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
"""query_canceled, admin_shutdown, crash_shutdown, cannot_connect_now (the server is coming
back), and the timeouts by which a server ends a session: idle_session, idle_in_transaction,
transaction. A server that dies by SIGKILL gives no code at all: ``DatabaseError.lost``."""

STARTED = "to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

SELECT_SESSIONS = f"""
SELECT pid, {STARTED}, application_name, coalesce(state, ''),
       CASE WHEN state = 'active' AND wait_event IS NOT NULL
            THEN wait_event_type || ':' || wait_event ELSE '' END,
       coalesce(query, ''), coalesce(datname, '')
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""

THAT_VERY_SESSION = f"""
FROM pg_stat_activity
WHERE pid = %s AND {STARTED} = %s AND pid <> pg_backend_pid()
  AND backend_type = 'client backend'
"""

WAITING = """
SELECT DISTINCT w.pid AS pid, blocker AS blocked_by
FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) AS blocker
WHERE w.wait_event_type = 'Lock' AND blocker > 0 AND w.datname = {database}
ORDER BY w.pid, blocker
"""

ROOT_BLOCKERS = """
WITH waits AS (
  SELECT w.pid, blocker
  FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) AS blocker
  WHERE w.wait_event_type = 'Lock' AND w.datname = {database}
)
SELECT a.pid, a.application_name, a.state, a.query
FROM pg_stat_activity a
WHERE a.pid IN (SELECT blocker FROM waits) AND a.pid NOT IN (SELECT pid FROM waits)
ORDER BY a.pid
"""

PROGRESS = """
SELECT pid, phase,
       CASE WHEN phase LIKE 'waiting for%' THEN lockers_done
            WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS done,
       CASE WHEN phase LIKE 'waiting for%' THEN lockers_total
            WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS total
FROM pg_stat_progress_create_index
UNION ALL
SELECT pid, phase, heap_blks_scanned, heap_blks_total FROM pg_stat_progress_cluster
UNION ALL
SELECT pid, phase, heap_blks_scanned, heap_blks_total FROM pg_stat_progress_vacuum
"""

look_sql: Mapping[str, str] = {
    "root-blockers": ROOT_BLOCKERS.format(database="current_database()").strip(),
    "waiting": WAITING.format(database="current_database()").strip(),
    "progress": PROGRESS.strip(),
    "sessions": (
        "SELECT pid, application_name, state, wait_event_type, wait_event, query\n"
        "FROM pg_stat_activity\n"
        "WHERE datname = current_database() AND backend_type = 'client backend'\n"
        "ORDER BY pid"
    ),
}


def waits_for_lock(info: SessionInfo) -> bool:
    """Whether the session is parked on a heavyweight lock: row, table, transaction, advisory."""
    return info.wait.startswith("Lock:")


def listing(s: PostgresSession) -> list[SessionInfo]:
    """Every client session of the server, this one included."""
    return [SessionInfo(*row) for row in s.run(SELECT_SESSIONS + "ORDER BY pid").rows]


def find(s: PostgresSession, pid: int, started: str) -> SessionInfo | None:
    """One session. None once it is gone: by then its locks are free and its work is undone."""
    rows = s.run(SELECT_SESSIONS + f"AND pid = %s AND {STARTED} = %s", (pid, started)).rows
    return SessionInfo(*rows[0]) if rows else None


def end(s: PostgresSession, pid: int, started: str) -> bool:
    """Tell that very session to end; it is gone when ``find`` gives None."""
    return bool(s.run("SELECT pg_terminate_backend(pid)" + THAT_VERY_SESSION, (pid, started)).rows)


def end_sql(pid: int) -> str:
    """The bare command a person would paste; it asks nobody whose session that is."""
    return f"SELECT pg_terminate_backend({int(pid)})"


def cancel(s: PostgresSession, pid: int, started: str) -> bool:
    """End the query the session runs, and nothing else; the session stays."""
    return bool(s.run("SELECT pg_cancel_backend(pid)" + THAT_VERY_SESSION, (pid, started)).rows)


def waiting(s: PostgresSession, database: str) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs, direct blockers only, those ahead in the queue included."""
    rows = s.run(WAITING.format(database="%s"), (database,)).rows
    return [(int(waiter), int(blocker)) for waiter, blocker in rows]


def root_blockers(s: PostgresSession, database: str) -> list[int]:
    """Sessions that block others and wait for nobody: ending one of these helps."""
    rows = s.run(ROOT_BLOCKERS.format(database="%s"), (database,)).rows
    return [int(row[0]) for row in rows]


def progress(s: PostgresSession) -> list[SessionProgress]:
    """Index builds, CLUSTER and VACUUM in work. An ALTER TABLE shows no progress here."""
    return [
        SessionProgress(int(pid), str(phase), _count(done), _count(total))
        for pid, phase, done, total in s.run(PROGRESS).rows
    ]


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def prepare_progress(s: PostgresSession) -> None:
    """Nothing to switch on: the progress views are always there."""

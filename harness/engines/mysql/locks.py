"""Which session of MySQL waits for which: metadata locks, user-level locks, row locks."""

from __future__ import annotations

from harness.engines.mysql.connector import MySQLSession

HELD_UP_BY = {
    "SHARED": "EXCLUSIVE",
    "SHARED_HIGH_PRIO": "EXCLUSIVE",
    "SHARED_READ": "SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_WRITE": "SHARED_READ_ONLY SHARED_NO_WRITE SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_WRITE_LOW_PRIO": "SHARED_READ_ONLY SHARED_NO_WRITE SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_UPGRADABLE": "SHARED_UPGRADABLE SHARED_NO_WRITE SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_READ_ONLY": "SHARED_WRITE SHARED_WRITE_LOW_PRIO SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_NO_WRITE": "SHARED_WRITE SHARED_WRITE_LOW_PRIO SHARED_UPGRADABLE SHARED_NO_WRITE "
    "SHARED_NO_READ_WRITE EXCLUSIVE",
}
"""A wanted metadata lock and the granted ones it conflicts with (the matrix in MySQL's
sql/mdl.cc). What is not listed, SHARED_NO_READ_WRITE and EXCLUSIVE, waits for nearly all."""

QUEUES_BEHIND = {
    "SHARED": "EXCLUSIVE",
    "SHARED_READ": "SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_WRITE": "SHARED_NO_WRITE SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_WRITE_LOW_PRIO": "SHARED_READ_ONLY SHARED_NO_WRITE SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_UPGRADABLE": "EXCLUSIVE",
    "SHARED_READ_ONLY": "SHARED_WRITE SHARED_NO_READ_WRITE EXCLUSIVE",
    "SHARED_NO_WRITE": "EXCLUSIVE",
    "SHARED_NO_READ_WRITE": "EXCLUSIVE",
}
"""A wanted metadata lock and the ones that others wait for, before which it is not served."""

READERS = "('SHARED', 'SHARED_HIGH_PRIO')"


def _among(matrix: dict[str, str]) -> str:
    cases = "\n       ".join(
        f"WHEN '{wanted}' THEN lb.LOCK_TYPE IN ('{others.replace(' ', chr(39) + ', ' + chr(39))}')"
        for wanted, others in matrix.items()
    )
    return f"CASE lw.LOCK_TYPE\n       {cases}"


METADATA_WAITS = f"""
SELECT DISTINCT w.PROCESSLIST_ID AS pid, b.PROCESSLIST_ID AS blocked_by
FROM performance_schema.metadata_locks lw
JOIN performance_schema.metadata_locks lb
  ON lb.OBJECT_TYPE = lw.OBJECT_TYPE AND lb.OBJECT_NAME = lw.OBJECT_NAME
 AND COALESCE(lb.OBJECT_SCHEMA, '') = COALESCE(lw.OBJECT_SCHEMA, '')
 AND lb.OWNER_THREAD_ID <> lw.OWNER_THREAD_ID
JOIN performance_schema.threads w ON w.THREAD_ID = lw.OWNER_THREAD_ID
JOIN performance_schema.threads b ON b.THREAD_ID = lb.OWNER_THREAD_ID
WHERE lw.LOCK_STATUS = 'PENDING' AND lw.OBJECT_TYPE IN ('TABLE', 'USER LEVEL LOCK')
  AND w.PROCESSLIST_DB = {{database}}
  AND CASE lb.LOCK_STATUS WHEN 'GRANTED' THEN
       {_among(HELD_UP_BY)}
       WHEN 'SHARED_NO_READ_WRITE' THEN lb.LOCK_TYPE NOT IN {READERS} ELSE TRUE END
      ELSE
       {_among(QUEUES_BEHIND)}
       ELSE FALSE END
      END
"""
"""A pending lock waits for granted ones that conflict, and for pending ones that go first."""

ROW_WAITS = """
SELECT DISTINCT w.PROCESSLIST_ID AS pid, b.PROCESSLIST_ID AS blocked_by
FROM performance_schema.data_lock_waits d
JOIN performance_schema.threads w ON w.THREAD_ID = d.REQUESTING_THREAD_ID
JOIN performance_schema.threads b ON b.THREAD_ID = d.BLOCKING_THREAD_ID
WHERE w.PROCESSLIST_DB = {database}
"""


def metadata_waits(s: MySQLSession, database: str) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs among tables and user-level locks; waiters in that database."""
    return pairs(s, METADATA_WAITS.format(database="%s"), (database,))


def row_waits(s: MySQLSession, database: str | None = None) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs of InnoDB's row locks, of waiters in that or in any database."""
    if database is None:
        return pairs(s, ROW_WAITS.format(database="w.PROCESSLIST_DB"))
    return pairs(s, ROW_WAITS.format(database="%s"), (database,))


def pairs(s: MySQLSession, sql: str, args: tuple[str, ...] = ()) -> list[tuple[int, int]]:
    """The first two columns as numbers."""
    return [(int(waiter), int(blocker)) for waiter, blocker, *_ in s.run(sql, args).rows]

"""Which session of MySQL waits for which: metadata locks, user-level locks, row locks."""

from __future__ import annotations

from harness.engines.mysql.connector import MySQLSession

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
  AND FIND_IN_SET(REPLACE(lb.LOCK_TYPE, 'SHARED_', ''),
      CASE CONCAT(REPLACE(lw.LOCK_TYPE, 'SHARED_', ''), ' behind ', lb.LOCK_STATUS)
      WHEN 'READ behind GRANTED' THEN 'NO_READ_WRITE,EXCLUSIVE'
      WHEN 'WRITE behind GRANTED' THEN 'READ_ONLY,NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'WRITE_LOW_PRIO behind GRANTED' THEN 'READ_ONLY,NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'UPGRADABLE behind GRANTED' THEN 'UPGRADABLE,NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'READ_ONLY behind GRANTED' THEN 'WRITE,WRITE_LOW_PRIO,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'NO_WRITE behind GRANTED'
        THEN 'WRITE,WRITE_LOW_PRIO,UPGRADABLE,NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'NO_READ_WRITE behind GRANTED'
        THEN 'READ,WRITE,WRITE_LOW_PRIO,UPGRADABLE,READ_ONLY,NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'EXCLUSIVE behind GRANTED' THEN REPLACE(lb.LOCK_TYPE, 'SHARED_', '')
      WHEN 'READ behind PENDING' THEN 'NO_READ_WRITE,EXCLUSIVE'
      WHEN 'WRITE behind PENDING' THEN 'NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'WRITE_LOW_PRIO behind PENDING' THEN 'READ_ONLY,NO_WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'READ_ONLY behind PENDING' THEN 'WRITE,NO_READ_WRITE,EXCLUSIVE'
      WHEN 'EXCLUSIVE behind PENDING' THEN ''
      WHEN 'HIGH_PRIO behind PENDING' THEN ''
      ELSE 'EXCLUSIVE' END)
"""
"""A pending lock waits for granted ones it conflicts with, and for pending ones that go first:
the two matrices of MySQL's sql/mdl.cc, which MariaDB shares."""

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

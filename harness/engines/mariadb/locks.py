"""Who waits for whose row lock on MariaDB, whose only view of that goes stale when polled."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator

from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.locks import pairs

ROW_WAITS = """
SELECT DISTINCT r.trx_mysql_thread_id AS pid, b.trx_mysql_thread_id AS blocked_by
FROM information_schema.INNODB_LOCK_WAITS l
JOIN information_schema.INNODB_TRX r ON r.trx_id = l.requesting_trx_id
JOIN information_schema.INNODB_TRX b ON b.trx_id = l.blocking_trx_id
JOIN performance_schema.threads w ON w.PROCESSLIST_ID = r.trx_mysql_thread_id
WHERE w.PROCESSLIST_DB = {database}
"""

ANYBODY_WAITS = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
"""Always up to date, and cheap."""

STALE_FOR_S = 0.105
"""InnoDB fills these tables anew only if nobody has read them for 0.1 s
(``CACHE_MIN_IDLE_TIME_NS`` in trx0i_s.cc): who asks more often gets the same answer for ever."""


class _Turns:
    """Lets one thread at a time read a server's tables, and none before they are due again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due = 0.0

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        with self._lock:
            time.sleep(max(0.0, self._due - time.monotonic()))
            try:
                yield
            finally:
                self._due = time.monotonic() + STALE_FOR_S


turns: defaultdict[tuple[str, int], _Turns] = defaultdict(_Turns)


def row_waits(s: MySQLSession, database: str | None = None) -> list[tuple[int, int]]:
    """(waiter, blocker) pairs of InnoDB's row locks, of waiters in that or in any database.

    Takes up to 0.1 s for each caller while somebody waits for a row lock, and no time else.
    """
    if not int(s.run(ANYBODY_WAITS).rows[0][1]):
        return []
    with turns[s.server].taken():
        if database is None:
            return pairs(s, ROW_WAITS.format(database="w.PROCESSLIST_DB"))
        return pairs(s, ROW_WAITS.format(database="%s"), (database,))

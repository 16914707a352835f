"""What holds any statement of MariaDB amid its work: as on MySQL, without its backup lock.

BACKUP STAGE is not used: it holds nothing that the global read lock does not hold, and it is not to
be had either where tables are locked by LOCK TABLES.
"""

from __future__ import annotations

from harness.engines.mariadb.locks import turns
from harness.engines.mysql import statement_holds as of_mysql
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.statement_holds import (
    HOLDS_THE_SERVER,
    QUEUES,
    clear,
    parts,
    prepare,
    take_part,
    waits,
)

__all__ = [
    "HOLDS_THE_SERVER",
    "QUEUES",
    "clear",
    "hold",
    "parts",
    "prepare",
    "take_part",
    "transaction_of",
    "waits",
]

TRANSACTION = """
SELECT trx_id FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = %s
"""


def hold(s: MySQLSession, kind: str, sql: str, wait: int = 1, *, again: bool = False) -> None:
    """Make the statement wait, until this session ends; see the same of MySQL."""
    if kind in of_mysql.ROWS_ARE_CHANGED_BY and not again:
        of_mysql.hold_last_rows(s)
        return
    s.run(f"SET SESSION lock_wait_timeout = {of_mysql.GLOBAL_LOCK_S}")
    if not of_mysql.is_had(s, "FLUSH TABLES WITH READ LOCK"):
        of_mysql.hold_each(s, of_mysql.FIRST_READ)


def transaction_of(s: MySQLSession, pid: int) -> str:
    """InnoDB's number of the session's transaction; "" if it has none. Takes up to 0.1 s."""
    with turns[s.server].taken():
        return str(s.run(TRANSACTION, (pid,)).scalar() or "")

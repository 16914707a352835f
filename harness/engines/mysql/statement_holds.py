"""What holds any statement of MySQL amid its work: a sweep strikes it there.

A statement that changes rows is held at each table's last row, amid its work; any other by the
server's global read lock and backup lock, before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import LOCK_TIMEOUT, MySQLSession
from harness.errors import DatabaseError

HOLDS_THE_SERVER = True
"""Whether what is taken is a lock of the whole server or of one database."""

QUEUES = False
"""InnoDB may give a row to whom it likes; the last rows of other tables are held all the same."""

ROWS_ARE_CHANGED_BY = frozenset({"UPDATE", "DELETE"})

KEYED_TABLES = """
SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.statistics
WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'PRIMARY' AND SEQ_IN_INDEX = 1
ORDER BY TABLE_NAME
"""
LAST_ROW = "SELECT 1 FROM {table} ORDER BY {key} DESC LIMIT 1 FOR UPDATE"
GLOBAL_LOCK_S = 2
FIRST_READ = "SELECT 1 FROM {table} LIMIT 1"
MOST_PARTS = 16
"""Tables of which each is held by a session of its own."""

BODIES = """
SELECT CONCAT('PROCEDURE ', ROUTINE_NAME, ' ', ROUTINE_DEFINITION) FROM information_schema.routines
WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = 'PROCEDURE'
"""
NAME = r"((?:[\w$]+|`[^`]+`)(?:\s*\.\s*(?:[\w$]+|`[^`]+`))*)"
CALLED = re.compile(rf"\bCALL\s+{NAME}", re.IGNORECASE)
PROCEDURE = re.compile(rf"\bPROCEDURE\s+(?:IF\s+NOT\s+EXISTS\s+)?{NAME}", re.IGNORECASE)
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|REPLACE|TRUNCATE|ALTER|DROP|CALL)\b", re.I)
REPEATS = re.compile(r"\b(LOOP|WHILE|REPEAT|FETCH)\b", re.IGNORECASE)

TRANSACTION = """
SELECT d.ENGINE_TRANSACTION_ID FROM performance_schema.data_locks d
JOIN performance_schema.threads t USING (THREAD_ID) WHERE t.PROCESSLIST_ID = %s LIMIT 1
"""
"""INNODB_TRX would tell of the one before, to whom asks within 0.1 s of somebody else."""


def waits(s: MySQLSession, statements: Sequence[tuple[str, str]], texts: Iterable[str]) -> int:
    """How often it can be held: a procedure of several statements at a later one as well.

    Each of them commits by itself, unless the procedure opens a transaction. ``texts`` are what
    the run sends, which may make the procedure that it calls. Never is what only ends a lock.
    """
    if [kind for kind, _ in statements] == ["UNLOCK TABLES"]:
        return 0
    called = {_bare(n) for kind, sql in statements if kind == "CALL" for n in CALLED.findall(sql)}
    if not called:
        return 1
    bodies = [*texts, *(str(row[0]) for row in s.run(BODIES).rows)]
    of_it = [b for b in bodies if any(_bare(n) in called for n in PROCEDURE.findall(b))]
    return 1 + any(_has_several(body) for body in of_it)


def _has_several(body: str) -> bool:
    return len(WRITES.findall(body)) > 1 or REPEATS.search(body) is not None


def prepare(s: MySQLSession) -> None:
    """Nothing has to be there before the run."""


def clear(s: MySQLSession) -> None:
    """Nothing was made."""


def hold(s: MySQLSession, kind: str, sql: str, wait: int = 1, *, again: bool = False) -> None:
    """Make the statement wait, until this session ends.

    A statement that changes rows, and meets none, is held by the global lock: ``again``. Where a
    session holds tables by LOCK TABLES, as Sqitch does, nobody gets that lock; then all other
    tables are held, and DDL by the backup lock. DatabaseError (1205) if nothing can be had.
    """
    if kind in ROWS_ARE_CHANGED_BY and not again:
        hold_last_rows(s)
        return
    s.run(f"SET SESSION lock_wait_timeout = {GLOBAL_LOCK_S}")
    stops_ddl = kind not in ROWS_ARE_CHANGED_BY and is_had(s, "LOCK INSTANCE FOR BACKUP")
    if not is_had(s, "FLUSH TABLES WITH READ LOCK") and not stops_ddl:
        hold_each(s, FIRST_READ)


def hold_last_rows(s: MySQLSession) -> None:
    """Hold what changes rows amid its work."""
    s.run("SET SESSION innodb_lock_wait_timeout = 5")
    hold_each(s, LAST_ROW)


def is_had(s: MySQLSession, lock: str) -> bool:
    """Take it; False if somebody keeps it from us. The backup lock stops DDL under LOCK TABLES,
    and ANALYZE TABLE, which the global read lock lets pass.
    """
    try:
        s.run(lock)
    except DatabaseError as error:
        if error.code != LOCK_TIMEOUT:
            raise
        return False
    return True


def parts(s: MySQLSession, kind: str, sql: str) -> Sequence[str]:
    """Locks, each for a session of its own: the last row of each table."""
    keyed = s.run(KEYED_TABLES).rows[:MOST_PARTS]
    return [_of(LAST_ROW, table, key) for table, key in keyed]


def take_part(s: MySQLSession, part: str) -> None:
    """Take one of those locks, until the session ends."""
    s.run("START TRANSACTION")
    s.run(part)


def transaction_of(s: MySQLSession, pid: int) -> str:
    """InnoDB's number of the transaction in which the session has locks; "" if it has none."""
    return str(s.run(TRANSACTION, (pid,)).scalar() or "")


def hold_each(s: MySQLSession, sql: str) -> None:
    """Hold every table with a key, in one transaction, but for those that nobody gets."""
    s.run("SET SESSION lock_wait_timeout = 1")
    s.run("START TRANSACTION")
    held, refused = 0, None
    for table, key in s.run(KEYED_TABLES).rows:
        try:
            s.run(_of(sql, table, key))
            held += 1
        except DatabaseError as error:
            if error.code != LOCK_TIMEOUT:
                raise
            refused = error
    if refused and not held:
        raise refused


def _of(sql: str, table: str, key: str) -> str:
    return sql.format(table=quoting.name(table), key=quoting.name(key))


def _bare(name: str) -> str:
    return name.rpartition(".")[2].strip().strip("`").lower()

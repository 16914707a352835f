"""Locks that hold a statement of MySQL while it runs: rows, reads, user-level locks."""

from __future__ import annotations

from typing import Any

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import LOCK_TIMEOUT, MySQLSession
from harness.errors import DatabaseError, StepFailed

LONGEST_WAIT_S = 600
TAKE_DEADLINE_S = 5

HOLDS_THE_SERVER = True
"""Whether what ``hold_all`` takes is a lock of the whole server or of one database."""


def hold_row(s: MySQLSession, table: str, key: str, value: Any) -> None:
    """Lock one row FOR UPDATE in an open transaction; StepFailed if there is no such row."""
    s.run("START TRANSACTION")
    found = s.run(
        f"SELECT 1 FROM {quoting.name(table)} WHERE {quoting.name(key)} = {quoting.value(value)} "
        "FOR UPDATE"
    )
    if not found.rows:
        end_transaction(s)
        raise StepFailed(f"no row to hold: {table} has none with {key} = {value!r}")


def hold_table_read(s: MySQLSession, table: str) -> None:
    """Read the table and stay idle in the transaction, holding its metadata lock."""
    s.run("START TRANSACTION")
    s.run(f"SELECT 1 FROM {quoting.name(table)} LIMIT 1")


ROWS_ARE_CHANGED_BY = frozenset({"UPDATE", "DELETE"})

KEYED_TABLES = """
SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.statistics
WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'PRIMARY' AND SEQ_IN_INDEX = 1
"""


def hold_all(s: MySQLSession, verb: str) -> None:
    """Make whatever changes schema or rows wait, until this session ends.

    ``verb`` is what is going to be sent. A statement that changes rows is held amid its work, at
    each table's last row; any other by the server's global read lock, before its work. Where a
    tool holds tables by LOCK TABLES, as Sqitch does, nobody gets that lock; then all other tables
    are held. DatabaseError (1205) if nothing can be had.
    """
    if verb in ROWS_ARE_CHANGED_BY:
        s.run("SET SESSION innodb_lock_wait_timeout = 5")
        _hold_each(s, "SELECT 1 FROM {table} ORDER BY {key} DESC LIMIT 1 FOR UPDATE")
        return
    s.run("SET SESSION lock_wait_timeout = 5")
    try:
        s.run("FLUSH TABLES WITH READ LOCK")
    except DatabaseError as error:
        if error.code != LOCK_TIMEOUT:
            raise
        _hold_each(s, "SELECT 1 FROM {table} LIMIT 1")


def _hold_each(s: MySQLSession, sql: str) -> None:
    """Hold every table with a key, in one transaction, but for those that nobody gets."""
    s.run("SET SESSION lock_wait_timeout = 1")
    s.run("START TRANSACTION")
    held, refused = 0, None
    for table, key in s.run(KEYED_TABLES).rows:
        try:
            s.run(sql.format(table=quoting.name(table), key=quoting.name(key)))
            held += 1
        except DatabaseError as error:
            if error.code != LOCK_TIMEOUT:
                raise
            refused = error
    if refused and not held:
        raise refused


def install_trigger(s: MySQLSession, table: str, key: str, value: Any, name: str) -> None:
    """Make every UPDATE of that row wait while somebody else holds the user-level lock ``name``."""
    lock = quoting.value(name)
    s.run(
        f"CREATE TRIGGER {quoting.name(name)} BEFORE UPDATE ON {quoting.name(table)} FOR EACH ROW "
        f"BEGIN IF OLD.{quoting.name(key)} = {quoting.value(value)} THEN "
        f"DO GET_LOCK({lock}, {LONGEST_WAIT_S}); DO RELEASE_LOCK({lock}); END IF; END"
    )


def remove_trigger(s: MySQLSession, table: str, name: str) -> None:
    """Remove what ``install_trigger`` made; no error if it, or the table, is gone."""
    s.run(f"DROP TRIGGER IF EXISTS {quoting.name(name)}")


def take_lock(s: MySQLSession, name: str) -> None:
    """Take the user-level lock for this session; 1205 if it is not had in 5 s."""
    if not s.run(f"SELECT GET_LOCK({quoting.value(name)}, {TAKE_DEADLINE_S})").scalar():
        raise DatabaseError(
            LOCK_TIMEOUT, f"the lock {name} is held by session {lock_holder(s, name)}"
        )


def drop_lock(s: MySQLSession, name: str) -> None:
    """Give the lock back; nothing happens if this session does not hold it."""
    s.run(f"SELECT RELEASE_LOCK({quoting.value(name)})")


def lock_holder(s: MySQLSession, name: str) -> int | None:
    """The session that holds the lock."""
    holder = s.run(f"SELECT IS_USED_LOCK({quoting.value(name)})").scalar()
    return None if holder is None else int(holder)


def end_transaction(s: MySQLSession) -> None:
    """ROLLBACK; row and metadata locks are free at once, user-level locks are not."""
    s.run("ROLLBACK")

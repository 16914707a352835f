"""Locks that hold a statement of MySQL while it runs: rows, reads, user-level locks."""

from __future__ import annotations

from typing import Any

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import LOCK_TIMEOUT, MySQLSession
from harness.errors import DatabaseError, StepFailed

LONGEST_WAIT_S = 600
TAKE_DEADLINE_S = 5


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

"""Locks that hold a statement of PostgreSQL while it runs: rows, reads, advisory locks."""

from __future__ import annotations

from typing import Any

from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.databases import GUARD_SCHEMA
from harness.errors import StepFailed

TAKE_DEADLINE_S = 5

HOLDER = """
SELECT l.pid FROM pg_locks l LEFT JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock' AND l.objsubid = 1
  AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(%s, 0)
ORDER BY d.datname = current_database() DESC LIMIT 1
"""


def hold_row(s: PostgresSession, table: str, key: str, value: Any) -> None:
    """Lock one row FOR UPDATE in an open transaction; StepFailed if there is no such row."""
    s.run("BEGIN")
    found = s.run(
        f"SELECT 1 FROM {quoting.table(table)} WHERE {quoting.name(key)} = {quoting.value(value)} "
        "FOR UPDATE"
    )
    if not found.rows:
        end_transaction(s)
        raise StepFailed(f"no row to hold: {table} has none with {key} = {value!r}")


def hold_table_read(s: PostgresSession, table: str) -> None:
    """Read the table and stay idle in the transaction, holding ACCESS SHARE."""
    s.run("BEGIN")
    s.run(f"SELECT 1 FROM {quoting.table(table)} LIMIT 1")


def install_trigger(s: PostgresSession, table: str, key: str, value: Any, name: str) -> None:
    """Make every UPDATE of that row wait while somebody else holds the advisory lock ``name``.

    The waiter takes the lock shared and for its transaction, so waiters never hold up one
    another. The function lives in the guard's schema, where no fingerprint sees it.
    """
    function = f"{GUARD_SCHEMA}.{quoting.name(name)}"
    s.run(f"CREATE SCHEMA IF NOT EXISTS {GUARD_SCHEMA}")
    s.run(
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
        f"PERFORM pg_advisory_xact_lock_shared({_key(name)}); RETURN NEW; END $body$"
    )
    s.run(
        f"CREATE TRIGGER {quoting.name(name)} BEFORE UPDATE ON {quoting.table(table)} FOR EACH ROW "
        f"WHEN (OLD.{quoting.name(key)} = {quoting.value(value)}) EXECUTE FUNCTION {function}()"
    )


def remove_trigger(s: PostgresSession, table: str, name: str) -> None:
    """Remove what ``install_trigger`` made; no error if it, or the table, is gone."""
    s.run(f"DROP TRIGGER IF EXISTS {quoting.name(name)} ON {quoting.table(table)}")
    s.run(f"DROP FUNCTION IF EXISTS {GUARD_SCHEMA}.{quoting.name(name)}()")


def take_lock(s: PostgresSession, name: str) -> None:
    """Take the advisory lock for this session, in this database; 55P03 if it is not had in 5 s.

    Both statements travel as one message, so the timeout is over with it; the lock stays.
    """
    s.run(f"SET LOCAL lock_timeout = '{TAKE_DEADLINE_S}s'; SELECT pg_advisory_lock({_key(name)})")


def drop_lock(s: PostgresSession, name: str) -> None:
    """Give the lock back; nothing happens if this session does not hold it."""
    s.run(f"SELECT pg_advisory_unlock({_key(name)})")


def lock_holder(s: PostgresSession, name: str) -> int | None:
    """The session that holds the lock, in the session's own database first, then in any."""
    holder = s.run(HOLDER, (name,)).scalar()
    return None if holder is None else int(holder)


def end_transaction(s: PostgresSession) -> None:
    """ROLLBACK; row and table locks are free at once, session-level advisory locks are not."""
    s.run("ROLLBACK")


def _key(name: str) -> str:
    return f"hashtextextended({quoting.value(name)}, 0)"

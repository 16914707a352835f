"""What holds any statement of PostgreSQL amid its work: a sweep strikes it there.

DDL is held by an event trigger of ours at its very end, when all of its work is done and none of it
is committed. What works CONCURRENTLY is held in each of its own waits, for there it has left
something behind. Anything else is held by the tables and sequences that it is about to use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.databases import GUARD_SCHEMA

HOLDS_THE_SERVER = False
"""Whether what is taken is a lock of the whole server or of one database."""

QUEUES = True
"""Who asks for a lock behind a statement has it at the very moment of its commit."""

KEY = "1835299436, 1"
"""Two numbers are a key space of their own, beside that of the one number which tools use."""

TRIGGER = "mdrill_hold"

PREPARE = f"""
SET LOCAL session_replication_role = replica;
CREATE SCHEMA IF NOT EXISTS {GUARD_SCHEMA};
CREATE OR REPLACE FUNCTION {GUARD_SCHEMA}.hold() RETURNS event_trigger LANGUAGE plpgsql AS $hold$
BEGIN
  PERFORM pg_catalog.pg_advisory_lock_shared({KEY});
  PERFORM pg_catalog.pg_advisory_unlock_shared({KEY});
END $hold$;
DROP EVENT TRIGGER IF EXISTS {TRIGGER};
CREATE EVENT TRIGGER {TRIGGER} ON ddl_command_end EXECUTE FUNCTION {GUARD_SCHEMA}.hold();
ALTER EVENT TRIGGER {TRIGGER} ENABLE ALWAYS
"""
"""The lock is given back at once, so whoever passes holds nothing up later in its transaction. As a
replica the session fires none of the user's own event triggers."""

CLEAR = f"""
SET LOCAL session_replication_role = replica;
DROP EVENT TRIGGER IF EXISTS {TRIGGER}; DROP FUNCTION IF EXISTS {GUARD_SCHEMA}.hold()
"""

LOCK_END = f"SELECT pg_advisory_lock({KEY})"
"""Taken by a session that is idle then: one in a transaction would stop an index build earlier."""

USER_SPACES = (
    "relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, "
    "'pg_toast'::regnamespace)"
)
USER_TABLES = f"relkind IN ('r', 'p') AND {USER_SPACES}"

LOCK_TABLES = f"""
DO $hold$ DECLARE named regclass; part regclass; BEGIN
  SET LOCAL lock_timeout = '1ms';
  FOR named IN SELECT oid FROM pg_class WHERE {USER_TABLES} LOOP
    BEGIN EXECUTE format('LOCK TABLE %s IN {{mode}} MODE NOWAIT', named);
    EXCEPTION WHEN lock_not_available THEN
      FOR part IN SELECT indexrelid FROM pg_index WHERE indrelid = named LOOP
        BEGIN EXECUTE format('ALTER INDEX %s SET TABLESPACE pg_default', part);
        EXCEPTION WHEN lock_not_available THEN NULL; END;
      END LOOP;
    END;
  END LOOP;
END $hold$
"""
"""A table that the migration has locked already is held by its indexes: to name the tablespace
that they have changes nothing and takes their exclusive lock, which is released with the rest."""

LOCK_SEQUENCES = f"""
DO $hold$ DECLARE named regclass; whose name; BEGIN
  SET LOCAL lock_timeout = '1ms';
  FOR named, whose IN SELECT oid, pg_get_userbyid(relowner) FROM pg_class
      WHERE relkind = 'S' AND {USER_SPACES} LOOP
    BEGIN EXECUTE format('ALTER SEQUENCE %s OWNER TO %I', named, whose);
    EXCEPTION WHEN lock_not_available THEN NULL; END;
  END LOOP;
END $hold$
"""
"""No LOCK takes a sequence; to name the owner that it has changes nothing, and takes its lock."""

CATALOGS = (
    *("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_depend"),
    *("pg_type", "pg_enum", "pg_proc", "pg_trigger", "pg_rewrite", "pg_namespace", "pg_sequence"),
    *("pg_extension", "pg_policy", "pg_description", "pg_inherits", "pg_statistic_ext"),
    *("pg_event_trigger", "pg_largeobject"),
)
"""Whatever changes the schema writes to one of these; and where no event tells of it, in the last
two as well."""

SHARED_CATALOGS = (
    *("pg_authid", "pg_auth_members", "pg_database", "pg_db_role_setting", "pg_tablespace"),
    *("pg_shdescription", "pg_shseclabel", "pg_parameter_acl"),
)
"""Of the whole server, so they are only taken for what is about such things."""

LOCK_CATALOGS = """
DO $hold$ DECLARE named text; BEGIN
  SET LOCAL lock_timeout = '{wait}';
  FOREACH named IN ARRAY ARRAY[{names}] LOOP
    BEGIN EXECUTE format('LOCK TABLE pg_catalog.%I IN SHARE MODE', named);
    EXCEPTION WHEN lock_not_available OR undefined_table THEN NULL; END;
  END LOOP;
END $hold$
"""

DDL = frozenset(
    {"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "REFRESH", "REINDEX", "SECURITY"}
    | {"IMPORT"}
)
NO_EVENT = re.compile(r"\b(DATABASE|ROLE|USER|GROUP|TABLESPACE|EVENT TRIGGER|SYSTEM)$")
"""Kinds of objects that no event trigger is told of."""

ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})
COMMITS = re.compile(r"\b(COMMIT|ROLLBACK)\b", re.IGNORECASE)
CALLS = re.compile(r"\bCALL\s+((?:[\w$]+|\"[^\"]+\")(?:\s*\.\s*(?:[\w$]+|\"[^\"]+\"))*)", re.I)
PROCEDURE = re.compile(
    r"\bPROCEDURE\s+((?:[\w$]+|\"[^\"]+\")(?:\s*\.\s*(?:[\w$]+|\"[^\"]+\"))*)", re.I
)
PROCEDURES = "SELECT 'PROCEDURE ' || proname || ' ' || prosrc FROM pg_proc WHERE prokind = 'p'"

DETACHES = re.compile(r"\bDETACH\s+PARTITION\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
WRITER, SNAPSHOT = "writer", "snapshot"
WAITS: dict[str, tuple[str, ...]] = {
    "CREATE INDEX CONCURRENTLY": (WRITER, WRITER, SNAPSHOT),
    "DROP INDEX CONCURRENTLY": (WRITER, WRITER),
    "REINDEX CONCURRENTLY": (WRITER, WRITER, SNAPSHOT, WRITER, WRITER),
    "DETACH PARTITION CONCURRENTLY": (WRITER, WRITER),
}
"""What each statement waits for, in that order; between any two of its waits it commits. Seen on
PostgreSQL 18: before an index is built, before it is checked, for older snapshots; a new one takes
the place of the old; the old one is marked dead, and dropped."""

LOCK_OF = {
    WRITER: "BEGIN;" + LOCK_TABLES.split("EXCEPTION")[0].format(mode="ROW EXCLUSIVE")
    + "EXCEPTION WHEN lock_not_available THEN NULL; END; END LOOP; END $hold$",
    SNAPSHOT: "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
}  # fmt: skip

MOST_PARTS = 16
"""Tables of which each is held by a session of its own."""


def waits(s: PostgresSession, statements: Sequence[tuple[str, str]], texts: Iterable[str]) -> int:
    """How often the message can be held: once, or in each wait of its statement, or after a commit
    of its own as well. ``texts`` are what its run sends, which may make the procedure that it
    calls.
    """
    if len(statements) == 1 and (concurrent := WAITS.get(_concurrent(*statements[0]), ())):
        return len(concurrent)
    kinds = [kind for kind, _ in statements]
    if any(kind in ENDS for kind in kinds[:-1]):
        return 1 + sum(kind in ENDS for kind in kinds[:-1])
    texts = list(texts)
    return 1 + any(_commits(s, kind, sql, texts) for kind, sql in statements)


def prepare(s: PostgresSession) -> None:
    """Before the run: what stops DDL at its end, once somebody holds the lock."""
    s.run(PREPARE)


def clear(s: PostgresSession) -> None:
    """After the run: nothing of ours is left. No error if it is gone."""
    s.run(CLEAR)


def hold(s: PostgresSession, kind: str, sql: str, wait: int = 1, *, again: bool = False) -> None:
    """Make the statement wait, until this session ends, where its ``wait``-th hold is.

    The holder of a later wait is taken while the statement stands in the one before. ``again``: the
    usual lock did not hold it; then by every table and catalogue that it may write to.
    """
    concurrent = WAITS.get(_concurrent(kind, sql), ())
    if concurrent and not again:
        s.run(LOCK_OF[concurrent[wait - 1]])
        return
    has_end = kind.partition(" ")[0] in DDL and not NO_EVENT.search(kind)
    if has_end and not again:
        s.run(LOCK_END)
        return
    s.run(LOCK_END)
    s.run("SET session_replication_role = replica")
    s.run("BEGIN")
    if again or NO_EVENT.search(kind):
        s.run(_catalogs(CATALOGS, "1ms"))
    if not has_end and (again or NO_EVENT.search(kind)):
        s.run(_catalogs(SHARED_CATALOGS, "5s"))
    if again:
        s.run(LOCK_TABLES.format(mode="ACCESS EXCLUSIVE"))
    s.run(LOCK_TABLES.format(mode="SHARE"))
    s.run(LOCK_SEQUENCES)


def parts(s: PostgresSession, kind: str, sql: str) -> Sequence[str]:
    """Locks, each for a session of its own, that hold a message which commits by itself; none for
    what waits by itself.
    """
    if _concurrent(kind, sql) in WAITS:
        return []
    tables = s.run(f"SELECT oid::regclass FROM pg_class WHERE {USER_TABLES} ORDER BY oid").rows
    locks = [f"BEGIN; LOCK TABLE ONLY {table} IN SHARE MODE" for (table,) in tables[:MOST_PARTS]]
    return [LOCK_END, *locks]


def take_part(s: PostgresSession, part: str) -> None:
    """Take one of those locks, until the session ends."""
    s.run(part)


def transaction_of(s: PostgresSession, pid: int) -> str:
    """The transaction in which the session is; another one after a COMMIT. "" outside of any."""
    sql = "SELECT virtualtransaction FROM pg_locks WHERE pid = %s LIMIT 1"
    return str(s.run(sql, (pid,)).scalar() or "")


def _catalogs(names: Sequence[str], wait: str) -> str:
    return LOCK_CATALOGS.format(wait=wait, names=", ".join(f"'{name}'" for name in names))


def _concurrent(kind: str, sql: str) -> str:
    if kind == "ALTER TABLE" and DETACHES.search(sql):
        return "DETACH PARTITION CONCURRENTLY"
    if kind.startswith("REINDEX") and kind.endswith("CONCURRENTLY"):
        return "REINDEX CONCURRENTLY"
    return kind


def _commits(s: PostgresSession, kind: str, sql: str, texts: Sequence[str]) -> bool:
    """Whether it commits by its text, or a procedure that it calls, or one that this calls."""
    if kind not in ("CALL", "DO"):
        return False
    if kind == "DO" and COMMITS.search(sql):
        return True
    bodies = [*texts, *(str(row[0]) for row in s.run(PROCEDURES).rows)]
    seen: set[str] = set()
    todo = _names(CALLS, sql)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for body in (body for body in bodies if name in _names(PROCEDURE, body)):
            if COMMITS.search(body):
                return True
            todo |= _names(CALLS, body)
    return False


def _names(pattern: re.Pattern[str], sql: str) -> set[str]:
    """The names, without their schemas."""
    return {found.rpartition(".")[2].strip().strip('"').lower() for found in pattern.findall(sql)}

"""What was written to a PostgreSQL database so far, by the server's own count.

The server counts every row that is inserted, updated or deleted, by table and for its catalogues as
well, also where a transaction is rolled back. A session hands its counts over before it is no
longer listed, and a copy of a database begins at 0. A rewritten or truncated table has another row
in pg_class. After a crash the counts are gone, and with them the time at which the server's
processes began.
"""

from __future__ import annotations

from dataclasses import replace

from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.snapshot_sql.spaces import USER_SPACES
from harness.ports.contents import Writes

FIRST_WITH_COUNTS_IN_MEMORY = 150000
"""Before version 15 they came from a process of their own, when it got round to it."""

HAND_OVER = "SELECT pg_stat_force_next_flush()"
"""What this session itself has written is counted at the end of this statement."""

COUNT = (
    "pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) "
    "+ pg_stat_get_tuples_deleted(c.oid)"
)

TABLES = f"""
SELECT n.nspname || '.' || c.relname, c.oid::bigint, {COUNT}, c.xmin::text
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm')
"""

CATALOGUES = f"""
SELECT c.relname::text, {COUNT}, pg_stat_get_live_tuples(c.oid)
FROM pg_class c
WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT c.relisshared
  AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data')
"""
"""All that defines objects; the planner's statistics are no definition. Live rows are those made
less those gone, by what was committed, and counted from 0 in a copy."""

FIRST_OF_USERS = 16384
DEFINES = (
    "relname, relnamespace, reltype, reloftype, relowner, relam, reltablespace, reltoastrelid, "
    "relhasindex, relpersistence, relkind, relnatts, relchecks, relhasrules, relhastriggers, "
    "relhassubclass, relrowsecurity, relforcerowsecurity, relispopulated, relreplident, "
    "relispartition, relacl, reloptions, relpartbound"
)
PLACES = (
    "oid, relfilenode, relpages, reltuples, relallvisible, relallfrozen, relisshared, relrewrite, "
    "relfrozenxid, relminmxid"
)
"""Of a row of pg_class what defines the relation, and what only tells where it lies and how large
it is: TRUNCATE writes the row, and changes no definition. Together they are all its columns."""

RELATIONS = f"""
SELECT COALESCE(sum(hashtextextended(ROW(oid, {DEFINES})::text, 0)::numeric), 0)::text
FROM pg_class WHERE oid >= {FIRST_OF_USERS}
"""

BEGAN = "SELECT max(backend_start)::text FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
BEFORE = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""No transaction with this number, or a higher one, is over yet."""

WHOLE = f"""
SELECT
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker')
  + (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
  ({BEGAN}), {BEFORE}, pg_stat_get_db_stat_reset_time(d.oid)::text,
  (SELECT sum({COUNT})::bigint FROM pg_class c WHERE c.oid IN
     ('pg_authid'::regclass, 'pg_auth_members'::regclass, 'pg_tablespace'::regclass)),
  jsonb_build_array(
    to_jsonb(d) - ARRAY['oid', 'datname', 'datfrozenxid', 'datminmxid', 'dathasloginevt'],
    (SELECT jsonb_agg(to_jsonb(r) - 'setdatabase' ORDER BY r.setrole) FROM pg_db_role_setting r
     WHERE r.setdatabase = d.oid),
    (SELECT jsonb_agg(s.description) FROM pg_shdescription s
     WHERE s.objoid = d.oid AND s.classoid = 'pg_database'::regclass),
    (SELECT jsonb_agg(jsonb_build_array(l.provider, l.label) ORDER BY l.provider)
     FROM pg_shseclabel l WHERE l.objoid = d.oid AND l.classoid = 'pg_database'::regclass),
    (SELECT jsonb_agg(to_jsonb(b) - ARRAY['oid', 'subdbid', 'subenabled', 'subskiplsn']
       ORDER BY b.subname) FROM pg_subscription b WHERE b.subdbid = d.oid))::text
FROM pg_database d WHERE d.datname = current_database()
"""
"""Who else is here, or has a transaction prepared; when the counts began; what belongs to the
database by its name and stands in catalogues of the whole server, which other databases' copies
change as well."""


def writes(s: PostgresSession) -> Writes | None:
    """The counts; None if they cannot be relied on: somebody else is connected, or the server is
    too old.
    """
    if s.server_version < FIRST_WITH_COUNTS_IN_MEMORY:
        return None
    s.run(HAND_OVER)
    others, began, before, reset, roles, own = s.run(WHOLE).rows[0]
    if others:
        return None
    catalogues = {name: (int(count), int(live)) for name, count, live in s.run(CATALOGUES).rows}
    tables: dict[str, tuple[tuple[int, int, str], ...]] = {}
    for name, oid, count, version in s.run(TABLES).rows:
        tables[name] = (*tables.get(name, ()), (int(oid), int(count), str(version)))
    tables["large objects"] = ((0, sum(catalogues["pg_largeobject"]), ""),)
    relations = str(s.run(RELATIONS).scalar())
    return Writes(
        str(began), int(before), str(reset or ""), catalogues, relations, f"{roles} {own}", tables
    )


def in_a_copy(s: PostgresSession, template: Writes) -> Writes:
    """The counts with which a copy begins that was made just now, and nobody has entered yet."""
    began, before = s.run(f"SELECT ({BEGAN}), {BEFORE}").rows[0]
    tables = {
        name: tuple((oid, 0, version) for oid, _, version in entries)
        for name, entries in template.tables.items()
    }
    return replace(
        template,
        began=str(began),
        before=int(before),
        reset="",
        catalogues=dict.fromkeys(template.catalogues, (0, 0)),
        tables=tables,
    )


def defined_alike(s: PostgresSession, then: Writes, now: Writes) -> bool:
    """Whether no definition is another than then.

    In a catalogue that has as many rows as then, and none of them is new, no old one is gone: a
    CREATE that was rolled back has left none, nor has one that was dropped again.
    """
    if (then.whole, then.relations) != (now.whole, now.relations):
        return False
    had, none = then.catalogues, (0, 0)
    written = [name for name, count in now.catalogues.items() if had.get(name) != count]
    if any(had.get(name, none)[1] != now.catalogues[name][1] for name in written):
        return False
    new = [_is_new(name, then.before) for name in written]
    return not new or not s.run(f"SELECT {' OR '.join(new)}").scalar()


def _is_new(catalogue: str, before: int) -> str:
    """Whether there is a row in it that was not there then; relations of users are compared."""
    of_others = f" AND oid < {FIRST_OF_USERS}" if catalogue == "pg_class" else ""
    return f"EXISTS (SELECT FROM {catalogue} WHERE xmin::text::bigint >= {before}{of_others})"

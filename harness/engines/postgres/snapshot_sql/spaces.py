"""What every catalogue query of the snapshot begins with, and how they all spell the same thing."""

from __future__ import annotations

from harness.engines.postgres.databases import GUARD_SCHEMA

SETTINGS = """
SET LOCAL search_path = pg_catalog; SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 1;
SET LOCAL IntervalStyle = postgres; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL TimeZone = 'UTC';
SET LOCAL quote_all_identifiers = off; SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = content;
"""
"""On which texts depend; they end with the message, which is one transaction. A user's database
may have settings of its own, and a name is written without its schema if the path leads there."""

USER_SPACES = f"""
SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', '{GUARD_SCHEMA}')
"""

FIRST_OF_USERS = 16384
"""An object with a lower number came with the server."""

SPACES = f"""
WITH n AS MATERIALIZED ({USER_SPACES}),
bond AS MATERIALIZED (
  SELECT classid, objid, objsubid, refobjid, deptype FROM pg_depend
  WHERE deptype IN ('e', 'x')
    OR deptype = 'i' AND classid IN ('pg_proc'::regclass, 'pg_cast'::regclass)),
member AS MATERIALIZED (SELECT classid, objid, refobjid, deptype FROM bond WHERE deptype <> 'x'),
t AS MATERIALIZED (
  SELECT c.*, n.nspname, n.nspname || '.' || c.relname AS named
  FROM pg_class c JOIN n ON n.oid = c.relnamespace
  WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)),
lax AS MATERIALIZED (
  SELECT conrelid, conkey[1] AS at, concat_ws(' ', CASE WHEN NOT convalidated THEN 'NOT VALID' END,
                                              CASE WHEN connoinherit THEN 'NO INHERIT' END) AS told
  FROM pg_constraint WHERE contype = 'n' AND (connoinherit OR NOT convalidated)),
imposed AS MATERIALIZED (
  SELECT DISTINCT split_part(one, '=', 1) AS option FROM pg_attribute, unnest(attoptions) AS one
  WHERE attrelid < {FIRST_OF_USERS})
"""
"""``n`` are the user's schemas, ``t`` all that has columns or a next value in them, ``member`` what
an extension brought along or the server made with a type; ``bond`` that, and what an extension's
end takes along; ``lax`` the NOT NULL constraints that do not bind every row; ``imposed`` options
that the server gives by itself, for columns of its own catalogue have them, too: Debian's 17.12
gives each new column a number."""


def own(alias: str, catalog: str) -> str:
    """The condition that a row of that catalogue is the user's and no extension's."""
    return (
        f"{alias}.oid >= {FIRST_OF_USERS} AND {alias}.oid NOT IN "
        f"(SELECT objid FROM member WHERE classid = '{catalog}'::regclass)"
    )


def owner(column: str) -> str:
    """Who owns it, by name."""
    return f"'OWNER ' || pg_get_userbyid({column})"


def options(column: str, text: str = "WITH") -> str:
    """The options of an array, whatever the order in which they were set; NULL if there are none.

    >>> options("t.reloptions")[:34]
    "CASE WHEN t.reloptions IS NOT NULL"
    """
    return (
        f"CASE WHEN {column} IS NOT NULL THEN '{text} (' || (SELECT string_agg(one, ', ' "
        f"ORDER BY one COLLATE \"C\") FROM unnest({column}) AS one) || ')' END"
    )


def routine(column: str, text: str) -> str:
    """A function by name and arguments; NULL if there is none."""
    return f"'{text} ' || NULLIF({column}::oid, 0)::regprocedure"

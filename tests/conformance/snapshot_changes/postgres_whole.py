"""Changes of what a PostgreSQL database has as a whole, and of rights and comments."""

from __future__ import annotations

from snapshot_changes.model import Change, change
from snapshot_changes.postgres_programs import (
    COMPOSITE,
    CONFIG,
    DICTIONARY,
    DOMAIN,
    ENUM,
    EQ,
    OPERATOR,
    PARSER,
    PROCEDURE,
    F,
)  # fmt: skip
from snapshot_changes.postgres_tables import (
    FN,
    IX,
    MATVIEW,
    POLICY,
    RULE,
    SEQUENCE,
    SINCE_15,
    SINCE_18,
    STATS,
    TRIGGER,
    VIEW,
    T,
)  # fmt: skip


def _available(extension: str) -> tuple[str, str]:
    asked = f"SELECT count(*) FROM pg_available_extensions WHERE name = '{extension}'"
    return asked, f"the extension {extension}"


WRAPPER = "CREATE FOREIGN DATA WRAPPER {W}"
SERVER = "CREATE SERVER {X} TYPE 'old' VERSION '1' FOREIGN DATA WRAPPER {W} OPTIONS (host 'a')"
FOREIGN = "CREATE FOREIGN TABLE {t} ({A} integer OPTIONS (c 'd')) SERVER {X} OPTIONS (a 'b')"
USER = "CREATE USER MAPPING FOR {one} SERVER {X} OPTIONS (usr 'a', password 'secret')"
PUBLICATION = "CREATE PUBLICATION {P} FOR TABLE {t}"
SUBSCRIPTION = (
    "CREATE SUBSCRIPTION {S} CONNECTION 'host=nowhere password=secret' PUBLICATION a "
    "WITH (connect = false, slot_name = 'a')"
)
EVENT_FN = "CREATE FUNCTION {f}() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END'"
EVENT = "CREATE EVENT TRIGGER {E} ON ddl_command_end EXECUTE FUNCTION {f}()"
LARGE = "SELECT lo_from_bytea({n}, 'abc')"

WHOLE = (
    change("a schema is created", (), "CREATE SCHEMA {S}", new="schema {S:key}",
           back="DROP SCHEMA {S}"),
    change("a schema gets another name", "CREATE SCHEMA {S}", "ALTER SCHEMA {S} RENAME TO {R}",
           gone="schema {S:key}", new="schema {R:key}"),
    change("a schema has another owner", "CREATE SCHEMA {S}", "ALTER SCHEMA {S} OWNER TO {one}",
           changed="schema {S:key}"),
    change("the database has a setting", (), "ALTER DATABASE {database} SET work_mem = '5MB'",
           new="setting work_mem", back="ALTER DATABASE {database} RESET work_mem"),
    change("the database has a setting for one role", (),
           "ALTER ROLE {one} IN DATABASE {database} SET work_mem = '6MB'",
           new="setting work_mem of {one:key}",
           back="ALTER ROLE {one} IN DATABASE {database} RESET work_mem"),
    change("the database has another owner", (), "ALTER DATABASE {database} OWNER TO {one}",
           changed="database itself", back="ALTER DATABASE {database} OWNER TO {me}"),
    change("the database lets fewer in", (), "ALTER DATABASE {database} CONNECTION LIMIT 50",
           changed="database itself", back="ALTER DATABASE {database} CONNECTION LIMIT -1"),
    change("the database has a comment", (), "COMMENT ON DATABASE {database} IS 'it'",
           new="comment on database", back="COMMENT ON DATABASE {database} IS NULL"),
    change("an event trigger is created", EVENT_FN, EVENT, new="event trigger {E:key}",
           back="DROP EVENT TRIGGER {E}"),
    change("an event trigger is off", (EVENT_FN, EVENT), "ALTER EVENT TRIGGER {E} DISABLE",
           changed="event trigger {E:key}"),
    change("an event trigger is for some commands", (EVENT_FN, EVENT),
           ("DROP EVENT TRIGGER {E}",
            EVENT.replace("EXECUTE", "WHEN TAG IN ('DROP VIEW') EXECUTE")),
           changed="event trigger {E:key}"),
    change("an event trigger has another owner", (EVENT_FN, EVENT),
           "ALTER EVENT TRIGGER {E} OWNER TO {me_too}", changed="event trigger {E:key}"),
    change("an extension is created", (), "CREATE EXTENSION hstore SCHEMA {t:space}",
           new="extension hstore", back="DROP EXTENSION hstore", needs=_available("hstore")),
    change("an extension moves to another schema",
           ("DROP EXTENSION IF EXISTS citext", "CREATE SCHEMA {S}",
            "CREATE EXTENSION citext SCHEMA {t:space}"),
           "ALTER EXTENSION citext SET SCHEMA {S}", changed="extension citext",
           back="ALTER EXTENSION citext SET SCHEMA {t:space}", needs=_available("citext")),
    change("an extension is dropped", "CREATE EXTENSION IF NOT EXISTS isn SCHEMA {t:space}",
           "DROP EXTENSION isn", gone="extension isn", needs=_available("isn")),
    change("an extension has a function more",
           (F, "CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA {t:space}"),
           "ALTER EXTENSION unaccent ADD FUNCTION {f}(integer)", gone="function {f:key}(integer)",
           changed="extension unaccent", back="ALTER EXTENSION unaccent DROP FUNCTION {f}(integer)",
           needs=_available("unaccent")),
    change("an extension has another comment", (), "COMMENT ON EXTENSION plpgsql IS 'mine'",
           changed="extension plpgsql",
           back="COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language'"),
    change("an extension's function may be called by fewer",
           "CREATE EXTENSION IF NOT EXISTS fuzzystrmatch",
           "REVOKE EXECUTE ON FUNCTION soundex(text) FROM PUBLIC",
           new="grant on function {extension}soundex(pg_catalog.text)",
           back="GRANT EXECUTE ON FUNCTION soundex(text) TO PUBLIC",
           needs=_available("fuzzystrmatch")),
    change("a function goes with an extension", F,
           "ALTER FUNCTION {f}(integer) DEPENDS ON EXTENSION plpgsql",
           new="dependence of function {f:told}(integer) on extension plpgsql",
           back="ALTER FUNCTION {f}(integer) NO DEPENDS ON EXTENSION plpgsql"),
)  # fmt: skip

REPLICATION = (
    change("a publication is created", T, PUBLICATION, new="publication {P:key}",
           back="DROP PUBLICATION {P}"),
    change("a publication is of one table more", (T, PUBLICATION, "CREATE TABLE {u} ()"),
           "ALTER PUBLICATION {P} ADD TABLE {u}", changed="publication {P:key}",
           back="ALTER PUBLICATION {P} DROP TABLE {u}"),
    change("a publication is of all tables", (), "CREATE PUBLICATION {P} FOR ALL TABLES",
           new="publication {P:key}", back="DROP PUBLICATION {P}"),
    change("a publication is of a schema", (T, "CREATE SCHEMA {S}", PUBLICATION),
           "ALTER PUBLICATION {P} ADD TABLES IN SCHEMA {S}", changed="publication {P:key}",
           needs=SINCE_15),
    change("a publication is of some rows", (T, PUBLICATION),
           "ALTER PUBLICATION {P} SET TABLE {t} WHERE ({A} > {n})", changed="publication {P:key}",
           needs=SINCE_15),
    change("a publication is of some columns", (T, PUBLICATION),
           "ALTER PUBLICATION {P} SET TABLE {t} ({B})", changed="publication {P:key}",
           needs=SINCE_15),
    *(
        change(f"a publication {what}", (T, PUBLICATION), f"ALTER PUBLICATION {{P}} {sql}",
               changed="publication {P:key}")
        for what, sql in (("tells less", "SET (publish = 'insert')"),
                          ("goes by the root", "SET (publish_via_partition_root = true)"),
                          ("has another owner", "OWNER TO {me_too}"))
    ),
    change("a publication tells generated columns", (T, PUBLICATION),
           "ALTER PUBLICATION {P} SET (publish_generated_columns = stored)",
           changed="publication {P:key}", needs=SINCE_18),
    change("a subscription is created", (), SUBSCRIPTION, new="subscription {S:key}",
           back=("ALTER SUBSCRIPTION {S} SET (slot_name = NONE)", "DROP SUBSCRIPTION {S}")),
    change("a subscription is to another publication", SUBSCRIPTION,
           "ALTER SUBSCRIPTION {S} SET PUBLICATION b WITH (refresh = false)",
           changed="subscription {S:key}"),
    change("a subscription is to another server", SUBSCRIPTION,
           "ALTER SUBSCRIPTION {S} CONNECTION 'host=elsewhere password=secret'",
           changed="subscription {S:key}"),
    change("a subscription's password is another", SUBSCRIPTION,
           "ALTER SUBSCRIPTION {S} CONNECTION 'host=nowhere password=''other one'''"),
    change("a subscription has other options", SUBSCRIPTION,
           "ALTER SUBSCRIPTION {S} SET (binary = true)", changed="subscription {S:key}"),
)  # fmt: skip

ELSEWHERE = (
    change("a foreign data wrapper is created", (), WRAPPER, new="foreign data wrapper {W:key}",
           back="DROP FOREIGN DATA WRAPPER {W}"),
    change("a foreign data wrapper has options", WRAPPER,
           "ALTER FOREIGN DATA WRAPPER {W} OPTIONS (a 'b')",
           changed="foreign data wrapper {W:key}"),
    change("a foreign data wrapper checks", WRAPPER,
           "ALTER FOREIGN DATA WRAPPER {W} VALIDATOR postgresql_fdw_validator",
           changed="foreign data wrapper {W:key}"),
    change("a foreign data wrapper has another owner", WRAPPER,
           "ALTER FOREIGN DATA WRAPPER {W} OWNER TO {me_too}",
           changed="foreign data wrapper {W:key}"),
    change("a server is created", WRAPPER, SERVER, new="server {X:key}", back="DROP SERVER {X}"),
    change("a server has another version", (WRAPPER, SERVER), "ALTER SERVER {X} VERSION '2'",
           changed="server {X:key}"),
    change("a server has other options", (WRAPPER, SERVER),
           "ALTER SERVER {X} OPTIONS (SET host 'b')",
           changed="server {X:key}", back="ALTER SERVER {X} OPTIONS (SET host 'a')"),
    change("a server has another owner", (WRAPPER, SERVER), "ALTER SERVER {X} OWNER TO {me_too}",
           changed="server {X:key}"),
    change("a user mapping is created", (WRAPPER, SERVER), USER,
           new="user mapping for {one:key} server {X:key}",
           back="DROP USER MAPPING FOR {one} SERVER {X}"),
    change("a user mapping is to another user", (WRAPPER, SERVER, USER),
           "ALTER USER MAPPING FOR {one} SERVER {X} OPTIONS (SET usr 'b')",
           changed="user mapping for {one:key} server {X:key}"),
    change("a user mapping has another password, which nobody may see", (WRAPPER, SERVER, USER),
           "ALTER USER MAPPING FOR {one} SERVER {X} OPTIONS (SET password 'other')"),
    change("a foreign table is created", (WRAPPER, SERVER), FOREIGN,
           new=("table {t:key}", "column {t:key}.{A:key}"), back="DROP FOREIGN TABLE {t}"),
    change("a foreign table has other options", (WRAPPER, SERVER, FOREIGN),
           "ALTER FOREIGN TABLE {t} OPTIONS (SET a 'c')", changed="table {t:key}"),
    change("a foreign table's column has other options", (WRAPPER, SERVER, FOREIGN),
           "ALTER FOREIGN TABLE {t} ALTER {A} OPTIONS (SET c 'e')",
           changed="column {t:key}.{A:key}"),
    change("a large object is written", "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
           LARGE, new="large objects",
           back="SELECT lo_unlink({n})"),
    change("a large object is one more",
           ("SELECT lo_from_bytea({n} + 1, 'abc')",), LARGE, changed="large objects",
           contents="large objects", back=("SELECT lo_unlink({n})",)),
    change("a large object holds something else", LARGE, "SELECT lo_put({n}, 1, 'x')",
           contents="large objects"),
    change("a large object has another owner", LARGE, "ALTER LARGE OBJECT {n} OWNER TO {one}",
           changed="large objects"),
    change("a large object may be read", LARGE, "GRANT SELECT ON LARGE OBJECT {n} TO {one}",
           changed="large objects", back="REVOKE SELECT ON LARGE OBJECT {n} FROM {one}"),
)  # fmt: skip


def _granted(what: str, given: tuple[str, ...], on: str, key: str, right: str, to: str) -> Change:
    return change(f"somebody gets a right on {what}", given, f"GRANT {right} ON {on} TO {to}",
                  new=f"grant on {key}", back=f"REVOKE {right} ON {on} FROM {to}")  # fmt: skip


GRANTS = (
    *(
        _granted(*one, right=right, to=to)
        for one, right, to in (
            (("a table", (T,), "{t}", "table {t:key}"), "SELECT", "{one}"),
            (("a view", (T, VIEW), "{v}", "view {v:key}"), "SELECT", "PUBLIC"),
            (("a sequence", (SEQUENCE,), "SEQUENCE {s}", "sequence {s:key}"), "USAGE", "{one}"),
            (("a schema", ("CREATE SCHEMA {S}",), "SCHEMA {S}", "schema {S:key}"), "USAGE",
             "{two}"),
            (("a function", (F,), "FUNCTION {f}(integer)", "function {f:key}(integer)"), "EXECUTE",
             "{one}"),
            (("a procedure", (PROCEDURE,), "PROCEDURE {f}()", "procedure {f:key}()"), "EXECUTE",
             "{two}"),
            (("an enum", (ENUM,), "TYPE {y}", "type {y:key}"), "USAGE", "{one}"),
            (("a domain", (DOMAIN,), "DOMAIN {y}", "type {y:key}"), "USAGE", "{one}"),
            (("a language", ("CREATE TRUSTED LANGUAGE {L} HANDLER plpgsql_call_handler",),
              "LANGUAGE {L}", "language {L:key}"), "USAGE", "{one}"),
            (("a foreign data wrapper", (WRAPPER,), "FOREIGN DATA WRAPPER {W}",
              "foreign data wrapper {W:key}"), "USAGE", "{one}"),
            (("a server", (WRAPPER, SERVER), "FOREIGN SERVER {X}", "server {X:key}"), "USAGE",
             "{two}"),
            (("the database", (), "DATABASE {database}", "database"), "CREATE", "{one}"),
            (("a table of the server's own", (), "pg_catalog.pg_authid",
              "table pg_catalog.pg_authid"), "SELECT", "{one}"),
        )
    ),
    change("somebody gets a right on a column", T, "GRANT SELECT ({B}) ON {t} TO {one}",
           new="grant on column {t:key}.{B:key}", back="REVOKE SELECT ({B}) ON {t} FROM {one}"),
    change("somebody may hand a right on", (T, "GRANT SELECT ON {t} TO {one}"),
           "GRANT SELECT ON {t} TO {one} WITH GRANT OPTION", changed="grant on table {t:key}"),
    change("somebody else gets the same right", (T, "GRANT SELECT ON {t} TO {one}"),
           "GRANT SELECT ON {t} TO {two}", changed="grant on table {t:key}"),
    change("somebody loses a right", (T, "GRANT SELECT, DELETE ON {t} TO {one}"),
           "REVOKE DELETE ON {t} FROM {one}", changed="grant on table {t:key}"),
    change("everybody loses the right to call", F,
           "REVOKE ALL ON FUNCTION {f}(integer) FROM PUBLIC",
           new="grant on function {f:key}(integer)"),
    change("an owner loses his right", T, "REVOKE DELETE ON {t} FROM {me}",
           new="grant on table {t:key}", back="GRANT DELETE ON {t} TO {me}"),
    change("a right given and taken leaves no trace", T,
           ("GRANT SELECT ON {t} TO {one}", "REVOKE SELECT ON {t} FROM {one}")),
    change("a table with rights has another owner", (T, "GRANT SELECT ON {t} TO {one}"),
           "ALTER TABLE {t} OWNER TO {two}", changed=("table {t:key}", "grant on table {t:key}")),
    *(
        change(f"what comes later has rights: {what}", "CREATE SCHEMA {S}",
               f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{S}} GRANT {right} ON {what} TO {{one}}",
               new=f"grant on default {what.lower()} by {{me:key}} in {{S:told}}",
               back=f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{S}} REVOKE {right} ON {what} "
               "FROM {one}")
        for what, right in (("TABLES", "SELECT"), ("SEQUENCES", "USAGE"), ("FUNCTIONS", "EXECUTE"),
                            ("TYPES", "USAGE"))
    ),
    change("every later schema has rights", (),
           "ALTER DEFAULT PRIVILEGES FOR ROLE {two} GRANT USAGE ON SCHEMAS TO {one}",
           new="grant on default schemas by {two:key}",
           back="ALTER DEFAULT PRIVILEGES FOR ROLE {two} REVOKE USAGE ON SCHEMAS FROM {one}"),
)  # fmt: skip

HAS_KEY = "CREATE TABLE {t} ({A} integer, {B} text, CONSTRAINT {K} CHECK ({A} > 0))"

COMMENTED = (
    ((T,), "TABLE {t}", "table {t:told}"),
    ((T,), "COLUMN {t}.{A}", "table column {t:told}.{A:told}"),
    ((T, IX), "INDEX {i}", "index {i:told}"),
    ((HAS_KEY,), "CONSTRAINT {K} ON {t}", "table constraint {K:told} on {t:told}"),
    ((T, FN, TRIGGER), "TRIGGER {G} ON {t}", "trigger {G:told} on {t:told}"),
    ((T, RULE), "RULE {R} ON {t}", "rule {R:told} on {t:told}"),
    ((T, POLICY), "POLICY {P} ON {t}", "policy {P:told} on {t:told}"),
    ((T, STATS), "STATISTICS {s}", "statistics object {s:told}"),
    ((T, VIEW), "VIEW {v}", "view {v:told}"),
    ((T, VIEW), "COLUMN {v}.{A}", "view column {v:told}.{A:told}"),
    ((T, MATVIEW), "MATERIALIZED VIEW {v}", "materialized view {v:told}"),
    ((SEQUENCE,), "SEQUENCE {s}", "sequence {s:told}"),
    (("CREATE SCHEMA {S}",), "SCHEMA {S}", "schema {S:told}"),
    ((F,), "FUNCTION {f}(integer)", "function {f:told}(integer)"),
    ((PROCEDURE,), "PROCEDURE {f}()", "procedure {f:told}()"),
    ((ENUM,), "TYPE {y}", "type {y:told}"),
    ((COMPOSITE,), "COLUMN {y}.{A}", "composite type column {y:told}.{A:told}"),
    ((DOMAIN,), "DOMAIN {y}", "type {y:told}"),
    ((DOMAIN,), "CONSTRAINT {K} ON DOMAIN {y}", "domain constraint {K:told} on {y:told}"),
    ((ENUM, EQ, OPERATOR), "OPERATOR {t:space}.=== ({y}, {y})",
     "operator {y:toldspace}.===({y:told},{y:told})"),
    (("CREATE OPERATOR FAMILY {o} USING btree",), "OPERATOR FAMILY {o} USING btree",
     "operator family {o:told} USING btree"),
    ((ENUM, "CREATE TYPE {z} AS ENUM ('a', 'b')", "CREATE CAST ({y} AS {z}) WITH INOUT"),
     "CAST ({y} AS {z})", "cast ({y:told} AS {z:told})"),
    (("CREATE COLLATION {o} (LOCALE = 'C')",), "COLLATION {o}", "collation {o:told}"),
    (("CREATE CONVERSION {o} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",), "CONVERSION {o}",
     "conversion {o:told}"),
    ((CONFIG,), "TEXT SEARCH CONFIGURATION {x}", "text search configuration {x:told}"),
    ((DICTIONARY,), "TEXT SEARCH DICTIONARY {d}", "text search dictionary {d:told}"),
    ((PARSER,), "TEXT SEARCH PARSER {x}", "text search parser {x:told}"),
    (("CREATE LANGUAGE {L} HANDLER plpgsql_call_handler",), "LANGUAGE {L}", "language {L:told}"),
    (("CREATE ACCESS METHOD {M} TYPE TABLE HANDLER heap_tableam_handler",), "ACCESS METHOD {M}",
     "access method {M:told}"),
    ((WRAPPER,), "FOREIGN DATA WRAPPER {W}", "foreign-data wrapper {W:told}"),
    ((WRAPPER, SERVER), "SERVER {X}", "server {X:told}"),
    ((T, PUBLICATION), "PUBLICATION {P}", "publication {P:told}"),
    ((SUBSCRIPTION,), "SUBSCRIPTION {S}", "subscription {S:told}"),
    ((EVENT_FN, EVENT), "EVENT TRIGGER {E}", "event trigger {E:told}"),
    ((LARGE,), "LARGE OBJECT {n}", "large object {n}"),
)  # fmt: skip

COMMENTS = (
    *(
        change(f"there is a comment on {key.partition(' {')[0]}", given, f"COMMENT ON {on} IS 'so'",
               new=f"comment on {key}", back=f"COMMENT ON {on} IS NULL")
        for given, on, key in COMMENTED
    ),
    change("a comment says something else", (T, "COMMENT ON TABLE {t} IS 'so'"),
           "COMMENT ON TABLE {t} IS 'no'", changed="comment on table {t:told}"),
    change("a comment goes with its table", (T, "COMMENT ON TABLE {t} IS 'so'"), "DROP TABLE {t}",
           gone=("table {t:key}", "column {t:key}.{A:key}", "column {t:key}.{B:key}",
                 "comment on table {t:told}")),
    change("a table is labelled", T,
           "INSERT INTO pg_seclabel "
           "VALUES ({t:literal}::regclass, 'pg_class'::regclass, 0, 'a', 'b')",
           new="label of a on table {t:told}",
           back="DELETE FROM pg_seclabel WHERE objoid = {t:literal}::regclass"),
    change("the database is labelled", (),
           "INSERT INTO pg_shseclabel SELECT oid, 'pg_database'::regclass, 'a', 'b' "
           "FROM pg_database WHERE datname = current_database()",
           new="label of a on database", back="DELETE FROM pg_shseclabel"),
)  # fmt: skip

ALL = (*WHOLE, *REPLICATION, *ELSEWHERE, *GRANTS, *COMMENTS)

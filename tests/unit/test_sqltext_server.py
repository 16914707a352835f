"""What the cutter says about PostgreSQL is asked of a real server."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.backends.local import LocalBackend
from harness.engines.postgres import ENGINE
from harness.errors import DatabaseError
from harness.sqltext import must_be_alone, split
from harness.state.snapshot import take
from harness.waiting import until

DEADLINE_S = 60.0
IN_A_TRANSACTION = "25001"
"""active_sql_transaction: the statement cannot run inside a transaction block."""


@pytest.fixture(scope="module")
def connect():
    """Opens sessions on a server of this module's own."""
    backend = LocalBackend("tests")
    missing = backend.available() or backend.cannot_run(ENGINE.recipe)
    if missing:
        pytest.skip(missing)
    server = backend.start(ENGINE.recipe)

    def opened(database=ENGINE.databases.maintenance):
        return ENGINE.connector.connect(server.address(), database, application="sqltext")

    def answers():
        try:
            return opened()
        except DatabaseError:
            return None

    try:
        until("the server to answer", DEADLINE_S, answers).close()
        yield opened
    finally:
        server.destroy()


FILE = r"""
-- a migration with every trap; none of these ; cut
CREATE TABLE t (id int PRIMARY KEY, "semi;colon" text DEFAULT 'a;''b');
CREATE TABLE u (v text);
INSERT INTO t VALUES (1, E'it\'s; \\'), (2, U&'\003B;\\'), (3, $x$ ; $$ ' $x$),
  (4, E'first'
      '\'; second'), (5, 'C:\');
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
  SELECT 1 AS end;
  SELECT CASE WHEN a > 0 THEN (SELECT count(*) FROM t) ELSE 2 END; /* ; /* nested */ ; */
END;
CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO u VALUES ($q$;$q$); RETURN NEW;
END $body$;;
CREATE TRIGGER g AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION g();
CREATE RULE r AS ON DELETE TO u DO ALSO (UPDATE t SET id = id + 10; UPDATE t SET id = id - 10);
DELETE FROM u;
DO $$ BEGIN PERFORM f(1); END $$;
COMMENT ON TABLE u IS 'last; no semicolon after it'"""

STATE = """
SELECT string_agg(pg_get_functiondef(oid), E'\n' ORDER BY proname) FROM pg_proc
  WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT string_agg(definition, '') FROM pg_rules WHERE schemaname = 'public'
UNION ALL SELECT string_agg(t::text, E'\n' ORDER BY id) FROM t
UNION ALL SELECT string_agg(u::text, E'\n') FROM u
UNION ALL SELECT obj_description('u'::regclass)
"""


def test_the_pieces_do_what_the_whole_does(connect):
    """A file sent as one message and the same file sent piece by piece leave equal databases."""
    states = []
    for name in ("whole", "pieces"):
        with_databases = connect()
        ENGINE.databases.create(with_databases, name)
        with_databases.close()
        session = connect(name)
        for sql in [FILE] if name == "whole" else [s.text for s in split(FILE, "postgres")]:
            session.run_file(sql)
        states.append((take(ENGINE, session), session.run(STATE).rows))
        session.close()
    assert states[0] == states[1]
    assert len(split(FILE, "postgres")) == 10


TEXTS = st.text(st.sampled_from(list("a;'\"$-/*\\ \n(")), max_size=9)
LITERALS = st.one_of(
    TEXTS.map(lambda s: "'" + s.replace("'", "''") + "'"),
    TEXTS.map(lambda s: "E'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    TEXTS.map(lambda s: "E'x'\n  -- ; '\n  '" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    TEXTS.map(lambda s: "$q$" + s.rstrip("$") + "$q$"),
    TEXTS.map(lambda s: "U&'" + s.replace("\\", "\\\\").replace("'", "''") + "'"),
    TEXTS.map(lambda s: "/* /* " + s.replace("*", "").replace("/", "") + "*/; */ 'c'"),
    TEXTS.map(lambda s: "-- " + s.replace("\n", "") + "\n 'd'"),
    TEXTS.map(lambda s: "(SELECT 'e' AS \"n" + s.replace('"', '""') + '")'),
)


def test_the_server_reads_generated_literals_alike(connect):
    """Rows inserted by a whole file and by its pieces are the same, literal by literal."""
    session = connect()
    session.run("CREATE TEMP TABLE seen (id int GENERATED ALWAYS AS IDENTITY, v text)")

    def rows():
        found = session.run("SELECT v FROM seen ORDER BY id").rows
        session.run("TRUNCATE seen")
        return found

    @settings(max_examples=200)
    @given(st.lists(LITERALS, min_size=1, max_size=8))
    def alike(literals):
        text = "".join(f"INSERT INTO seen (v) VALUES ({literal});\n" for literal in literals)
        session.run_file(text)
        whole = rows()
        pieces = split(text, "postgres")
        for piece in pieces:
            session.run(piece.text)
        assert (len(pieces), rows()) == (len(literals), whole)

    alike()
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE UNIQUE INDEX CONCURRENTLY i ON pg_class (oid)",
        "CREATE INDEX concurrently_named ON nowhere (a)",
        "DROP INDEX CONCURRENTLY nowhere",
        "DROP INDEX IF EXISTS nowhere",
        "REINDEX TABLE CONCURRENTLY nowhere",
        "REINDEX (CONCURRENTLY) INDEX nowhere",
        "REINDEX (VERBOSE, CONCURRENTLY on) INDEX nowhere",
        "REINDEX (CONCURRENTLY false) TABLE nowhere",
        "REINDEX TABLE nowhere",
        "REINDEX SCHEMA public",
        "REINDEX (VERBOSE) SCHEMA public",
        "REINDEX DATABASE postgres",
        "REINDEX SYSTEM postgres",
        "VACUUM",
        "VACUUM (FULL) pg_class",
        "ANALYZE",
        "CREATE DATABASE x",
        "DROP DATABASE IF EXISTS nowhere",
        "ALTER DATABASE postgres SET TABLESPACE pg_default",
        "ALTER DATABASE postgres SET work_mem = '4MB'",
        "CREATE TABLESPACE x LOCATION '/nowhere'",
        "DROP TABLESPACE IF EXISTS nowhere",
        "ALTER SYSTEM SET work_mem = '4MB'",
        "CLUSTER",
        "CLUSTER VERBOSE",
        "CLUSTER (VERBOSE)",
        "CLUSTER nowhere",
        "CLUSTER (VERBOSE) nowhere",
        "ALTER TABLE parted DETACH PARTITION part CONCURRENTLY",
        "ALTER TABLE parted DETACH PARTITION part",
        "ALTER TYPE mood ADD VALUE 'x'",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY nowhere",
        "DISCARD ALL",
        "DISCARD PLANS",
        "COMMIT PREPARED 'x'",
        "ROLLBACK PREPARED 'x'",
        "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere dbname=x' PUBLICATION p",
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
        "DROP SUBSCRIPTION held",
        "ALTER SUBSCRIPTION held REFRESH PUBLICATION",
        "ALTER SUBSCRIPTION held SET PUBLICATION q",
        "ALTER SUBSCRIPTION held SET PUBLICATION q WITH (refresh = false)",
        "ALTER SUBSCRIPTION held DISABLE",
        "CHECKPOINT",
        "LOCK TABLE pg_class",
        "TRUNCATE nowhere",
    ],
)
def test_a_server_refuses_in_a_transaction_what_must_be_alone(connect, sql):
    """Each statement is tried in a transaction block; SQLSTATE 25001 means it must be alone."""
    session = connect()
    session.run("DROP TABLE IF EXISTS parted, part; DROP TYPE IF EXISTS mood")
    session.run("CREATE TABLE parted (a int) PARTITION BY LIST (a)")
    session.run("CREATE TABLE part PARTITION OF parted FOR VALUES IN (1)")
    session.run("CREATE TYPE mood AS ENUM ()")
    if not session.run("SELECT FROM pg_subscription WHERE subname = 'held'").rows:
        session.run(
            "CREATE SUBSCRIPTION held CONNECTION 'host=/nowhere dbname=x' PUBLICATION p "
            "WITH (connect = false, slot_name = 'held')"
        )
        session.run("ALTER SUBSCRIPTION held ENABLE")
    (statement,) = split(sql, "postgres")
    session.run("BEGIN")
    code = ""
    try:
        session.run(statement.text)
    except DatabaseError as refusal:
        code = refusal.code
    session.run("ROLLBACK")
    session.close()
    assert (must_be_alone(statement, "postgres") is not None) == (code == IN_A_TRANSACTION)

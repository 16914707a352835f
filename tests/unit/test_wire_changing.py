"""Which messages a run can be stopped at: those that can change something."""

from __future__ import annotations

import pytest

from harness.wire.changing import can_change

BOTH = ("postgres", "mysql")
CHANGE = (
    "INSERT INTO t VALUES (1)",
    "  \n-- a comment; COMMIT\n/* and SELECT */ create table t (a int)",
    "COMMIT",
    "commit;",
    "ROLLBACK",
    "ROLLBACK TO SAVEPOINT a",
    "END",
    "CALL p()",
    "DO 1",
    "EXECUTE s",
    "COPY t FROM STDIN",
    "SELECT 1; UPDATE t SET a = 1",
    "BEGIN; COMMIT",
    "SELECT ';'; DELETE FROM t",
    "SELECT a INTO b FROM t",
    "SELECT * FROM t INTO OUTFILE 'x'",
    "select pg_catalog.setval('s', 1)",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
    "EXPLAIN ANALYZE UPDATE t SET a = 1",
    "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t",
    "SET GLOBAL max_connections = 10",
    "SET @@GLOBAL.max_connections = 10",
    "SET PASSWORD = 'x'",
    "SET STATEMENT lock_wait_timeout = 1 FOR DROP TABLE t",
    "PREPARE TRANSACTION 'x'",
    "START REPLICA",
    "something new",
)
DO_NOT = (
    "",
    " ;; -- nothing",
    "SELECT 1",
    "(SELECT 1) UNION (SELECT 2)",
    "select pg_advisory_lock(1)",
    "SELECT GET_LOCK('x', 1)",
    "SELECT 'INSERT INTO t' AS a, \"into\" FROM t",
    "SELECT 1 INTO @a",
    "SELECT * FROM t FOR UPDATE",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "WITH x AS (SELECT 1) SELECT * FROM t FOR UPDATE",
    "WITH x AS (SELECT 1) SELECT * FROM t FOR NO KEY UPDATE",
    "EXPLAIN UPDATE t SET a = 1",
    "EXPLAIN ANALYZE SELECT 1",
    "SHOW TABLES",
    "SET search_path = x",
    "SET SESSION autocommit = 1",
    "SET @a = 'GLOBAL'",
    "VALUES (1)",
    "DESC t",
    "USE d",
    "BEGIN",
    "START TRANSACTION READ WRITE",
    "SAVEPOINT a",
    "RELEASE SAVEPOINT a",
    "DEALLOCATE s",
    "DISCARD ALL",
    "LISTEN a",
    "RESET ALL",
    "PREPARE s FROM 'DROP TABLE t'",
    "SELECT 1; SHOW TABLES; BEGIN",
)


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("sql", CHANGE)
def test_what_can_change_something_is_known(sql, protocol):
    """Also behind comments, brackets and other statements of its message."""
    assert can_change(sql, protocol)


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("sql", DO_NOT)
def test_what_only_reads_is_known(sql, protocol):
    """Also if it quotes words that would change something."""
    assert not can_change(sql, protocol)


@pytest.mark.parametrize(
    "sql, protocol, changes",
    [
        ("/*!40101 SET NAMES utf8mb4 */", "mysql", False),
        ("/*!40000 ALTER TABLE t DISABLE KEYS */", "mysql", True),
        ("/*M!100616 DROP TABLE t */", "mysql", True),
        ("/*! DROP TABLE t */ SELECT 1", "postgres", False),
        ("# DROP TABLE t\nSELECT 1", "mysql", False),
        ("SELECT 'it\\'s; DROP TABLE t'", "mysql", False),
        ("SELECT 'a\\'; DROP TABLE t", "postgres", True),
        ("SELECT E'it\\'s; DROP TABLE t'", "postgres", False),
        ("SELECT $q$; DROP TABLE t$q$, $$; DROP TABLE t$$", "postgres", False),
        ("SELECT `; DROP TABLE t` FROM u", "mysql", False),
        ("SELECT 1--1; DROP TABLE t", "mysql", True),
        ("SELECT 1--1; DROP TABLE t", "postgres", False),
        ("BEGIN NOT ATOMIC DROP TABLE t; END", "mysql", True),
    ],
)
def test_the_dialect_s_quotes_and_comments_count(sql, protocol, changes):
    """What is a literal or a comment in one dialect is code in the other."""
    assert can_change(sql, protocol) is changes

"""What kind of statement a slice is, and what is known about it before it is sent."""

from __future__ import annotations

import pytest

from harness.sqltext import is_transaction_control, must_be_alone, split

KINDS = [
    ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", "CREATE INDEX CONCURRENTLY"),
    ("create index concurrently_i ON t (a)", "CREATE INDEX"),
    ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"),
    ("ALTER /* x */ TABLE IF EXISTS ONLY t ADD x int", "ALTER TABLE"),
    ("CREATE TEMP TABLE view (a int)", "CREATE TABLE"),
    ("CREATE OR REPLACE FUNCTION f() RETURNS trigger AS 'x'", "CREATE FUNCTION"),
    ("CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t", "CREATE TRIGGER"),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW"),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "REFRESH MATERIALIZED VIEW CONCURRENTLY"),
    ("CREATE EVENT TRIGGER e ON x", "CREATE EVENT TRIGGER"),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x", "ALTER DEFAULT PRIVILEGES"),
    ("CREATE DEFINER = `a`@`b` SQL SECURITY INVOKER VIEW v AS SELECT 1", "CREATE VIEW"),
    ("/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER t x */", "CREATE TRIGGER"),
    ("REINDEX TABLE CONCURRENTLY t", "REINDEX TABLE CONCURRENTLY"),
    ("REINDEX (VERBOSE, CONCURRENTLY) INDEX i", "REINDEX INDEX CONCURRENTLY"),
    ("REINDEX (CONCURRENTLY false) INDEX i", "REINDEX INDEX"),
    ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
    ("INSERT INTO t VALUES (1)", "INSERT"),
    ("WITH x AS (SELECT 1) DELETE FROM t", "WITH"),
    ("ROLLBACK TO SAVEPOINT a", "ROLLBACK TO"),
    ("ROLLBACK WORK TO a", "ROLLBACK TO"),
    ("START TRANSACTION READ ONLY", "START TRANSACTION"),
    ("'text'", ""),
]


@pytest.mark.parametrize("sql, kind", KINDS)
def test_a_kind_is_the_first_keywords_without_what_does_not_change_it(sql, kind):
    """So that a report can say which statement it was, and a filter can ask for it."""
    (statement,) = split(sql, "mariadb")
    assert statement.kind == kind


@pytest.mark.parametrize(
    "sql",
    [
        *("BEGIN", "start transaction", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT a"),
        *("RELEASE SAVEPOINT a", "ROLLBACK TO a", "PREPARE TRANSACTION 'x'"),
        *("COMMIT PREPARED 'x'", "SET autocommit = 0", "XA START 'x'"),
    ],
)
def test_transaction_control_is_recognised(sql):
    """Whatever opens, ends or divides a transaction."""
    (statement,) = split(sql, "postgres")
    assert is_transaction_control(statement)


@pytest.mark.parametrize(
    "sql", ["SET TRANSACTION READ ONLY", "PREPARE p AS SELECT 1", "SELECT 'COMMIT'", "DO $$ $$"]
)
def test_other_statements_are_no_transaction_control(sql):
    """A name or a text that says COMMIT does not make one."""
    (statement,) = split(sql, "postgres")
    assert not is_transaction_control(statement)


def test_a_new_enum_value_needs_to_be_alone_before_12_only():
    """The rule changed in PostgreSQL 12; the caller may know an older server."""
    (statement,) = split("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok'", "postgres")
    assert must_be_alone(statement, "postgres") is None
    assert "ALTER TYPE ADD VALUE" in must_be_alone(statement, "postgres", server_major=11)


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_mysql_refuses_nothing_for_being_in_a_transaction(dialect):
    """Its DDL commits the transaction instead."""
    (statement,) = split("CREATE DATABASE x", dialect)
    assert must_be_alone(statement, dialect) is None

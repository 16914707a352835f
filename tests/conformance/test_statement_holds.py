"""A statement of any kind is held amid its work, and nothing of what holds it is ever seen."""

from __future__ import annotations

import pytest

from harness.errors import DatabaseError

LOGS = """
CREATE TYPE mood AS ENUM ('a');
CREATE SEQUENCE numbers;
CREATE TABLE logs (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE logs_25 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
"""
AT_THE_END = {
    "ALTER TABLE": "ALTER TABLE users ADD COLUMN phone varchar(20)",
    "CREATE TABLE": "CREATE TABLE later (id integer)",
    "ALTER TYPE": "ALTER TYPE mood ADD VALUE 'b'",
    "COMMENT": "COMMENT ON TABLE users IS 'people'",
    "GRANT": "GRANT SELECT ON users TO PUBLIC",
    "CREATE SCHEMA": "CREATE SCHEMA later",
    "DROP TABLE": "DROP TABLE notes",
}
BEFORE_THEIR_WORK = {
    "SELECT": "SELECT setval('numbers', 500)",
    "CREATE EVENT TRIGGER": "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION fires()",
    "TRUNCATE": "TRUNCATE loose",
    "UPDATE": "UPDATE users SET score = 1 WHERE id = -1",
}
FIRES = "CREATE FUNCTION fires() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"


@pytest.fixture
def holds(bench):
    """Of an engine whose DDL is undone with its transaction, with some objects more."""
    if "transactional-ddl" not in bench.engine.traits:
        pytest.skip("its DDL commits by itself")
    bench.connect().run(LOGS)
    bench.connect().run(FIRES)
    return bench.engine.statement_holds


def whole(bench):
    return bench.engine.snapshot.objects(bench.connect())


def test_nothing_of_it_is_seen(bench):
    """Neither while it is there nor afterwards, whatever rights new functions are given."""
    holds, session = bench.engine.statement_holds, bench.connect()
    if "transactional-ddl" in bench.engine.traits:
        session.run("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    before = whole(bench)
    for _ in range(2):
        holds.prepare(bench.connect())
    assert whole(bench) == before
    for _ in range(2):
        holds.clear(session)
    assert whole(bench) == before
    if "transactional-ddl" in bench.engine.traits:
        assert session.run("SELECT count(*) FROM pg_event_trigger").scalar() == 0
        ours = "SELECT count(*) FROM pg_proc WHERE prorettype = 'event_trigger'::regtype"
        assert session.run(f"{ours} AND oid >= 16384").scalar() == 0


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("kind", AT_THE_END)
def test_ddl_is_held_and_undone_as_a_whole(bench, holds, kind, again):
    """At its end; by the other locks at its beginning."""
    before, holder, tool = whole(bench), bench.connect("hold"), bench.connect("tool")
    holds.prepare(holder)
    holds.hold(holder, kind, AT_THE_END[kind], again=again)
    running = bench.parked(tool, AT_THE_END[kind])
    info = bench.info(tool)
    assert (info.wait == "Lock:advisory") == (not again)
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    with pytest.raises(DatabaseError):
        running.result(30)
    holder.close()
    bench.until_gone(info)
    holds.clear(bench.connect())
    assert whole(bench) == before


def test_it_is_held_in_a_transaction_that_was_open_before(bench, holds):
    """Whose earlier statements have passed, and hold nothing up."""
    holder, tool = bench.connect("hold"), bench.connect("tool")
    holds.prepare(holder)
    tool.run("BEGIN")
    tool.run("ALTER TABLE users ADD COLUMN phone varchar(20)")
    holds.hold(holder, "COMMENT", AT_THE_END["COMMENT"])
    running = bench.parked(tool, AT_THE_END["COMMENT"])
    holder.close()
    running.result(30)
    tool.run("COMMIT")
    assert "phone" in bench.engine.catalog.columns(bench.connect(), "users")


@pytest.mark.parametrize("kind", BEFORE_THEIR_WORK)
def test_what_no_event_tells_of_is_held_before_its_work(bench, holds, kind):
    holder, tool = bench.connect("hold"), bench.connect("tool")
    holds.prepare(holder)
    holds.hold(holder, kind, BEFORE_THEIR_WORK[kind])
    running = bench.parked(tool, BEFORE_THEIR_WORK[kind])
    holder.close()
    running.result(30)


def until_blocked(bench, waiter, blocker):
    """Until that very session waits for that other one."""
    pair, observer, waiting = (
        (waiter.pid, blocker.pid),
        bench.admin(),
        bench.engine.sessions.waiting,
    )
    bench.until("it waits again", lambda: pair in waiting(observer, bench.database))


BAD = "SELECT string_agg(i.relname || ' ' || indisready || ' ' || indislive, ', ' ORDER BY i.oid) "
BAD += "FROM pg_index JOIN pg_class i ON i.oid = indexrelid WHERE NOT indisvalid"
PENDING = "SELECT string_agg(inhrelid::regclass::text, ',') FROM pg_inherits WHERE inhdetachpending"
IN_THEIR_WAITS = [
    (
        ("CREATE INDEX CONCURRENTLY", "CREATE INDEX CONCURRENTLY new ON users (score)"),
        BAD,
        ["new false true", "new true true", "new true true"],
    ),
    (
        ("DROP INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY users_name"),
        BAD,
        ["users_name true true", "users_name false false"],
    ),
    (
        ("REINDEX INDEX CONCURRENTLY", "REINDEX INDEX CONCURRENTLY users_name"),
        BAD,
        [
            *("users_name_ccnew false true", "users_name_ccnew true true"),
            *("users_name_ccnew true true", "users_name_ccold true true"),
            "users_name_ccold false false",
        ],
    ),
    (
        ("ALTER TABLE", "ALTER TABLE logs DETACH PARTITION logs_25 CONCURRENTLY"),
        PENDING,
        ["logs_25", "logs_25"],
    ),
]


@pytest.mark.parametrize(
    ("statement", "look", "wait", "left"),
    [
        pytest.param(statement, look, n, left, id=f"{statement[0]}-{n}")
        for statement, look, every in IN_THEIR_WAITS
        for n, left in enumerate(every, 1)
    ],
)
def test_what_works_concurrently_is_held_in_each_of_its_waits(
    bench, holds, statement, look, wait, left
):
    """Killed there it leaves what it had committed by then."""
    kind, sql = statement
    every = next(len(lefts) for one, _, lefts in IN_THEIR_WAITS if one == statement)
    assert holds.waits(bench.connect(), [statement], [sql]) == every
    holder, tool = bench.connect("hold"), bench.connect("tool")
    holds.hold(holder, kind, sql)
    running = bench.parked(tool, sql)
    for n in range(2, wait + 1):
        before, holder = holder, bench.connect("hold")
        holds.hold(holder, kind, sql, n)
        before.close()
        until_blocked(bench, tool, holder)
    info = bench.info(tool)
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    with pytest.raises(DatabaseError):
        running.result(30)
    holder.close()
    bench.until_gone(info)
    assert bench.connect().run(look).scalar() == left


COMMITTING = "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN DELETE FROM loose; COMMIT; END'"
OUTER = "CREATE PROCEDURE o() LANGUAGE plpgsql AS 'BEGIN CALL p(); END'"
PLAIN = "CREATE PROCEDURE q() LANGUAGE plpgsql AS 'BEGIN DELETE FROM loose; END'"


def test_what_commits_by_itself_has_more_than_one_inside(bench, holds):
    """By its own text, or by that of a procedure that it calls: one that is there, or to come."""
    session = bench.connect()
    session.run(COMMITTING)
    for statements, texts, many in (
        ([("CALL", "CALL p()")], [], 2),
        ([("CALL", 'CALL public."o"()')], [OUTER], 2),
        ([("CALL", "CALL q()")], [PLAIN], 1),
        ([("DO", "DO $$ BEGIN COMMIT; END $$")], [], 2),
        ([("DO", "DO $$ BEGIN END $$")], [], 1),
        ([("BEGIN", "BEGIN"), ("COMMIT", "COMMIT"), ("UPDATE", "UPDATE users")], [], 2),
        ([("BEGIN", "BEGIN"), ("UPDATE", "UPDATE users"), ("COMMIT", "COMMIT")], [], 1),
    ):
        assert holds.waits(session, statements, texts) == many, statements


@pytest.mark.parametrize(
    ("kind", "sql", "again"),
    [
        ("UPDATE", "UPDATE users SET score = 1 WHERE id = -1", True),
        ("ANALYZE", "ANALYZE TABLE users", False),
        ("ALTER TABLE", "ALTER TABLE users ADD COLUMN phone varchar(20)", False),
    ],
)
def test_a_global_lock_holds_what_meets_no_row(bench, kind, sql, again):
    """A statement that changes rows passes their locks if it meets none."""
    if "implicit-commit-ddl" not in bench.engine.traits:
        pytest.skip("its statements are held by the tables that they name")
    holder, tool = bench.connect("hold"), bench.connect("tool")
    holds = bench.engine.statement_holds
    if again:
        holds.hold(holder, kind, sql)
        bench.start(tool, sql).result(30)
        holder.close()
        holder = bench.connect("hold")
    holds.hold(holder, kind, sql, again=again)
    running = bench.parked(tool, sql)
    holder.close()
    running.result(30)


def test_what_only_ends_a_lock_has_no_inside(bench):
    if "implicit-commit-ddl" not in bench.engine.traits:
        pytest.skip("its locks end with their transaction")
    holds = bench.engine.statement_holds
    assert holds.waits(bench.connect(), [("UNLOCK TABLES", "UNLOCK TABLES")], []) == 0


def test_a_partition_that_is_pending_is_finished(bench, holds):
    """By the statement that its line leads to."""
    sql, tool, holder = IN_THEIR_WAITS[-1][0][1], bench.connect("tool"), bench.connect("hold")
    before = whole(bench)
    holds.hold(holder, "ALTER TABLE", sql)
    running = bench.parked(tool, sql)
    info = bench.info(tool)
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    with pytest.raises(DatabaseError):
        running.result(30)
    holder.close()
    name, after = "table public.logs_25", whole(bench)
    (finish,) = bench.engine.snapshot.finish_sql([f"changed: {name}: {after[name]}"])
    assert bench.engine.snapshot.finish_sql([f"changed: {name}: {before[name]}"]) == []
    bench.connect().run(finish)
    assert " OF " not in whole(bench)[name]

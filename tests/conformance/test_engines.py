"""What every engine promises, tried on a real server of each: see harness/engines/README.md."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.dumps.dump import Dump
from harness.errors import DatabaseError, StepFailed
from harness.ports import Address, Engine, HasTools, Killable, Pausable, ToolResult
from harness.registry import engine as engine_named
from harness.state.snapshot import schema_of, take

TLS_RECORD = b"\x17\x03"


def needs(bench: Any, trait: str) -> None:
    if trait not in bench.engine.traits:
        pytest.skip(f"{bench.engine.title} has no trait {trait}")


def refusal(run: Any) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        run()
    return caught.value


# --------------------------------------------------------------------------- connector


def test_an_engine_is_found_by_its_name(bench):
    """The catalogue finds the engine, and its recipe says the same name."""
    engine: Engine = engine_named(bench.engine.name)
    assert engine.name == bench.engine.name == engine.recipe.engine
    assert engine.title
    assert engine.traits


def test_a_session_carries_its_application_name(bench):
    """An observer sees under which name, in which database and with which pid it is connected."""
    session = bench.connect("painter")
    seen = bench.info(session)
    assert (seen.application, seen.database) == ("painter", bench.database)
    assert seen.started


def test_sql_without_arguments_is_sent_as_written(bench):
    """Percent signs mean nothing unless there are arguments."""
    session = bench.connect()
    assert session.run("SELECT 'a%s 100% %%'").scalar() == "a%s 100% %%"
    assert session.run("SELECT id FROM users WHERE email LIKE 'u7@%'").rows == ((7,),)
    assert session.run("SELECT %s", ("50% 'off' \\",)).scalar() == "50% 'off' \\"


def test_a_result_has_columns_rows_and_a_count(bench):
    """A query gives its rows, a change the number of rows it touched, DDL nothing."""
    session = bench.connect()
    found = session.run("SELECT id, email FROM users WHERE id < 3 ORDER BY id")
    assert found.columns == ("id", "email")
    assert found.rows == ((1, "u1@example.org"), (2, "u2@example.org"))
    assert session.run("UPDATE users SET score = 0 WHERE id <= 5").affected == 5
    assert session.run("SELECT id FROM users WHERE id = -1").scalar() is None
    assert session.run("CREATE TABLE fresh (id integer)").rows == ()


def test_a_statement_is_committed_at_once(bench):
    """Sessions are in autocommit: another one sees the change."""
    bench.connect().run("UPDATE users SET name = 'seen' WHERE id = 1")
    assert bench.connect().run("SELECT name FROM users WHERE id = 1").scalar() == "seen"


def test_a_file_is_one_message(bench, wire):
    """All statements of a file travel together, byte for byte, and get one answer."""
    address = bench.server.address()
    session = bench.engine.connector.connect(
        Address("127.0.0.1", wire.port, address.user, address.password),
        bench.database,
        application="test",
    )
    text = "UPDATE users SET score = 1 WHERE id = 1;\n-- 100%\nUPDATE users SET score = 2;\n"
    before, turns = len(wire.sent), wire.turns
    session.run_file(text)
    sent = bytes(wire.sent[before:])
    assert wire.turns == turns + 1
    assert text.encode() in sent or sent.startswith(TLS_RECORD)
    session.close()
    assert bench.connect().run("SELECT sum(score) FROM users").scalar() == 2 * 2000


def test_an_error_in_the_middle_of_a_file_is_raised(bench):
    """The statement after a refused one is not run, and the refusal is not swallowed."""
    session = bench.connect()
    error = refusal(
        lambda: session.run_file(
            "UPDATE users SET score = 1; SELECT nope FROM users; CREATE TABLE after_it (id integer)"
        )
    )
    assert error.code == bench.words.no_such_column
    assert "after_it" not in bench.engine.catalog.tables(session)


def test_a_refusal_is_an_answer(bench):
    """An error of a statement carries its code, is not a loss, and the session goes on."""
    session = bench.connect()
    error = refusal(lambda: session.run("SELECT nope FROM users"))
    assert (error.code, error.lost) == (bench.words.no_such_column, False)
    assert "nope" in error.message
    assert session.run("SELECT 1").scalar() == 1


CLIENT_VARIABLES = {
    "PGHOSTADDR": "192.0.2.1",
    "PGHOST": "192.0.2.1",
    "PGPORT": "1",
    "PGOPTIONS": "-c statement_timeout=1 -c search_path=nowhere",
    "PGSSLMODE": "require",
    "PGREQUIREAUTH": "none",
    "PGTARGETSESSIONATTRS": "standby",
    "PGTZ": "Asia/Tokyo",
    "PGDATESTYLE": "German",
    "PGAPPNAME": "somebody",
    "MYSQL_HOST": "192.0.2.1",
    "MYSQL_TCP_PORT": "1",
    "MYSQL_UNIX_PORT": "/nowhere",
}


def test_the_environment_leads_no_session_astray(bench, monkeypatch):
    """Variables that client programs obey change neither the address nor the settings."""
    for name, text in CLIENT_VARIABLES.items():
        monkeypatch.setenv(name, text)
    session = bench.connect("steady")
    day = session.run("SELECT concat(CAST('2024-02-15' AS date), '') FROM users WHERE id = 1")
    assert day.scalar() == "2024-02-15"
    assert bench.info(session).application == "steady"


def test_nobody_there_is_a_loss(bench):
    """A port on which nobody listens gives no answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", probe.getsockname()[1], "nobody", "x")
        error = refusal(
            lambda: bench.engine.connector.connect(address, "x", application="test", timeout_s=2)
        )
    assert error.lost


def test_a_refused_login_is_an_answer(bench):
    """An unknown database and a wrong password are told by the server, with a code."""
    address = bench.server.address()
    wrong = Address(address.host, address.port, address.user, "wrong")
    connect = bench.engine.connector.connect
    no_database = refusal(lambda: connect(address, "no_such_database", application="test"))
    no_entry = refusal(lambda: connect(wrong, bench.database, application="test"))
    assert (no_database.lost, no_entry.lost) == (False, False)
    assert no_database.code
    assert no_entry.code
    assert no_database.code != no_entry.code


def test_a_closed_session_says_nothing_more(bench):
    """Closing twice is harmless; a statement after it is a loss."""
    session = bench.connect()
    session.close()
    session.close()
    assert refusal(lambda: session.run("SELECT 1")).lost


def test_a_lock_timeout_ends_a_wait(bench):
    """With a limit the waiting statement is refused and the session stays."""
    bench.engine.holding.hold_row(bench.connect("blocker"), "users", "id", 7)
    session = bench.connect()
    bench.engine.connector.limit(session, lock_ms=50)
    error = refusal(lambda: session.run("UPDATE users SET score = 0 WHERE id = 7"))
    assert (error.code, error.lost) == (bench.words.lock_timeout, False)
    assert session.run("SELECT 1").scalar() == 1


def test_a_statement_timeout_ends_a_long_query(bench):
    """With a limit a query that would run for hours is refused and the session stays."""
    session = bench.connect()
    bench.engine.connector.limit(session, statement_ms=50)
    error = refusal(
        lambda: session.run(
            "SELECT count(*) FROM users a, users b, users c, users d "
            "WHERE a.score + b.score + c.score + d.score < 0"
        )
    )
    assert (error.code, error.lost) == (bench.words.statement_timeout, False)
    assert session.run("SELECT 1").scalar() == 1


def test_a_server_has_an_identity_and_a_version(bench):
    """Both are the same for every session; the version starts with its number."""
    one, other = bench.connect(), bench.admin()
    connector = bench.engine.connector
    assert connector.identity(one) == connector.identity(other) != ""
    assert connector.version(one) == connector.version(other)
    assert connector.version(one)[0].isdigit()


def test_the_client_line_leads_to_the_database(bench):
    """A person gets one shell line with the port and the database in it."""
    address = bench.server.address()
    line = bench.engine.connector.client_line(address, bench.database)
    assert str(address.port) in line
    assert bench.database in line
    assert "\n" not in line


# --------------------------------------------------------------------------- databases


def test_the_nonce_shows_in_every_database_made_later(bench):
    """A new server shows none; then the maintenance, a new and a cloned database show it."""
    databases = bench.engine.databases
    name = bench.new_name()
    databases.create(bench.admin(), name)
    seen = [databases.read_nonce(s) for s in (bench.admin(), bench.connect(database=name))]
    seen.append(databases.read_nonce(bench.connect()))
    assert bench.nonce_before is None
    assert seen == [bench.guard.nonce] * 3


def test_a_new_database_is_empty(bench):
    """Nothing of ours shows in it as a table."""
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    assert bench.engine.catalog.tables(bench.connect(database=name)) == []


def test_drop_ends_the_sessions_in_it(bench):
    """A session idle in a transaction does not hold up the removal; a second one is no error."""
    databases, admin = bench.engine.databases, bench.admin()
    name = bench.copy()
    reader = bench.connect(database=name)
    info = bench.info(reader)
    bench.engine.holding.hold_table_read(reader, "users")
    databases.drop(admin, name)
    databases.drop(admin, name)
    assert refusal(lambda: bench.guard.connect(name, "test")).lost is False
    if bench.engine.sessions.find(admin, info.pid, info.started):
        assert refusal(lambda: reader.run("SELECT 1 FROM users"))


def test_a_clone_is_a_true_copy(bench):
    """The same objects and rows, with the foreign key, check, unique key and trigger at work."""
    other = bench.connect(database=bench.copy())
    assert take(bench.engine, bench.connect()) == take(bench.engine, other)
    for broken in (
        "INSERT INTO users (id, email, score, team_id) VALUES (9001, 'a', 1, 99)",
        "INSERT INTO users (id, email, score) VALUES (9001, 'a', 1000001)",
        "INSERT INTO users (id, email, score) VALUES (9001, 'u1@example.org', 1)",
        "DELETE FROM teams WHERE id = 1",
    ):
        assert not refusal(lambda sql=broken: other.run(sql)).lost
    other.run("INSERT INTO notes VALUES (9001, 'loud')")
    assert other.run("SELECT body FROM notes WHERE id = 9001").scalar() == "LOUD"


def test_a_clone_is_independent(bench):
    """What changes in one copy does not change in another."""
    other = bench.connect(database=bench.copy())
    other.run("DELETE FROM users WHERE id > 10")
    other.run("DROP TABLE tags")
    session = bench.connect()
    assert session.run("SELECT count(*) FROM users").scalar() == 2000
    assert "tags" in bench.engine.catalog.tables(session)


def test_a_template_in_use_can_be_cloned(bench):
    """A session in the template does not hold up the copy."""
    bench.connect("idle").run("SELECT 1")
    name = bench.new_name()
    bench.engine.databases.clone(bench.admin(), bench.database, name)
    assert bench.connect(database=name).run("SELECT count(*) FROM users").scalar() == 2000


@pytest.mark.parametrize("count", [1, 10, 25_000])
def test_a_series_counts_from_one(bench, count):
    """The derived table has one column n = 1 … count."""
    found = bench.connect().run(
        f"SELECT count(DISTINCT n), min(n), max(n) FROM {bench.engine.databases.series(count)}"
    )
    assert found.rows == ((count, 1, count),)


# --------------------------------------------------------------------------- sessions


def test_a_closed_session_is_no_longer_found(bench):
    """Until then it is, and only under its own start time."""
    sessions, session = bench.engine.sessions, bench.connect()
    info = bench.info(session)
    observer = bench.admin()
    assert sessions.find(observer, info.pid, info.started).pid == info.pid
    assert sessions.find(observer, info.pid, "another time") is None
    session.close()
    bench.until_gone(info)


def test_end_reaches_only_that_very_session(bench):
    """A pid whose start time differs is another session: it is left alone."""
    sessions, observer, session = bench.engine.sessions, bench.admin(), bench.connect()
    info = bench.info(session)
    assert sessions.end(observer, info.pid, "another time") is False
    assert session.run("SELECT 1").scalar() == 1
    assert sessions.end(observer, info.pid, info.started) is True
    bench.until_gone(info)
    assert refusal(lambda: session.run("SELECT 1"))
    assert sessions.end(observer, info.pid, info.started) is False


def test_end_never_ends_itself(bench):
    """An operator's own session is not among those it can end."""
    observer = bench.admin()
    info = bench.info(observer)
    assert bench.engine.sessions.end(observer, info.pid, info.started) is False
    assert observer.run("SELECT 1").scalar() == 1


def test_a_killed_session_tells_its_victim(bench):
    """The waiting statement fails with a code that means it was ended, and has no effect."""
    bench.engine.holding.hold_row(bench.connect("blocker"), "users", "id", 5)
    victim = bench.connect("victim")
    info = bench.info(victim)
    running = bench.parked(victim, "UPDATE users SET score = 0")
    assert bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    error = refusal(running.result)
    assert error.code in bench.engine.sessions.KILLED
    bench.until_gone(info)
    assert bench.connect().run("SELECT score FROM users WHERE id = 1").scalar() == 1


def test_the_pasted_command_ends_a_session_too(bench):
    """``end_sql`` is what a person types: it asks nobody."""
    victim = bench.connect("victim")
    info = bench.info(victim)
    bench.admin().run(bench.engine.sessions.end_sql(victim.pid))
    bench.until_gone(info)


def test_cancel_ends_the_query_and_leaves_the_session(bench):
    """The statement fails with an answer; the session and its name stay."""
    sessions = bench.engine.sessions
    bench.engine.holding.hold_row(bench.connect("blocker"), "users", "id", 5)
    victim, observer = bench.connect("victim"), bench.admin()
    info = bench.info(victim)
    running = bench.parked(victim, "UPDATE users SET score = 0")
    assert sessions.cancel(observer, info.pid, "another time") is False
    assert sessions.cancel(observer, info.pid, info.started) is True
    error = refusal(running.result)
    assert (error.lost, error.code in sessions.KILLED) == (False, True)
    assert victim.run("SELECT score FROM users WHERE id = 1").scalar() == 1


def test_a_killed_server_is_a_loss_and_comes_back(bench):
    """SIGKILL: the victim gets no answer or a known code; afterwards it is the same server."""
    if not isinstance(bench.server, Killable):
        pytest.skip("this server cannot be killed")
    bench.engine.holding.hold_row(bench.connect("blocker"), "users", "id", 5)
    victim = bench.connect("victim")
    identity = bench.engine.connector.identity(victim)
    running = bench.parked(victim, "UPDATE users SET score = 0")
    bench.server.kill()
    error = refusal(running.result)
    assert error.lost or error.code in bench.engine.sessions.KILLED
    bench.server.start_again()
    session = bench.connect()
    assert bench.engine.connector.identity(session) == identity
    assert session.run("SELECT score FROM users WHERE id = 1").scalar() == 1


def test_a_frozen_server_is_a_loss_in_time(bench):
    """It accepts and never greets: connecting ends by itself; an open session waits on."""
    if not isinstance(bench.server, Pausable):
        pytest.skip("this server cannot be paused")
    address, connect = bench.server.address(), bench.engine.connector.connect

    def opened() -> Any:
        return connect(address, bench.database, application="test", timeout_s=1)

    patient = opened()
    with ThreadPoolExecutor(1) as threads:
        bench.server.pause()
        try:
            waiting = bench.start(patient, "SELECT 1")
            error = threads.submit(opened).exception(timeout=20)
        finally:
            bench.server.resume()
    assert isinstance(error, DatabaseError)
    assert error.lost
    assert waiting.result(20).scalar() == 1
    patient.close()


def lock_queue(bench: Any) -> tuple[Any, Any, Any]:
    """A forgotten reader, the ALTER TABLE behind it, and a plain SELECT behind that."""
    reader, migration, victim = (bench.connect(name) for name in ("reader", "migration", "app"))
    bench.engine.holding.hold_table_read(reader, "users")
    bench.parked(migration, "ALTER TABLE users ADD COLUMN ghost integer")
    bench.parked(victim, "SELECT count(*) FROM users")
    return reader, migration, victim


def test_a_lock_queue_has_one_root(bench):
    """Of reader, ALTER and SELECT in a row only the reader waits for nobody."""
    reader, migration, victim = lock_queue(bench)
    sessions, observer = bench.engine.sessions, bench.admin()
    pairs = sessions.waiting(observer, bench.database)
    assert (migration.pid, reader.pid) in pairs
    assert {waiter for waiter, _ in pairs} == {migration.pid, victim.pid}
    assert all(waiter != blocker for waiter, blocker in pairs)
    assert sessions.root_blockers(observer, bench.database) == [reader.pid]


def test_a_row_lock_has_a_root_too(bench):
    """Two writers in a row behind one holder: the holder is the root."""
    holder, first, second = (bench.connect(name) for name in ("holder", "first", "second"))
    bench.engine.holding.hold_row(holder, "users", "id", 3)
    bench.parked(first, "UPDATE users SET score = 0 WHERE id = 3")
    bench.parked(second, "UPDATE users SET score = 0 WHERE id = 3")
    sessions, observer = bench.engine.sessions, bench.admin()
    pairs = sessions.waiting(observer, bench.database)
    assert (first.pid, holder.pid) in pairs
    assert {waiter for waiter, _ in pairs} == {first.pid, second.pid}
    assert sessions.root_blockers(observer, bench.database) == [holder.pid]


def test_where_nobody_waits_nobody_blocks(bench):
    """An idle session is no blocker; another database's queue is not ours."""
    sessions, observer = bench.engine.sessions, bench.admin()
    idle = bench.connect("idle")
    lock_queue(bench)
    elsewhere = bench.copy()
    assert sessions.waiting(observer, elsewhere) == []
    assert sessions.root_blockers(observer, elsewhere) == []
    assert not sessions.waits_for_lock(bench.info(idle))


@pytest.mark.parametrize("name", ["root-blockers", "waiting", "progress", "sessions"])
def test_the_own_diagnosis_queries_name_pids(bench, name):
    """Each runs as it stands in the database concerned and has a column ``pid``."""
    reader, migration, victim = lock_queue(bench)
    found = bench.connect("operator").run(bench.engine.sessions.look_sql[name])
    named = {row[found.columns.index("pid")] for row in found.rows}
    wanted = {
        "root-blockers": {reader.pid},
        "waiting": {migration.pid, victim.pid},
        "progress": set(),
        "sessions": {reader.pid, migration.pid, victim.pid},
    }[name]
    assert wanted <= named
    assert name == "sessions" or wanted == named


def test_nothing_in_progress_is_an_empty_list(bench):
    """Progress can be prepared as often as one likes."""
    sessions, observer = bench.engine.sessions, bench.admin()
    sessions.prepare_progress(observer)
    sessions.prepare_progress(observer)
    assert sessions.progress(observer) == []


def unfinished_writer_and_builder(bench: Any) -> Any:
    """A transaction that changed a row and stays open, and the index build that waits for it."""
    writer, builder = bench.connect("writer"), bench.connect("builder")
    writer.run("BEGIN")
    writer.run("UPDATE users SET score = 0 WHERE id = 1")
    bench.parked(builder, "CREATE INDEX CONCURRENTLY users_note ON users (note)")
    return builder


def test_a_concurrent_build_shows_its_progress(bench):
    """While it waits for a writer its session, phase and counts are told."""
    needs(bench, "concurrent-index")
    builder = unfinished_writer_and_builder(bench)
    (seen,) = bench.engine.sessions.progress(bench.admin())
    assert seen.pid == builder.pid
    assert "waiting for writers" in seen.phase
    assert seen.done < seen.total


# --------------------------------------------------------------------------- catalog


def test_tables_are_those_of_the_user(bench):
    """Nothing of the server's and nothing of the guard's is among them."""
    found = bench.engine.catalog.tables(bench.connect())
    assert found == ["loose", "notes", "tags", "teams", "users"]


def test_columns_are_told_as_they_are(bench):
    """Type, nullability, default and generation, in the table's order."""
    found = bench.engine.catalog.columns(bench.connect(), "users")
    assert [*found] == ["id", "email", "name", "status", "score", "team_id", "note", "twice"]
    assert "100" in found["email"].type
    assert (found["email"].nullable, found["name"].nullable) == (False, True)
    assert "active" in found["status"].default
    assert found["name"].default is None
    assert [name for name, column in found.items() if column.generated] == ["twice"]
    assert bench.engine.catalog.columns(bench.connect(), "no_such_table") == {}


def test_indexes_are_told_as_they_are(bench):
    """Columns in order, unique and primary ones marked, all valid and visible."""
    session = bench.connect()
    found = bench.engine.catalog.indexes(session, "users")
    by_columns = {index.columns: index for index in found.values()}
    assert by_columns[("id",)].primary
    assert by_columns[("id",)].unique
    assert found["users_email_key"].unique
    assert not found["users_email_key"].primary
    assert found["users_name"].columns == ("name",)
    assert not found["users_name"].unique
    assert all(index.valid and index.visible for index in found.values())
    (primary,) = bench.engine.catalog.indexes(session, "tags").values()
    assert primary.columns == ("user_id", "word")


def test_a_killed_concurrent_build_leaves_an_invalid_index(bench):
    """The index is there, and told as not valid."""
    needs(bench, "concurrent-index")
    builder = unfinished_writer_and_builder(bench)
    info = bench.info(builder)
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    bench.until_gone(info)
    found = bench.engine.catalog.indexes(bench.connect(), "users")
    assert {name for name, index in found.items() if not index.valid} == {"users_note"}


def test_an_invisible_index_is_told(bench):
    """Where an index can be hidden from the planner, that shows."""
    needs(bench, "invisible-index")
    session = bench.connect()
    session.run("ALTER TABLE users ALTER INDEX users_name INVISIBLE")
    found = bench.engine.catalog.indexes(session, "users")
    assert {name for name, index in found.items() if not index.visible} == {"users_name"}


def test_constraints_are_told_as_they_are(bench):
    """Four kinds, with their columns, all validated and enforced."""
    found = bench.engine.catalog.constraints(bench.connect(), "users")
    told = sorted((c.kind, c.columns) for c in found.values() if c.kind != "check")
    assert told == [("foreign", ("team_id",)), ("primary", ("id",)), ("unique", ("email",))]
    assert found["users_score_sane"].kind == "check"
    assert found["users_team"].kind == "foreign"
    assert all(c.validated and c.enforced for c in found.values())


def test_a_check_that_skipped_old_rows_is_not_validated(bench):
    """NOT VALID: enforced for new rows, never checked for old ones."""
    needs(bench, "unvalidated-check")
    session = bench.connect()
    session.run("ALTER TABLE users ADD CONSTRAINT low CHECK (score < 10) NOT VALID")
    low = bench.engine.catalog.constraints(session, "users")["low"]
    assert (low.validated, low.enforced) == (False, True)


def test_a_check_that_is_not_enforced_is_told(bench):
    """NOT ENFORCED, where the server knows these words: it stands there and checks nothing."""
    session = bench.connect()
    try:
        session.run("ALTER TABLE users ADD CONSTRAINT low CHECK (score < 10) NOT ENFORCED")
    except DatabaseError as error:
        pytest.skip(f"{bench.engine.title} does not know NOT ENFORCED: {error.code}")
    assert not bench.engine.catalog.constraints(session, "users")["low"].enforced


def test_the_key_is_the_single_primary_column(bench):
    """A primary key of two columns, or none, gives None."""
    catalog, session = bench.engine.catalog, bench.connect()
    found = [catalog.key_of(session, table) for table in ("users", "tags", "loose")]
    assert found == ["id", None, None]


# --------------------------------------------------------------------------- plans


def test_an_index_makes_a_query_cheaper_by_the_count(bench):
    """The same work in every run, far less with an index, and the plan names the index."""
    session, plans = bench.connect(), bench.engine.plans
    session.run(
        "INSERT INTO loose SELECT concat('a', n), concat('b', n) "
        f"FROM {bench.engine.databases.series(20_000)}"
    )
    sql = "SELECT b FROM loose WHERE a = 'a777'"
    plans.cost(session, sql)
    without = [plans.cost(session, sql) for _ in range(3)]
    session.run("CREATE INDEX loose_a ON loose (a)")
    with_index = [plans.cost(session, sql) for _ in range(3)]
    assert len({cost.amount for cost in without}) == 1
    assert len({cost.amount for cost in with_index[1:]}) == 1
    assert 0 < with_index[-1].amount * 10 < without[-1].amount
    assert "loose_a" in with_index[-1].plan
    assert "loose_a" not in without[-1].plan
    assert with_index[-1].unit == without[-1].unit != ""


def test_a_refused_query_leaves_the_session_usable(bench):
    """An error in the measured query is the query's own, and nothing stays open."""
    session = bench.connect()
    error = refusal(lambda: bench.engine.plans.cost(session, "SELECT nope FROM users"))
    assert error.code == bench.words.no_such_column
    assert session.run("SELECT 1").scalar() == 1


# --------------------------------------------------------------------------- backups


def tools(bench: Any) -> Any:
    if not isinstance(bench.server, HasTools):
        pytest.skip("no command-line tools beside this server")
    return bench.server


def restored(bench: Any, dump: bytes | Path) -> str:
    """The name of a database with what is in our own dump, or in somebody's file."""
    name, backups = bench.new_name(), bench.engine.backups
    bench.engine.databases.create(bench.admin(), name)
    if isinstance(dump, Path):
        backups.load(tools(bench), name, Dump(dump))
    else:
        backups.restore(tools(bench), name, dump)
    return name


@pytest.mark.parametrize("how", ["restore", "load"])
def test_a_dump_restores_everything(bench, how, tmp_path):
    """Schema and rows of a whole database, exactly; the nonce is not touched."""
    dump = bench.engine.backups.dump(tools(bench), bench.database)
    file = tmp_path / "dump"
    file.write_bytes(dump)
    other = bench.connect(database=restored(bench, file if how == "load" else dump))
    assert take(bench.engine, bench.connect()) == take(bench.engine, other)
    assert bench.engine.databases.read_nonce(other) == bench.guard.nonce


def test_a_dump_can_be_of_some_tables(bench):
    """Only those are in it."""
    dump = bench.engine.backups.dump(tools(bench), bench.database, ("users", "teams"))
    other = bench.connect(database=restored(bench, dump))
    assert bench.engine.catalog.tables(other) == ["teams", "users"]


def test_a_failed_dump_or_restore_says_why(bench):
    """StepFailed carries what the tool said."""
    backups, server = bench.engine.backups, tools(bench)
    with pytest.raises(StepFailed, match="no_such_database"):
        backups.dump(server, "no_such_database")
    with pytest.raises(StepFailed, match=r"exit code [1-9]"):
        backups.restore(server, bench.database, b"this is no dump\n")


def test_a_lost_column_comes_back_from_the_side(bench):
    """Filled by key where it is empty: later writes stay, nothing is resurrected, all exact."""
    backups, session = bench.engine.backups, bench.connect()
    wanted = dict(session.run("SELECT id, note FROM users").rows)
    dump = backups.dump(tools(bench), bench.database, ("users", "teams"))
    session.run("ALTER TABLE users DROP COLUMN note")
    session.run("INSERT INTO users (id, email, score) VALUES (9001, 'late', 1)")
    session.run("DELETE FROM users WHERE id = 8")
    session.run("ALTER TABLE users ADD COLUMN note varchar(50)")
    session.run("UPDATE users SET note = 'newer' WHERE id = 3")
    side = restored(bench, dump)
    backups.bring_side(session, bench.connect(database=side), side, "users", "users_lost")
    for sql in backups.fill_sql("users", "id", ("note",), "users_lost"):
        session.run(sql)
    found = dict(session.run("SELECT id, note FROM users").rows)
    assert found == {key: value for key, value in wanted.items() if key != 8} | {
        3: "newer",
        9001: None,
    }
    copied = session.run("SELECT count(*), sum(score) FROM users_lost").rows
    assert copied == ((2000, 2000 * 2001 // 2),)


def test_a_side_table_that_is_not_there_is_told(bench):
    """Nothing is made in the live database then."""
    side = bench.copy()
    session = bench.connect()
    with pytest.raises(StepFailed, match="no_such_table"):
        bench.engine.backups.bring_side(
            session, bench.connect(database=side), side, "no_such_table", "users_lost"
        )
    assert "users_lost" not in bench.engine.catalog.tables(session)


def test_filling_can_have_a_condition_of_its_own(bench):
    """It replaces "is NULL" and may compare the live with the side row."""
    backups, session = bench.engine.backups, bench.connect()
    session.run("CREATE TABLE side (id bigint PRIMARY KEY, name varchar(100), score integer)")
    session.run("INSERT INTO side VALUES (1, 'old', 1), (2, 'old', 77), (3, NULL, 3)")
    for sql in backups.fill_sql("users", "id", ("name",), "side", "users.score = side.score"):
        session.run(sql)
    found = session.run("SELECT name FROM users WHERE id <= 4 ORDER BY id").rows
    assert found == (("old",), ("name 2",), (None,), ("name 4",))


def test_restoring_over_the_live_table_loses_what_came_later(bench):
    """The tempting command: new rows and edits are gone, deleted rows are back."""
    backups, session = bench.engine.backups, bench.connect()
    dump = backups.dump(tools(bench), bench.database, ("notes",))
    session.run("INSERT INTO notes VALUES (9001, 'late')")
    session.run("UPDATE notes SET body = 'edited' WHERE id = 1")
    session.run("DELETE FROM notes WHERE id = 2")
    session.run(bench.words.drop_trigger)
    result = backups.restore_over(tools(bench), bench.database, dump, ("notes",))
    assert isinstance(result, ToolResult)
    assert result.exit_code == 0
    again = bench.connect()
    assert again.run("SELECT count(*) FROM notes WHERE id IN (2, 9001)").scalar() == 1
    assert again.run("SELECT count(*) FROM notes WHERE body = 'edited'").scalar() == 0


# --------------------------------------------------------------------------- holding


def test_a_held_row_parks_an_update(bench):
    """Only at that row, and until the transaction ends."""
    holding, holder = bench.engine.holding, bench.connect("holder")
    holding.hold_row(holder, "users", "id", 1000)
    bench.connect().run("UPDATE users SET score = 0 WHERE id = 999")
    running = bench.parked(bench.connect(), "UPDATE users SET score = 0 WHERE id IN (999, 1000)")
    holding.end_transaction(holder)
    assert running.result(30).affected >= 1


def test_a_row_that_is_not_there_cannot_be_held(bench):
    """It is told, and no transaction stays open."""
    session = bench.connect()
    with pytest.raises(StepFailed, match="777000"):
        bench.engine.holding.hold_row(session, "users", "id", 777000)
    session.run("UPDATE users SET score = 0 WHERE id = 1")
    assert bench.connect().run("SELECT score FROM users WHERE id = 1").scalar() == 0


def test_an_idle_reader_parks_an_alter(bench):
    """It reads nothing any more and still holds the table, until its transaction ends."""
    holding, reader = bench.engine.holding, bench.connect("reader")
    holding.hold_table_read(reader, "users")
    running = bench.parked(bench.connect(), "ALTER TABLE users ADD COLUMN phone varchar(20)")
    assert not bench.engine.sessions.waits_for_lock(bench.info(reader))
    holding.end_transaction(reader)
    running.result(30)
    assert "phone" in bench.engine.catalog.columns(bench.connect(), "users")


def test_a_trigger_parks_an_update_of_its_row(bench):
    """Others pass; giving the lock back lets it go on; removing it leaves no trace."""
    holding, session, holder = bench.engine.holding, bench.connect(), bench.connect("holder")
    before = schema_of(bench.engine, session)
    holding.install_trigger(session, "users", "id", 1000, "hold")
    holding.take_lock(holder, "hold")
    session.run("UPDATE users SET score = 0 WHERE id <> 1000")
    running = bench.parked(session, "UPDATE users SET score = 1")
    holding.drop_lock(holder, "hold")
    assert running.result(30).affected == 2000
    holding.remove_trigger(session, "users", "hold")
    holding.remove_trigger(session, "users", "hold")
    assert schema_of(bench.engine, session) == before


@pytest.mark.parametrize(
    ("verb", "sql"),
    [
        ("UPDATE", "UPDATE users SET score = score + 1"),
        ("ALTER TABLE", "ALTER TABLE users ADD COLUMN phone varchar(20)"),
    ],
)
def test_what_a_tool_has_locked_is_left_out_of_what_is_held(bench, verb, sql):
    """Sqitch keeps its own tables by LOCK TABLES; the statement is on another, and is held."""
    if bench.engine.dialect != "mysql":
        pytest.skip("it has no LOCK TABLES that outlives a statement outside a transaction")
    tool, holder = bench.connect("tool"), bench.connect("holder")
    tool.run("CREATE TABLE registry (id integer PRIMARY KEY)")
    tool.run("LOCK TABLES registry WRITE")
    bench.engine.statement_holds.hold(holder, verb, sql)
    running = bench.parked(bench.connect(), sql)
    holder.close()
    running.result(30)
    tool.run("UNLOCK TABLES")


def test_the_end_of_the_holder_opens_the_gate(bench):
    """A session-level lock goes with its session."""
    holding, holder = bench.engine.holding, bench.connect("holder")
    holding.install_trigger(bench.connect(), "users", "id", 1000, "hold")
    holding.take_lock(holder, "hold")
    running = bench.parked(bench.connect(), "UPDATE users SET score = 0")
    holder.close()
    assert running.result(30).affected == 2000


def test_a_lock_tells_its_holder(bench):
    """Nobody, then the session that took it, then nobody; another name is another lock."""
    holding, observer, holder = bench.engine.holding, bench.admin(), bench.connect("holder")
    name = f"lock_{bench.database}"
    assert holding.lock_holder(observer, name) is None
    holding.take_lock(holder, name)
    assert holding.lock_holder(observer, name) == holder.pid
    assert holding.lock_holder(bench.connect(), name) == holder.pid
    assert holding.lock_holder(observer, name + "_other") is None
    holding.drop_lock(holder, name)
    assert holding.lock_holder(observer, name) is None

"""The proxy between a client and a real server: it changes nothing but the moment."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pymysql
import pytest
from conftest import DEADLINE_S, Bench
from pymysql.constants import CLIENT, COMMAND

from harness import sqltext
from harness.errors import DatabaseError, DeadlineExceeded, UsageError
from harness.ports import Address, Session
from harness.wire import Breakpoint, Message, Proxy

HUGE = 20_000_000
CLIENT_PROGRAM = """
import sys
from harness import registry
from harness.ports import Address
engine, host, port, user, password, database, *messages = sys.argv[1:]
address = Address(host, int(port), user, password)
session = registry.engine(engine).connector.connect(address, database, application="client")
for message in messages:
    session.run_file(message)
"""

COPY_PROGRAM = """
import sys
import psycopg
host, port, user, password, database = sys.argv[1:]
with psycopg.connect(
    host=host, port=port, user=user, password=password, dbname=database, autocommit=True
) as connection:
    libpq = connection.pgconn
    for _ in range(2):
        libpq.exec_params(b"COPY notes FROM STDIN", None)
        libpq.put_copy_data(b"100\\tcopied\\n")
        libpq.put_copy_end()
        while (result := libpq.get_result()) is not None:
            print(psycopg.pq.ExecStatus(result.status).name)
"""
"""In a process of its own: these calls of libpq wait without letting other threads run."""


def never() -> bool:
    return False


def cut(text: str) -> list[str]:
    return [statement.text for statement in sqltext.split(text, "mysql")]


class Through:
    """A proxy before the bench's server, and clients that go through it."""

    def __init__(self, bench: Bench, *, paced: bool = False) -> None:
        self.bench = bench
        address = bench.server.address()
        self.proxy = Proxy(
            bench.engine.dialect, (address.host, address.port), paced=paced, split=cut
        )
        self._processes: list[subprocess.Popen] = []

    @property
    def address(self) -> Address:
        address = self.bench.server.address()
        return dataclasses.replace(address, host="127.0.0.1", port=self.proxy.port)

    def session(self) -> Session:
        return self.bench.engine.connector.connect(
            self.address, self.bench.database, application="client"
        )

    def process(self, *messages: str) -> subprocess.Popen:
        """A client in a process of its own."""
        at = self.address
        where = (at.host, str(at.port), at.user, at.password, self.bench.database)
        self._processes.append(
            subprocess.Popen(
                [sys.executable, "-c", CLIENT_PROGRAM, self.bench.engine.name, *where, *messages]
            )
        )
        return self._processes[-1]

    def stopped(self) -> Message:
        message = self.proxy.wait_stopped(DEADLINE_S, never)
        assert message is not None
        return message

    def ids(self) -> list[int]:
        """The rows of ``teams`` that another session sees beyond the first two."""
        found = self.bench.connect().run("SELECT id FROM teams WHERE id > 2 ORDER BY id").rows
        return [row[0] for row in found]

    def until_no_session(self) -> None:
        """Until the server has ended every session that came through the proxy."""
        admin, listing = self.bench.admin(), self.bench.engine.sessions.listing
        pids = self.proxy.sessions()
        assert pids
        self.bench.until(
            "the sessions are gone", lambda: not {i.pid for i in listing(admin)} & {*pids}
        )

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self.proxy.close()


@pytest.fixture
def through(bench: Bench) -> Iterator[Through]:
    made = Through(bench)
    yield made
    made.close()


@pytest.fixture
def paced(bench: Bench) -> Iterator[Through]:
    if "implicit-commit-ddl" not in bench.engine.traits:
        pytest.skip("a message of many statements is one transaction here")
    made = Through(bench, paced=True)
    yield made
    made.close()


@pytest.fixture
def postgres(bench: Bench) -> Bench:
    if bench.engine.dialect != "postgres":
        pytest.skip("speaks another protocol")
    return bench


@pytest.fixture
def mysql(bench: Bench) -> Bench:
    if bench.engine.dialect != "mysql":
        pytest.skip("speaks another protocol")
    return bench


def insert(n: int) -> str:
    return f"INSERT INTO teams VALUES ({n}, 'team {n}')"


STATEMENTS = (
    "SELECT id, email, note FROM users ORDER BY id",
    insert(3),
    insert(3),
    "UPDATE users SET note = 'ä' WHERE id < 10",
    "SELECT no_such_column FROM users",
    "SELECT count(*), max(note) FROM users",
    "this is no SQL",
    "",
    f"{insert(4)}; {insert(5)}; SELECT id FROM teams ORDER BY id",
    f"{insert(6)}; {insert(6)}; {insert(7)}",
    "CREATE TABLE fresh (id bigint PRIMARY KEY, word varchar(20))",
    "BEGIN; DELETE FROM teams WHERE id > 3; ROLLBACK",
    "SELECT id FROM teams ORDER BY id",
)


def outcome(session: Session, sql: str) -> Any:
    try:
        return session.run(sql)
    except DatabaseError as error:
        return (error.code, error.message, error.lost)


def test_results_are_those_without_a_proxy(bench: Bench, through: Through):
    """Rows, counts, errors, and the state that is left."""
    direct = bench.engine.connector.connect(
        bench.server.address(), bench.copy(), application="client"
    )
    session = through.session()
    assert [outcome(session, sql) for sql in STATEMENTS] == [
        outcome(direct, sql) for sql in STATEMENTS
    ]
    direct.close()


def test_changing_messages_are_numbered_and_reads_are_counted(through: Through):
    """With text, session, error and whether a transaction stays open."""
    session = through.session()
    reads = through.proxy.reads
    for sql in ("SELECT 1", insert(3), "BEGIN", insert(4), insert(3), "ROLLBACK"):
        outcome(session, sql)
    assert through.proxy.reads == reads + 2
    messages = through.proxy.messages
    assert [m.text for m in messages] == [insert(3), insert(4), insert(3), "ROLLBACK"]
    assert [m.n for m in messages] == [1, 2, 3, 4]
    assert {m.pid for m in messages} == {session.pid} == set(through.proxy.sessions())
    assert all(m.sent_on and m.answered for m in messages)
    assert [bool(m.error) for m in messages] == [False, False, True, False]
    assert [m.in_transaction for m in messages][::3] == [False, False]
    assert messages[1].in_transaction is True


def test_connections_at_the_same_time_share_one_count(bench: Bench, through: Through):
    """No number is given twice, and nothing is lost."""
    sessions = [through.session() for _ in range(4)]

    def fill(start: int) -> None:
        for n in range(25):
            sessions[start].run(insert(100 * (start + 1) + n))

    for done in [bench._threads.submit(fill, start) for start in range(4)]:
        done.result(DEADLINE_S)
    assert sorted(m.n for m in through.proxy.messages) == list(range(1, 101))
    assert {m.connection for m in through.proxy.messages} == {1, 2, 3, 4}
    assert len(through.ids()) == 100


def test_a_message_is_held_before_it_is_sent_on(bench: Bench, through: Through):
    """The server has not seen it; released, it goes on to the next stop."""
    through.proxy.stop_at(Breakpoint(2, "before"))
    session = through.session()
    session.run(insert(3))
    running = bench.start(session, insert(4))
    message = through.stopped()
    assert (message.n, message.text, message.sent_on) == (2, insert(4), False)
    assert through.ids() == [3]
    through.proxy.release(Breakpoint(3, "before"))
    running.result(DEADLINE_S)
    running = bench.start(session, insert(5))
    assert through.stopped().n == 3
    assert through.ids() == [3, 4]
    through.proxy.release()
    running.result(DEADLINE_S)
    assert through.ids() == [3, 4, 5]


def test_an_answer_is_held_when_the_server_is_done(bench: Bench, through: Through):
    """Others see what it did; the client learns of it when it is released."""
    through.proxy.stop_at(Breakpoint(1, "answered"))
    running = bench.start(through.session(), insert(3))
    message = through.stopped()
    assert message.answered
    assert message.in_transaction is False
    assert through.ids() == [3]
    assert not running.done()
    through.proxy.release()
    assert running.result(DEADLINE_S).affected == 1


def test_from_before_a_message_to_its_answer(bench: Bench, through: Through):
    """One message can be held on both sides."""
    through.proxy.stop_at(Breakpoint(1, "before"))
    running = bench.start(through.session(), insert(3))
    through.stopped()
    through.proxy.release(Breakpoint(1, "answered"))
    assert through.stopped().answered
    assert not running.done()
    through.proxy.release()
    running.result(DEADLINE_S)


def test_a_run_that_ends_earlier_is_not_waited_for(through: Through):
    """And one that goes on forever is waited for until the deadline."""
    through.proxy.stop_at(Breakpoint(5, "before"))
    client = through.process(insert(3))
    ended = through.proxy.wait_stopped(DEADLINE_S, lambda: client.poll() is not None)
    assert ended is None
    assert through.ids() == [3]
    with pytest.raises(DeadlineExceeded, match="1 messages have come"):
        through.proxy.wait_stopped(0.01, never)


@pytest.mark.parametrize("where, left", [("before", [3]), ("answered", [3, 4])])
def test_a_client_killed_at_a_stop_leaves_what_the_server_had(through: Through, where, left):
    """Before the message, nothing of it; behind it, all of it. The session ends by itself."""
    through.proxy.stop_at(Breakpoint(2, where))
    client = through.process(insert(3), insert(4), insert(5))
    through.stopped()
    client.kill()
    client.wait()
    through.until_no_session()
    through.proxy.release()
    assert through.ids() == left
    assert through.proxy.messages[1].sent_on is (where == "answered")
    assert len(through.proxy.messages) == 2


@pytest.mark.parametrize("where, left", [("before", []), ("answered", [3])])
def test_a_cut_drops_what_is_held(bench: Bench, through: Through, where, left):
    """The client sees a broken connection; one that is made later passes freely."""
    through.proxy.stop_at(Breakpoint(1, where))
    running = bench.start(through.session(), insert(3))
    through.stopped()
    assert through.proxy.cut() == 1
    with pytest.raises(DatabaseError) as lost:
        running.result(DEADLINE_S)
    assert lost.value.lost
    through.until_no_session()
    assert through.ids() == left
    later = through.session()
    later.run(insert(9))
    assert through.ids() == [*left, 9]
    assert through.proxy.cut() == 1


def test_a_cut_takes_the_stop_away(bench: Bench, through: Through):
    """Also one that the run has not come to yet."""
    through.proxy.stop_at(Breakpoint(2, "before"))
    first = through.session()
    first.run(insert(3))
    assert through.proxy.cut() == 1
    bench.start(through.session(), insert(4)).result(DEADLINE_S)
    assert through.ids() == [3, 4]


def test_a_cut_that_the_server_does_not_notice_leaves_its_session(bench: Bench, through: Through):
    """It waits for a client that is gone, until the proxy is closed."""
    session = through.session()
    session.run("BEGIN")
    session.run(insert(3))
    through.proxy.cut(server_notices=False)
    with pytest.raises(DatabaseError) as lost:
        session.run("COMMIT")
    assert lost.value.lost
    assert bench.info(session).pid == session.pid
    through.proxy.close()
    through.until_no_session()
    assert through.ids() == []


def test_a_session_ended_by_the_server_ends_the_held_client_too(bench: Bench, through: Through):
    """It reads what a client reads whose session was killed; the message never goes on."""
    through.proxy.stop_at(Breakpoint(1, "before"))
    session = through.session()
    info = bench.info(session)
    running = bench.start(session, insert(3))
    through.stopped()
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    with pytest.raises(DatabaseError):
        running.result(DEADLINE_S)
    through.until_no_session()
    through.proxy.release()
    assert through.ids() == []
    assert not through.proxy.messages[0].sent_on


def test_an_answer_held_outlives_its_session(bench: Bench, through: Through):
    """The server had sent it already."""
    through.proxy.stop_at(Breakpoint(1, "answered"))
    session = through.session()
    info = bench.info(session)
    running = bench.start(session, insert(3))
    through.stopped()
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    through.until_no_session()
    through.session().run("SELECT 1")
    assert not running.done()
    through.proxy.release()
    assert running.result(DEADLINE_S).affected == 1


def test_a_query_is_cancelled_through_the_proxy(bench: Bench, through: Through):
    """The message carries the code of the cancellation, and the session lives."""
    bench.connect().run("SELECT 1")
    holder = bench.connect()
    holder.run("BEGIN")
    holder.run("UPDATE teams SET title = 'held' WHERE id = 1")
    session = through.session()
    info = bench.info(session)
    running = bench.parked(session, "UPDATE teams SET title = 'mine' WHERE id = 1")
    bench.engine.sessions.cancel(bench.admin(), info.pid, info.started)
    with pytest.raises(DatabaseError) as cancelled:
        running.result(DEADLINE_S)
    assert through.proxy.messages[0].error == cancelled.value.code
    holder.run("ROLLBACK")
    assert session.run("SELECT 1").scalar() == 1


def test_twenty_megabytes_pass_undamaged(bench: Bench, through: Through):
    """As one literal, there and back."""
    with contextlib.suppress(DatabaseError):
        bench.admin().run("SET GLOBAL max_allowed_packet = 67108864")
    kind = "text" if bench.engine.dialect == "postgres" else "longtext"
    session = through.session()
    session.run(f"CREATE TABLE big (body {kind})")
    session.run(f"INSERT INTO big VALUES ('{'ü' * (HUGE // 2)}')")
    assert session.run("SELECT body FROM big").scalar() == "ü" * (HUGE // 2)
    assert len(through.proxy.messages[-1].text) > HUGE // 2


def test_a_server_that_is_not_there_ends_the_connection(bench: Bench):
    """The client sees it broken; the proxy goes on."""
    gone = Proxy(bench.engine.dialect, ("127.0.0.1", 1))
    at = dataclasses.replace(bench.server.address(), host="127.0.0.1", port=gone.port)
    for _ in range(2):
        with pytest.raises(DatabaseError) as lost:
            bench.engine.connector.connect(at, bench.database, application="client")
        assert lost.value.lost
    assert gone.sessions() == ()
    gone.close()
    gone.close()


def test_what_cannot_be_is_refused():
    """An unknown protocol; pacing where the server has no pause between statements."""
    with pytest.raises(UsageError, match="known: postgres, mysql"):
        Proxy("oracle", ("127.0.0.1", 1))
    with pytest.raises(UsageError, match="pacing"):
        Proxy("postgres", ("127.0.0.1", 1), paced=True, split=cut)


@pytest.fixture
def psycopg_through(postgres: Bench, through: Through) -> Iterator[psycopg.Connection]:
    at = through.address
    with psycopg.connect(
        host=at.host, port=at.port, user=at.user, password=at.password, dbname=postgres.database
    ) as connection:
        connection.autocommit = True
        yield connection


def test_psycopg_s_extended_protocol(psycopg_through, through: Through):
    """Bound values, named statements, a cursor on the server; TLS was asked for and declined."""
    for n in range(3, 9):
        psycopg_through.execute("INSERT INTO teams VALUES (%s, %s)", (n, "x"), prepare=n > 4)
    assert {m.text for m in through.proxy.messages} == {"INSERT INTO teams VALUES ($1, $2)"}
    assert len(through.proxy.messages) == 6
    with psycopg_through.transaction(), psycopg_through.cursor("named") as cursor:
        cursor.execute("SELECT id FROM users ORDER BY id")
        cursor.itersize = 100
        assert len(list(cursor)) == 2000
    with pytest.raises(psycopg.errors.UniqueViolation):
        psycopg_through.execute("INSERT INTO teams VALUES (%s, %s)", (3, "x"))
    assert through.proxy.messages[-1].error == "23505"
    assert through.ids() == list(range(3, 9))


def test_psycopg_s_pipeline_is_held_in_order(postgres: Bench, psycopg_through, through: Through):
    """Messages sent ahead wait behind the one that is held."""
    through.proxy.stop_at(Breakpoint(2, "before"))

    def send_ahead() -> int:
        with psycopg_through.pipeline() as pipeline:
            for n in (3, 4, 5):
                psycopg_through.execute("INSERT INTO teams VALUES (%s, %s)", (n, "x"))
                pipeline.sync()
            return psycopg_through.execute("SELECT count(*) FROM teams").fetchone()[0]

    running = postgres._threads.submit(send_ahead)
    assert through.stopped().n == 2
    postgres.until("the first is through", lambda: through.ids() == [3])
    through.proxy.release()
    assert running.result(DEADLINE_S) == 5
    assert len(through.proxy.messages) == 3


def test_copy_passes_both_ways(psycopg_through, through: Through):
    """Rows in, rows out; a COPY that fails; and its answer can be held like any other."""
    rows = [(n, f"title {n}") for n in range(3, 5000)]
    with psycopg_through.cursor() as cursor:
        with cursor.copy("COPY teams FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.rowcount == len(rows)
        with cursor.copy("COPY teams TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == len(rows) + 2
        with (
            pytest.raises(psycopg.errors.UniqueViolation),
            cursor.copy("COPY teams FROM STDIN") as copy,
        ):
            copy.write_row(rows[0])
    assert [m.error for m in through.proxy.messages] == ["", "", "23505"]
    assert through.ids() == [n for n, _ in rows]


def test_copy_by_the_extended_protocol(postgres: Bench, through: Through):
    """There a Sync comes before the rows, and the server passes over it."""
    at = through.address
    where = (at.host, str(at.port), at.user, at.password, postgres.database)
    done = subprocess.run(
        [sys.executable, "-c", COPY_PROGRAM, *where],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert done.stdout.split() == ["COMMAND_OK", "FATAL_ERROR"]
    assert [m.error for m in through.proxy.messages] == ["", "23505"]
    assert postgres.connect().run("SELECT body FROM notes WHERE id = 100").scalar() == "COPIED"


def test_a_driver_s_own_cancel(postgres: Bench, psycopg_through, through: Through):
    """The request comes on a connection of its own and reaches the server."""
    running = postgres._threads.submit(psycopg_through.execute, "SELECT pg_sleep(600)")
    observer = postgres.admin()
    pid = psycopg_through.info.backend_pid
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
    postgres.until("it sleeps", lambda: observer.run(asleep, (pid,)).scalar())
    psycopg_through.cancel_safe()
    with pytest.raises(psycopg.errors.QueryCanceled):
        running.result(DEADLINE_S)


def connect_mysql(at: Address, database: str, **options: Any) -> pymysql.Connection:
    return pymysql.connect(
        host=at.host,
        port=at.port,
        user=at.user,
        password=at.password,
        database=database,
        autocommit=True,
        **{"client_flag": CLIENT.MULTI_STATEMENTS, **options},
    )


def test_a_statement_prepared_on_the_server(mysql: Bench, through: Through):
    """Its execution is a message with the text that it was prepared with, and the values."""
    connection = connect_mysql(through.address, mysql.database)
    connection._execute_command(COMMAND.COM_STMT_PREPARE, "INSERT INTO teams VALUES (?, ?)")
    prepared = connection._read_packet().get_all_data()
    while not connection._read_packet().is_eof_packet():
        pass
    head = prepared[1:5] + b"\0" + struct.pack("<I", 1)
    for n in (3, 4):
        body = head + b"\0\1\x08\0\xfd\0" + struct.pack("<q", n) + b"\4text"
        connection._execute_command(COMMAND.COM_STMT_EXECUTE, body)
        assert connection._read_packet().is_ok_packet()
    assert [(m.text, m.values) for m in through.proxy.messages] == [
        ("INSERT INTO teams VALUES (?, ?)", (str(n), "text")) for n in (3, 4)
    ]
    assert through.ids() == [3, 4]
    connection.close()


def test_rows_of_a_client_s_file(mysql: Bench, through: Through, paced: Through, tmp_path):
    """LOAD DATA LOCAL passes, also in a message of many statements that is paced elsewhere."""
    mysql.admin().run("SET GLOBAL local_infile = ON")
    file = tmp_path / "rows"
    file.write_text("".join(f"{n}\tt\n" for n in range(3, 90_000)))
    for way in (through, paced):
        connection = connect_mysql(way.address, mysql.database, local_infile=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM teams WHERE id > 2; "
                f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE teams; "
                "SELECT count(*) FROM teams"
            )
            counts = [cursor.rowcount]
            while cursor.nextset():
                counts.append(cursor.rowcount)
            assert counts[1:] == [89_997, 1]
            assert cursor.fetchone() == (89_999,)
        connection.close()


MESSAGES = (
    f"{insert(3)}; {insert(4)}; SELECT id, title FROM teams ORDER BY id",
    f"-- lead\n{insert(5)}; -- between ; \n{insert(6)} /* in ; */; # end",
    f"{insert(7)};; {insert(8)}",
    f"{insert(9)}; {insert(9)}; {insert(10)}",
    f"{insert(11)}; this is no SQL; {insert(12)}",
    f"SELECT 1; SELECT 2 FROM users LIMIT 3;SELECT ';' AS a\n;{insert(13)};\n",
    "CREATE TABLE seq (id int AUTO_INCREMENT PRIMARY KEY, w varchar(3)); "
    "INSERT INTO seq (w) VALUES ('a'), ('b'); SELECT LAST_INSERT_ID(); SELECT ROW_COUNT(); "
    "SET @a = 5; SELECT @a + 1; SELECT 1/0; SELECT @@warning_count",
    "START TRANSACTION; DELETE FROM teams WHERE id > 3; SELECT count(*) FROM teams; ROLLBACK",
    f"{insert(14)}; CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2, 3; END; CALL p(); "
    "DROP PROCEDURE p",
    "CREATE PROCEDURE q() BEGIN SELECT 1; SELECT 2, 3; END",
    f"{insert(15)}; CALL q(); {insert(16)}; CALL q()",
    f"/*!40000 SELECT 1 */; {insert(17)}; /* {insert(18)}; */ SELECT 'ä ü 漢字'",
    "INSERT INTO notes SELECT id, email FROM users WHERE id > 100; SELECT body FROM notes",
    f"{insert(3)}; SELECT 1",
    ";",
    "SELECT 1;",
    "USE mysql; SELECT DATABASE(); SELECT 1",
)


SYNTAX_ERROR = 1064
"""Its text quotes the message from there on, of which the server has one part only."""


def everything(connection: pymysql.Connection, message: str) -> list[Any]:
    """Every result of a message as the client sees it."""
    seen: list[Any] = []
    with connection.cursor() as cursor:
        try:
            cursor.execute(message)
            more = True
            while more:
                names = [column[:2] for column in cursor.description or ()]
                result = cursor._result
                status = (result.affected_rows, result.insert_id, result.warning_count)
                seen.append((names, cursor.fetchall() if names else (), status))
                more = cursor.nextset()
        except pymysql.Error as error:
            seen.append(error.args[:1] if error.args[0] == SYNTAX_ERROR else error.args)
    return seen


def test_paced_messages_look_the_same_to_the_client(bench: Bench, through: Through, paced: Through):
    """Every result, count and error; and the same state is left on the server."""
    ways = [bench.server.address(), through.address, paced.address]
    databases = [bench.copy() for _ in ways]
    connections = [connect_mysql(*way) for way in zip(ways, databases, strict=True)]
    for message in MESSAGES:
        direct, whole, in_parts = [everything(c, message) for c in connections]
        assert whole == direct, message
        assert in_parts == direct, message
    for connection in connections:
        connection.close()
    tables = ("teams", "users", "notes", "seq")
    states = [
        [bench.connect("look", d).run(f"SELECT * FROM {t} ORDER BY 1").rows for t in tables]
        for d in databases
    ]
    assert states[0] == states[1] == states[2]
    assert any(m.parts > 1 for m in paced.proxy.messages)


def test_a_paced_message_is_stopped_between_two_statements(bench: Bench, paced: Through):
    """Each part has its own number, and what came before it is done."""
    paced.proxy.stop_at(Breakpoint(1, "before"))
    running = bench.start(paced.session(), f"{insert(3)}; SELECT 1; {insert(4)}; {insert(5)}")
    seen = []
    for n in range(1, 4):
        message = paced.stopped()
        seen.append((message.n, message.text, message.part, message.parts, paced.ids()))
        paced.proxy.release(Breakpoint(n + 1, "before"))
    running.result(DEADLINE_S)
    assert seen == [
        (1, insert(3), 1, 4, []),
        (2, insert(4), 3, 4, [3]),
        (3, insert(5), 4, 4, [3, 4]),
    ]
    assert paced.ids() == [3, 4, 5]


@pytest.mark.parametrize("where", ["before", "answered"])
@pytest.mark.parametrize("end", ["kill", "cut", "silent cut"])
def test_a_paced_message_goes_on_without_its_client(paced: Through, end, where):
    """The server has the whole message and runs it to its end, whoever still listens."""
    paced.proxy.stop_at(Breakpoint(2, where))
    client = paced.process(f"{insert(3)}; {insert(4)}; {insert(5)}", insert(6))
    assert paced.stopped().part == 2
    if end == "kill":
        client.kill()
    else:
        assert paced.proxy.cut(server_notices=end == "cut") == 1
    client.wait()
    paced.bench.until("the rest is done", lambda: len(paced.ids()) == 3)
    if end != "silent cut":
        paced.until_no_session()
    assert paced.ids() == [3, 4, 5]


def test_a_paced_message_that_was_never_sent_dies_with_its_client(paced: Through):
    """Held before its first statement, the server has none of it."""
    paced.proxy.stop_at(Breakpoint(1, "before"))
    client = paced.process(f"{insert(3)}; {insert(4)}")
    assert paced.stopped().part == 1
    client.kill()
    client.wait()
    paced.until_no_session()
    paced.proxy.release()
    assert paced.ids() == []


def test_a_killed_session_ends_a_paced_message(bench: Bench, paced: Through):
    """What is left of it never runs."""
    paced.proxy.stop_at(Breakpoint(2, "before"))
    session = paced.session()
    info = bench.info(session)
    running = bench.start(session, f"{insert(3)}; {insert(4)}")
    paced.stopped()
    bench.engine.sessions.end(bench.admin(), info.pid, info.started)
    with pytest.raises(DatabaseError):
        running.result(DEADLINE_S)
    paced.until_no_session()
    paced.proxy.release()
    assert paced.ids() == [3]

"""On which rows a migration fails, found on real servers with real migrations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from row_worlds import empty

from harness.errors import DatabaseError
from harness.ports import Session
from harness.row_generation import FailingRows, Failure, fill, keep_passing, smallest
from harness.row_generation.thinning import NotThinned, thin

pytestmark = pytest.mark.matrix(of=2)

USERS = (
    "CREATE TABLE teams (id integer PRIMARY KEY, title varchar(40) NOT NULL)",
    "CREATE TABLE users (id integer PRIMARY KEY, team_id integer NOT NULL, "
    "email varchar(60) NOT NULL, age varchar(20) NOT NULL, score integer NOT NULL, "
    "FOREIGN KEY (team_id) REFERENCES teams (id))",
    "CREATE TABLE logins (id integer PRIMARY KEY, user_id integer NOT NULL, "
    "FOREIGN KEY (user_id) REFERENCES users (id))",
    "CREATE TABLE loose (word varchar(20), size integer)",
)
ROWS = 200
CODES = {"postgres": 0, "mysql": 1, "mariadb": 2}


@dataclass
class Drill:
    """A database, and the trying of a migration on copies of it."""

    bench: Any
    database: str
    statements: Sequence[str]
    tries: int = 0

    def session(self) -> Session:
        return self.bench.connect(database=self.database)

    def attempt(self, remove: Callable[[Session], None]) -> Failure | None:
        self.tries += 1
        engine, admin = self.bench.engine, self.bench.admin()
        copy = self.bench.new_name()
        engine.databases.clone(admin, self.database, copy)
        session = self.bench.connect(database=copy)
        try:
            remove(session)
            for sql in self.statements:
                session.run(sql)
        except DatabaseError as error:
            return Failure(error.code, error.message)
        finally:
            session.close()
            engine.databases.drop(admin, copy)
        return None

    def find(self, **how: Any) -> FailingRows:
        how = {"about": "; ".join(self.statements), **how}
        found = smallest(self.bench.engine, self.session, self.attempt, **how)
        assert self.tries <= 26
        return found


def drill(bench: Any, *statements: str, rows: int = ROWS) -> Drill:
    """Users in teams, each with logins; their values are plain until a test changes some."""
    session = empty(bench, *USERS)
    series = bench.engine.databases.series(rows)
    session.run(f"INSERT INTO teams SELECT n, concat('team ', n) FROM {series} WHERE n <= 5")
    session.run(
        "INSERT INTO users (id, team_id, email, age, score) SELECT n, n % 5 + 1, "
        f"concat('user', n, '@example.org'), concat(n % 50 + 18), n FROM {series}"
    )
    session.run(f"INSERT INTO logins SELECT n, n FROM {series}")
    session.run(f"INSERT INTO loose SELECT concat('word ', n), n FROM {series} WHERE n <= 20")
    return Drill(bench, session.database, statements)


def told(found: FailingRows) -> list[list[str]]:
    """The rows of each set by their keys."""
    return [[row.key for row in rows] for rows in found.sets]


def set_values(of: Drill, column: str, values: dict[int, str]) -> None:
    session = of.session()
    for key, value in values.items():
        session.run(f"UPDATE users SET {column} = %s WHERE id = %s", (value, key))


def code(bench: Any, *by_engine: str) -> str:
    """The code that this engine gives."""
    return by_engine[CODES[bench.engine.name]]


def test_any_row_fails_alone(bench):
    """A new column that may not be NULL has no value for any of them; nor does three letters of an
    address suffice for any."""
    sql = {
        "postgres": "ALTER TABLE users ADD COLUMN phone varchar(20) NOT NULL",
        "mysql": "ALTER TABLE users MODIFY email varchar(3) NOT NULL",
    }
    of = drill(bench, sql[bench.engine.dialect])
    found = of.find()
    assert found.failure.code == code(bench, "23502", "1265", "1265")
    assert (found.table, found.rows, found.any_row, found.complete) == ("users", ROWS, True, True)
    assert str(found).startswith("fails on any row of users (3 of 200 rows, each tried alone): ")
    assert of.tries <= 8


def test_two_rows_fail_together(bench):
    """Addresses that a unique index takes for one; neither row fails alone."""
    index = {
        "postgres": "CREATE UNIQUE INDEX mails ON users (lower(email))",
        "mysql": "CREATE UNIQUE INDEX mails ON users (email)",
    }
    of = drill(bench, index[bench.engine.dialect])
    set_values(of, "email", {150: "USER37@example.org"})
    found = of.find()
    assert found.failure.code == code(bench, "23505", "1062", "1062")
    assert told(found) == [["id 37", "id 150"]]
    assert found.complete
    assert found.sets[0][1].values["email"] == "'USER37@example.org'"
    assert "rows that do not go together, once among 200 rows of users: id 37 (email" in str(found)


def test_some_rows_are_too_long(bench):
    """All of them are found if there are few, and the rest goes through."""
    of = drill(
        bench,
        "ALTER TABLE users ADD COLUMN phone varchar(20)",
        "UPDATE users SET phone = email",
    )
    set_values(of, "email", {n: f"someone.{n}@example.org" for n in (60, 170)})
    found = of.find()
    assert found.failure.code == code(bench, "22001", "1265", "1406")
    assert told(found) == [["id 60"], ["id 170"]]
    assert found.complete
    assert "fails on 2 of 200 rows of users: id 60 (email 'someone.60@example.org'" in str(found)


def test_many_rows_are_told_as_at_least_so_many(bench):
    """Tries end before all are found; what is told is true, and says that it is not all."""
    of = drill(bench, "ALTER TABLE users ADD CONSTRAINT young CHECK (score % 3 <> 2)")
    found = of.find()
    assert found.failure.code == code(bench, "23514", "3819", "4025")
    assert not found.complete
    assert 0 < len(found.sets) < ROWS / 3
    assert all(int(key.removeprefix("id ")) % 3 == 2 for (key,) in told(found))
    assert "fails on at least " in str(found)


def test_a_text_is_no_number(bench):
    """A cast fails on the one text that is none, wherever it stands."""
    cast = {
        "postgres": "ALTER TABLE users ALTER COLUMN age TYPE integer USING age::integer",
        "mysql": "ALTER TABLE users MODIFY age integer NOT NULL",
    }
    of = drill(bench, cast[bench.engine.dialect])
    set_values(of, "age", {123: "n/a"})
    found = of.find()
    assert found.failure.code == code(bench, "22P02", "1366", "1292")
    assert (told(found), found.complete) == ([["id 123"]], True)
    assert found.sets[0][0].values["age"] == "'n/a'"
    assert of.tries <= 12


def test_a_table_without_a_key_is_searched_too(bench):
    """Its rows are told by their values."""
    of = drill(bench, "ALTER TABLE loose ADD CONSTRAINT small CHECK (size <> 13)")
    found = of.find()
    assert (found.table, told(found), found.complete) == ("loose", [[""]], True)
    assert found.sets[0][0].values["word"] == "'word 13'"
    assert str(found).startswith("fails on 1 of 20 rows of loose: (")


def test_it_takes_rows_of_two_tables(bench):
    """Neither table alone makes it fail: both are told."""
    of = drill(
        bench,
        "CREATE TABLE pairs (word varchar(9) NOT NULL)",
        "INSERT INTO pairs (word) SELECT word FROM loose JOIN logins ON logins.id = loose.size "
        "WHERE size = 17",
        "ALTER TABLE pairs ADD CONSTRAINT no_words CHECK (word = 'none')",
    )
    found = of.find(about="loose")
    assert {found.table, *found.also} == {"loose", "logins"}
    assert "have rows" in str(found)


def test_empty_tables_do_not_help(bench):
    """Then it is not the rows, and no row is blamed."""
    found = drill(bench, "ALTER TABLE users ADD COLUMN email integer").find()
    assert (found.table, found.sets, found.tries) == ("", (), 1)
    assert str(found).startswith("fails on empty tables, too: ")


def test_too_few_tries_are_told(bench):
    """What is known after them is said, and no more."""
    of = drill(bench, "ALTER TABLE users ADD CONSTRAINT c CHECK (id <> 77)")
    found = of.find(tries=6)
    assert (found.sets, found.complete) == ((), False)
    assert f"fails on some of {found.among} rows of users, of 200" in str(found)
    assert found.among < ROWS
    none = of.find(tries=0)
    assert none.why_not == "0 tries did not tell of which table"
    assert str(none).startswith("fails; on which rows is not known: ")


def test_the_same_rows_are_found_again(bench):
    """The search is deterministic, in what it finds and in what it tries."""
    of = drill(bench, "ALTER TABLE users ADD CONSTRAINT c CHECK (id NOT IN (31, 32, 190))")
    failure = of.attempt(lambda session: None)
    first, second = (
        smallest(bench.engine, of.session, of.attempt, failure, tries=40) for _ in range(2)
    )
    assert first == second
    assert told(first) == [["id 31"], ["id 32"], ["id 190"]]


def test_another_failure_is_no_failure(bench):
    """With fewer rows it may fail for another reason, of which nothing is concluded."""
    of = drill(bench, "ALTER TABLE users ADD CONSTRAINT c CHECK (id <> 40)")
    plain = of.attempt

    def attempt(remove: Callable[[Session], None]) -> Failure | None:
        failure = plain(remove)
        return failure or Failure("XX000", "no rows to speak of")

    found = smallest(bench.engine, of.session, attempt)
    assert (told(found), found.complete) == ([["id 40"]], True)


def test_rows_that_refer_to_what_is_gone_go_as_well(bench):
    """And those that refer to them; what refers to nothing that is gone stays."""
    of = drill(bench)
    session, engine = of.session(), bench.engine
    specs = engine.table_specs.specs(session)
    thin(engine, session, specs, {"teams": None})
    counts = [
        session.run(f"SELECT count(*) FROM {table}").scalar()
        for table in ("teams", "users", "logins", "loose")
    ]
    assert counts == [0, 0, 0, 20]
    with pytest.raises(DatabaseError):
        session.run("INSERT INTO logins VALUES (1, 1)")


def test_it_can_be_tried_on_the_rows_that_pass(bench):
    """Generated rows of which some are too long; with the others the migration goes through."""
    session = empty(
        bench, "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(255) NOT NULL)"
    )
    fill(bench.engine, session, ROWS)
    of = Drill(
        bench,
        session.database,
        (
            "ALTER TABLE users ADD COLUMN phone varchar(20)",
            "UPDATE users SET phone = concat(id, email)",
        ),
    )
    found = of.find()
    assert found.table == "users"
    keep_passing(bench.engine, of.session(), found)
    left = of.session().run("SELECT id FROM users ORDER BY id").rows
    assert left == found.passing
    assert len(left) >= 5
    assert of.attempt(lambda session: None) is None


def test_a_server_that_keeps_its_rows_is_told(bench):
    """Nothing is concluded from a copy that still has them."""
    of = drill(bench, "ALTER TABLE users ADD CONSTRAINT c CHECK (id <> 77)")

    def attempt(remove: Callable[[Session], None]) -> Failure | None:
        raise NotThinned("rows could not be taken out: they are nailed down")

    failure = of.attempt(lambda session: None)
    found = smallest(bench.engine, of.session, attempt, failure)
    assert "nailed down" in str(found)


def test_deferred_checks_that_are_pending(bench):
    """PostgreSQL alters no table whose rows wait for their foreign keys to be looked at."""
    if "transactional-ddl" not in bench.engine.traits:
        pytest.skip("no DDL in a transaction here")
    session = empty(
        bench,
        "CREATE TABLE wallet (id uuid PRIMARY KEY, owner text NOT NULL)",
        "CREATE TABLE tx (id uuid PRIMARY KEY, wallet_id uuid NOT NULL REFERENCES wallet (id) "
        "DEFERRABLE INITIALLY DEFERRED, kind text NOT NULL)",
    )
    fill(bench.engine, session, 50)
    of = Drill(
        bench,
        session.database,
        (
            "BEGIN",
            "ALTER TABLE tx ADD COLUMN owner text",
            "UPDATE tx SET owner = w.owner, wallet_id = (SELECT id FROM wallet w2 "
            "WHERE w2.id <> tx.wallet_id ORDER BY id LIMIT 1) FROM wallet w "
            "WHERE w.id = tx.wallet_id",
            "ALTER TABLE tx ALTER COLUMN owner SET NOT NULL",
            "COMMIT",
        ),
    )
    found = of.find()
    assert found.failure.code == "55006"
    assert (found.table, found.any_row) == ("tx", True)

"""What sequences give next, whose values they are, and whether an INSERT is about to fail."""

from __future__ import annotations

from typing import Any

import pytest

from harness.ports.contents import Counter
from harness.state.difference import difference
from harness.state.snapshot import schema_of

SEQUENCES = {
    "an identity": (
        ("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a integer)",
         "INSERT INTO t (a) VALUES (1), (2)"),
        {"public.t_id_seq": Counter(3, 1, "public.t.id", 2, True)},
    ),
    "a serial": (
        ("CREATE TABLE t (id serial, a integer)", "INSERT INTO t VALUES (7, 1)"),
        {"public.t_id_seq": Counter(1, 1, "public.t.id", 7, False)},
    ),
    "a default in another schema": (
        ("CREATE SCHEMA x", "CREATE SEQUENCE x.s START 5",
         "CREATE TABLE t (id numeric PRIMARY KEY DEFAULT nextval('x.s'))",
         "INSERT INTO t DEFAULT VALUES"),
        {"x.s": Counter(6, 1, "public.t.id", 5, True)},
    ),
    "one that goes down": (
        ("CREATE SEQUENCE s INCREMENT -2 MAXVALUE 100 START 100",
         "CREATE TABLE t (id integer UNIQUE DEFAULT nextval('s'))",
         "INSERT INTO t DEFAULT VALUES", "INSERT INTO t DEFAULT VALUES",
         "INSERT INTO t VALUES (90)"),
        {"public.s": Counter(96, -2, "public.t.id", 90, True)},
    ),
    "one that is cached": (
        ("CREATE SEQUENCE s CACHE 10", "SELECT nextval('s')"), {"public.s": Counter(11)},
    ),
    "one that comes round": (
        ("CREATE SEQUENCE s MAXVALUE 3 CYCLE", "SELECT nextval('s') FROM generate_series(1, 3)"),
        {"public.s": Counter(1)},
    ),
    "one that comes round downwards": (
        ("CREATE SEQUENCE s INCREMENT -1 MINVALUE -3 MAXVALUE -1 CYCLE",
         "SELECT nextval('s') FROM generate_series(1, 3)"),
        {"public.s": Counter(-1, -1)},
    ),
    "one that is at its end": (
        ("CREATE SEQUENCE s", "SELECT setval('s', 9223372036854775807)"),
        {"public.s": Counter(9223372036854775808)},
    ),
    "one that nobody has used": (
        ("CREATE SEQUENCE s START 5 INCREMENT 3",), {"public.s": Counter(5, 3)},
    ),
    "one of two tables": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id integer DEFAULT nextval('s'))",
         "CREATE TABLE u (id integer PRIMARY KEY DEFAULT nextval('s'))",
         "INSERT INTO t VALUES (5)", "INSERT INTO u VALUES (9)"),
        {"public.s": Counter(1, 1, "public.u.id", 9, True)},
    ),
    "one of a partitioned table": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id integer DEFAULT nextval('s')) "
         "PARTITION BY RANGE (id)", "CREATE TABLE p PARTITION OF t DEFAULT",
         "INSERT INTO t VALUES (5)"),
        {"public.s": Counter(1, 1, "public.t.id", 5, False)},
    ),
    "one of a partition alone": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id integer) PARTITION BY RANGE (id)",
         "CREATE TABLE p PARTITION OF t (id DEFAULT nextval('s')) DEFAULT",
         "INSERT INTO t VALUES (5)"),
        {"public.s": Counter(1, 1, "public.p.id", 5, False)},
    ),
    "one of a domain": (
        ("CREATE DOMAIN d AS integer", "CREATE DOMAIN e AS d", "CREATE SEQUENCE s",
         "CREATE TABLE t (id e DEFAULT nextval('s'))", "INSERT INTO t VALUES (5)"),
        {"public.s": Counter(1, 1, "public.t.id", 5, False)},
    ),
    "one of numbers without end": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id numeric DEFAULT nextval('s'), "
         "f float8 DEFAULT nextval('s'))",
         "INSERT INTO t VALUES ('NaN', 'Infinity'), (3.5, '-Infinity')"),
        {"public.s": Counter(1, 1, "public.t.id", 3, False)},
    ),
    "one of a text": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id text DEFAULT 'N' || nextval('s'))",
         "ALTER SEQUENCE s OWNED BY t.id", "INSERT INTO t VALUES ('N5')"),
        {"public.s": Counter(1)},
    ),
    "one of a view": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id integer)", "CREATE VIEW v AS SELECT 1 / id AS id "
         "FROM t", "ALTER VIEW v ALTER id SET DEFAULT nextval('s')", "INSERT INTO t VALUES (0)"),
        {"public.s": Counter(1)},
    ),
    "one with odd names": (
        ('CREATE SCHEMA "a.b"', 'CREATE SEQUENCE "a.b"."it\'s"',
         'CREATE TABLE "a.b"."x y" ("%s" integer DEFAULT nextval($$"a.b"."it\'s"$$))',
         'INSERT INTO "a.b"."x y" VALUES (4)'),
        {"a.b.it's": Counter(1, 1, "a.b.x y.%s", 4, False)},
    ),
    "one whose key has a condition": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id integer DEFAULT nextval('s'))",
         "CREATE UNIQUE INDEX ON t (id) WHERE id > 5", "CREATE UNIQUE INDEX ON t (id, (id + 1))"),
        {"public.s": Counter(1, 1, "public.t.id", None, False)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SEQUENCES)
def test_a_sequence_of_any_sort(bench, case):
    """Its next value, its step, the column that takes it, the farthest value there, the key."""
    if bench.engine.dialect != "postgres":
        pytest.skip(f"{bench.engine.title} numbers by columns of its own")
    statements, wanted = SEQUENCES[case]
    assert _counters(bench, statements) == wanted


COLUMNS = {
    "a column that numbers itself": (
        ("CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, a integer)",
         "INSERT INTO t (a) VALUES (1), (2)"), {"t": Counter(3)},
    ),
    "a value that was taken and is gone": (
        ("CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, a integer)",
         "INSERT INTO t VALUES (50, 1)", "DELETE FROM t"), {"t": Counter(51)},
    ),
    "one that nobody has used": (
        ("CREATE TABLE `o dd` (id integer AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 7",),
        {"o dd": Counter(7)},
    ),
}  # fmt: skip


TAKEN = {
    "a sequence that a key takes": (
        ("CREATE SEQUENCE s", "CREATE TABLE t (id bigint DEFAULT nextval(s) PRIMARY KEY, a int)",
         "INSERT INTO t VALUES (5000, 1)"), {"s": Counter(1, 1, "t.id", 5000, True)},
    ),
    "one that counts down, for any column": (
        ("CREATE SEQUENCE `o dd` INCREMENT -2 MINVALUE -100 MAXVALUE 9 START 9",
         "CREATE TABLE t (id int PRIMARY KEY, `b b` bigint DEFAULT nextval(`o dd`))",
         "INSERT INTO t VALUES (1, -40), (2, 3)"), {"o dd": Counter(9, -2, "t.b b", -40, False)},
    ),
    "one that is a part of a key": (
        ("CREATE SEQUENCE s",
         "CREATE TABLE t (a int, id bigint DEFAULT nextval(s), UNIQUE (id, a))"),
        {"s": Counter(1, 1, "t.id", None, False)},
    ),
    "one that nobody takes": (("CREATE SEQUENCE s START 7",), {"s": Counter(7)}),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_a_sequence_beside_columns_that_number_themselves(bench, case):
    """MariaDB has both."""
    if bench.engine.name != "mariadb":
        pytest.skip(f"{bench.engine.title} has not both")
    statements, wanted = TAKEN[case]
    assert _counters(bench, statements) == wanted


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_that_numbers_itself(bench, case):
    """What it gives next, which the server keeps ahead of what is there."""
    if bench.engine.dialect != "mysql":
        pytest.skip(f"{bench.engine.title} numbers by sequences")
    statements, wanted = COLUMNS[case]
    assert _counters(bench, statements) == wanted


def test_a_sequence_that_is_set_back_is_told_with_what_will_happen(bench):
    """The next INSERT fails: the line says where the column is, and with which code."""
    if bench.engine.dialect != "postgres":
        pytest.skip(f"{bench.engine.title} does not let a column's next value fall behind")
    session = bench.connect(database=_made(bench, SEQUENCES["an identity"][0]))
    before = schema_of(bench.engine, session)
    session.run("SELECT setval('t_id_seq', 1, false)")
    after = schema_of(bench.engine, session)
    gap = difference(before, after)
    duplicate = bench.engine.snapshot.DUPLICATE
    assert gap.lines(before, after, duplicate) == [
        "next value: public.t_id_seq: gives 1 next (was: 3), and public.t.id is at 2 already: "
        f"an INSERT fails with {duplicate} (duplicate key)"
    ]


def _made(bench: Any, statements: tuple[str, ...]) -> str:
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    session = bench.connect(database=name)
    for sql in statements:
        session.run(sql)
    session.close()
    return name


def _counters(bench: Any, statements: tuple[str, ...]) -> dict[str, Counter]:
    session = bench.connect(database=_made(bench, statements))
    return dict(bench.engine.snapshot.counters(session))

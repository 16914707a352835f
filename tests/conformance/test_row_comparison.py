"""Which rows of two databases differ, one by one, on tables of every shape."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pytest

from harness.errors import DatabaseError
from harness.ports import Session
from harness.state import row_comparison
from harness.state.row_comparison import compare
from harness.state.rows_difference import RowsDifference

pytestmark = pytest.mark.matrix(of=2)

MANY = 100_000


@dataclass
class Pair:
    """A database, and a copy of it that is changed."""

    bench: Any
    one: Session
    other: Session
    name: str

    def compared(self, table: str, **options: Any) -> RowsDifference:
        return compare(self.bench.engine, self.one, self.other, table, **options)


@pytest.fixture
def pair(bench: Any) -> Callable[..., Pair]:
    """Makes a database of these statements, and its copy."""

    def make(*statements: str) -> Pair:
        databases, admin = bench.engine.databases, bench.admin()
        one, other = bench.new_name(), bench.new_name()
        databases.create(admin, one)
        session = bench.connect(database=one)
        for sql in statements:
            session.run(sql.replace("{series}", databases.series(MANY)))
        session.close()
        databases.clone(admin, one, other)
        return Pair(bench, bench.connect(database=one), bench.connect(database=other), one)

    make.dialect = bench.engine.dialect
    return make


def told(gap: RowsDifference) -> tuple[int, int, int, dict[str, int]]:
    return gap.gone, gap.new, gap.changed, dict(gap.columns)


PEOPLE = (
    "CREATE TABLE people (id integer PRIMARY KEY, name varchar(40), age integer)",
    "INSERT INTO people SELECT n, concat('name ', n), n % 90 FROM {series} WHERE n <= 3000",
)


def test_equal_tables_do_not_differ(pair):
    """Nothing is fetched, and all rows are counted."""
    gap = pair(*PEOPLE).compared("people")
    assert (told(gap), gap.had, bool(gap), gap.samples) == ((0, 0, 0, {}), 3000, False, ())


def test_each_row_that_differs_is_told(pair):
    """Gone, new, changed; which columns, and how: the first by key as samples."""
    both = pair(*PEOPLE)
    both.other.run("DELETE FROM people WHERE id IN (7, 2000)")
    both.other.run("INSERT INTO people VALUES (4000, 'new', 1)")
    both.other.run("UPDATE people SET name = 'other' WHERE id IN (10, 11, 12)")
    both.other.run("UPDATE people SET age = NULL WHERE id IN (12, 13)")
    gap = both.compared("people")
    assert told(gap) == (2, 1, 4, {"name": 3, "age": 2})
    assert (gap.count, gap.had) == (7, 3000)
    assert [str(sample) for sample in gap.samples] == [
        "id 7 is gone",
        "id 10: name 'name 10' → 'other'",
        "id 11: name 'name 11' → 'other'",
        "id 12: age 12 → NULL, name 'name 12' → 'other'",
        "id 13: age 13 → NULL",
    ]
    counted = "7 of 3000 rows differ (2 gone, 1 new, 4 changed), values of name 3, age 2"
    assert f"{counted}: id 7 is gone; " in str(gap)
    assert str(gap).endswith("; …")


def test_samples_are_in_the_order_of_numbers(pair):
    """9 comes before 10, whatever bucket a row is in."""
    both = pair(*PEOPLE)
    both.other.run("DELETE FROM people WHERE id >= 9")
    samples = both.compared("people").samples
    assert [sample.key for sample in samples] == [f"id {n}" for n in range(9, 14)]


def test_only_the_named_columns_are_compared(pair):
    """What changed beside them is no matter; a column that never was is an error."""
    both = pair(*PEOPLE)
    both.other.run("UPDATE people SET age = 0 WHERE id = 5")
    assert not both.compared("people", columns=("name",))
    assert told(both.compared("people", columns=("age",))) == (0, 0, 1, {"age": 1})
    with pytest.raises(DatabaseError, match="no_such_column"):
        both.compared("people", columns=("no_such_column",))


@pytest.mark.parametrize("changed", [3, MANY])
def test_a_large_table(pair, changed):
    """A hundred thousand rows, of which a few differ or all: exactly those are counted."""
    both = pair(
        "CREATE TABLE big (id integer PRIMARY KEY, a varchar(40), b integer)",
        "INSERT INTO big SELECT n, concat('a', n), n FROM {series}",
    )
    both.other.run(f"UPDATE big SET b = -b WHERE id <= {changed}")
    gap = both.compared("big")
    assert told(gap) == (0, 0, changed, {"b": changed})
    assert gap.samples[0].key == "id 1"


def test_no_more_than_a_portion_is_in_memory(pair, monkeypatch):
    """However many rows differ, an answer holds no more of them than fit in a portion.

    That holds by construction: buckets are counted first, and as many are fetched together as fit;
    then only counts and samples are kept. Here the portion is made small and each answer counted.
    """
    both = pair(*PEOPLE)
    both.other.run("UPDATE people SET age = -1")
    portion = 4000
    monkeypatch.setattr(row_comparison, "PORTION", portion)
    monkeypatch.setattr(row_comparison, "BUCKET", 50)
    answers = []
    plain = type(both.one).run

    def run(self, sql, args=()):
        rows = plain(self, sql, args)
        if " IN (" in sql and "GROUP BY" not in sql:
            answers.append(sum(len(row) for row in rows.rows))
        return rows

    monkeypatch.setattr(type(both.one), "run", run)
    assert told(both.compared("people")) == (0, 0, 3000, {"age": 3000})
    assert len(answers) > 2 * 3
    assert max(answers) <= portion


def test_a_key_of_two_columns(pair):
    """Both together tell a row."""
    both = pair(
        "CREATE TABLE marks (a integer, b varchar(10), mark integer, PRIMARY KEY (a, b))",
        "INSERT INTO marks SELECT n % 10, concat('b', n), n FROM {series} WHERE n <= 500",
    )
    both.other.run("UPDATE marks SET mark = 0 WHERE a = 3 AND b = 'b13'")
    both.other.run("DELETE FROM marks WHERE a = 4 AND b = 'b14'")
    gap = both.compared("marks")
    assert told(gap) == (1, 0, 1, {"mark": 1})
    assert [str(sample) for sample in gap.samples] == [
        "a 3, b 'b13': mark 13 → 0",
        "a 4, b 'b14' is gone",
    ]


KEYS = {
    "postgres": {
        "text": ("text", "'it''s \\ ' || n"),
        "uuid": ("uuid", "md5(n::text)::uuid"),
        "bytea": ("bytea", "decode(md5(n::text), 'hex')"),
        "date": ("date", "CASE n WHEN 1 THEN 'infinity' ELSE '2024-01-01'::date + n END"),
        "timestamptz": ("timestamptz", "timestamptz '2024-01-01 0:00:00.5+00' + n * interval '1h'"),
        "numeric": ("numeric(20,5)", "n / 3.0"),
        "double precision": ("double precision", "n / 3.0::float8"),
        "boolean": ("boolean", "n = 1"),
        "interval": ("interval", "n * '1 month 1 hour'::interval"),
        "array": ("integer[]", "ARRAY[n, 1]"),
    },
    "mysql": {
        "text": ("varchar(50)", "concat('it''s \\\\ ', n)"),
        "binary": ("varbinary(20)", "IF(n = 1, '', UNHEX(LEFT(SHA2(n, 256), 32)))"),
        "date": ("date", "'2024-01-01' + INTERVAL n DAY"),
        "datetime": ("datetime(6)", "'2024-01-01 00:00:00.5' + INTERVAL n HOUR"),
        "timestamp": ("timestamp", "'2024-01-02 00:00:00' + INTERVAL n HOUR"),
        "time": ("time", "SEC_TO_TIME(n * 3601)"),
        "decimal": ("decimal(20,5)", "n / 3"),
        "float": ("float", "n / 3"),
        "bit": ("bit(20)", "n"),
        "enum": ("enum('a', 'b', 'c')", "n"),
        "year": ("year", "2000 + n"),
    },
}  # fmt: skip


@pytest.mark.parametrize("number", range(11))
def test_a_key_of_any_type(pair, bench, number):
    """A row is found again by its key, and shown, whatever the key is."""
    kinds = KEYS[bench.engine.dialect]
    if number >= len(kinds):
        pytest.skip(f"{bench.engine.title} has no more types to try")
    name, (type_, value) = [*kinds.items()][number]
    rows = 2 if name == "boolean" else 3
    both = pair(
        f"CREATE TABLE odd (k {type_} PRIMARY KEY, v integer)",
        f"INSERT INTO odd SELECT {value}, n FROM {{series}} WHERE n <= {rows}",
    )
    both.other.run("UPDATE odd SET v = -1 WHERE v = 1")
    gap = both.compared("odd")
    assert told(gap) == (0, 0, 1, {"v": 1})
    (sample,) = gap.samples
    assert (sample.before["v"], sample.after["v"]) == ("1", "-1")
    both.other.run("DELETE FROM odd WHERE v <> -1")
    assert told(both.compared("odd")) == (rows - 1, 0, 1, {"v": 1})


def test_a_table_without_a_key(pair):
    """A changed row is one that is gone and one that is new; twins are counted."""
    both = pair(
        "CREATE TABLE loose (a varchar(10), b varchar(10))",
        "INSERT INTO loose VALUES ('a', NULL), ('a', NULL), ('a', NULL), ('b', ''), (NULL, 'c')",
    )
    both.other.run("UPDATE loose SET b = 'x' WHERE a = 'b'")
    both.other.run("DELETE FROM loose WHERE a = 'a'")
    both.other.run("INSERT INTO loose VALUES ('a', NULL)")
    gap = both.compared("loose")
    assert told(gap) == (3, 1, 0, {})
    assert {str(sample) for sample in gap.samples} == {
        "('a', NULL) is gone",
        "('b', '') is gone",
        "('b', 'x') is new",
    }
    both.other.run("DELETE FROM loose")
    assert told(both.compared("loose")) == (5, 0, 0, {})


def test_many_rows_without_a_key(pair):
    """Twins without end are one answer."""
    both = pair(
        "CREATE TABLE loose (a integer, b integer)",
        "INSERT INTO loose SELECT n % 7, 1 FROM {series}",
    )
    both.other.run("UPDATE loose SET b = 2 WHERE a = 3")
    gap = both.compared("loose")
    assert gap.gone == gap.new == sum(n % 7 == 3 for n in range(1, MANY + 1))
    assert [str(sample) for sample in gap.samples] == ["(3, 1) is gone", "(3, 2) is new"]


def test_a_unique_key_without_null_is_a_key(pair):
    """One that may be NULL is none."""
    both = pair(
        "CREATE TABLE named (a varchar(10) NOT NULL UNIQUE, b integer)",
        "CREATE TABLE perhaps (a varchar(10) UNIQUE, b integer)",
        "INSERT INTO named VALUES ('x', 1), ('y', 2)",
        "INSERT INTO perhaps VALUES ('x', 1), (NULL, 2), (NULL, 3)",
    )
    for table in ("named", "perhaps"):
        both.other.run(f"UPDATE {table} SET b = 9 WHERE a = 'x'")
    assert told(both.compared("named")) == (0, 0, 1, {"b": 1})
    assert told(both.compared("perhaps")) == (1, 1, 0, {})


def test_a_key_that_is_there_no_longer(pair):
    """Then the rows are compared by their values in the columns that are asked for."""
    both = pair(*PEOPLE)
    both.other.run("UPDATE people SET name = 'other' WHERE id = 5")
    both.other.run("ALTER TABLE people DROP COLUMN id")
    assert told(both.compared("people", columns=("name",))) == (1, 1, 0, {})


def test_a_table_or_column_that_is_gone(pair):
    """All its rows are; a table that never was is an error, one that came later no matter."""
    both = pair(*PEOPLE)
    both.other.run("ALTER TABLE people DROP COLUMN age")
    assert told(both.compared("people")) == (0, 0, 3000, {"age": 3000})
    assert not both.compared("people", columns=("name",))
    both.other.run("DROP TABLE people")
    assert told(both.compared("people")) == (3000, 0, 0, {})
    both.other.run("CREATE TABLE later (id integer PRIMARY KEY)")
    with pytest.raises(DatabaseError, match="later"):
        both.compared("later")


def test_a_column_that_is_only_wider_is_the_same(pair):
    """Its values are; one beside them that is another is told."""
    both = pair(*PEOPLE)
    text = {"postgres": "ALTER TABLE people ALTER name TYPE text, ALTER age TYPE bigint"}
    both.other.run(
        text.get(
            both.bench.engine.dialect, "ALTER TABLE people MODIFY name text, MODIFY age bigint"
        )
    )
    assert not both.compared("people")
    both.other.run("UPDATE people SET name = 'other' WHERE id = 9")
    assert told(both.compared("people")) == (0, 0, 1, {"name": 1})


def test_rows_are_left_out_by_their_keys(pair):
    """Any number of them, whether they are there or not, in either database."""
    both = pair(*PEOPLE)
    both.other.run("UPDATE people SET age = -1 WHERE id <= 50")
    both.other.run("INSERT INTO people VALUES (9001, 'late', 1)")
    both.other.run("DELETE FROM people WHERE id = 60")
    keys = [*range(1, 50), 60, *range(9001, 12_000)]
    gap = both.compared("people", without=lambda: keys)
    assert (told(gap), gap.had) == ((0, 0, 1, {"age": 1}), 2950)
    assert not both.compared("people", without=lambda: [50, *keys])


def test_rows_are_left_out_by_a_text_key(pair):
    """The key need not be a number."""
    both = pair(
        "CREATE TABLE named (k varchar(20) PRIMARY KEY, v integer)",
        "INSERT INTO named VALUES ('it''s', 1), ('b', 2), ('c', 3)",
    )
    both.other.run("UPDATE named SET v = 9 WHERE k <> 'b'")
    gap = both.compared("named", without=lambda: ["it's", "none"])
    assert told(gap) == (0, 0, 1, {"v": 1})


def test_what_is_written_meanwhile_is_left_out(pair):
    """A key that came in while the rows were read is no difference."""
    both = pair(*PEOPLE)
    both.other.run("UPDATE people SET age = -1 WHERE id IN (5, 6)")
    asked: list[Collection[int]] = [[], [5]]

    def touched() -> Collection[int]:
        return asked.pop(0) if len(asked) > 1 else asked[0]

    assert told(both.compared("people", without=touched)) == (0, 0, 1, {"age": 1})
    asked[:] = [[], [5, 6]]
    assert not both.compared("people", without=touched)


def test_a_virtual_column_follows_from_the_others(pair):
    """It is not compared: what it is computed from is."""
    sql = {
        "postgres": "CREATE TABLE twice (id integer PRIMARY KEY, n integer, "
        "more integer GENERATED ALWAYS AS (n * 2) STORED)",
        "mysql": "CREATE TABLE twice (id integer PRIMARY KEY, n integer, "
        "more integer AS (n * 2) VIRTUAL)",
    }
    both = pair(sql[pair.dialect], "INSERT INTO twice (id, n) VALUES (1, 1), (2, 2)")
    both.other.run("UPDATE twice SET n = 5 WHERE id = 2")
    stored = both.bench.engine.dialect == "postgres"
    assert told(both.compared("twice")) == (0, 0, 1, {"n": 1} | ({"more": 1} if stored else {}))


def test_a_partitioned_table_is_compared_as_a_whole(pair):
    """By its own name; a row that moved to another partition is the same row."""
    parts = {
        "postgres": (
            "CREATE TABLE parted (id integer PRIMARY KEY, v integer) PARTITION BY RANGE (id)",
            "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (50)",
            "CREATE TABLE parted_2 PARTITION OF parted DEFAULT",
        ),
        "mysql": (
            "CREATE TABLE parted (id integer PRIMARY KEY, v integer) PARTITION BY RANGE (id) "
            "(PARTITION p1 VALUES LESS THAN (50), PARTITION p2 VALUES LESS THAN MAXVALUE)",
        ),
    }
    both = pair(*parts[pair.dialect], "INSERT INTO parted SELECT n, n FROM {series} WHERE n <= 99")
    both.other.run("UPDATE parted SET v = 0 WHERE id IN (10, 90)")
    gap = both.compared("parted")
    assert (told(gap), gap.had) == ((0, 0, 2, {"v": 2}), 99)


def test_names_that_are_words_of_sql(pair):
    """They are quoted wherever they stand."""
    quote = '"' if pair.dialect == "postgres" else "`"
    table, key, value = (f"{quote}{word}{quote}" for word in ("select", "from", "Group By"))
    both = pair(
        f"CREATE TABLE {table} ({key} integer PRIMARY KEY, {value} varchar(10))",
        f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')",
    )
    both.other.run(f"UPDATE {table} SET {value} = 'c' WHERE {key} = 2")
    gap = both.compared("select")
    assert told(gap) == (0, 0, 1, {"Group By": 1})
    assert str(gap.samples[0]) == "from 2: Group By 'b' → 'c'"


def test_values_too_long_to_show(pair):
    """They are compared whole, and shown as far as they fit."""
    both = pair(
        "CREATE TABLE texts (id integer PRIMARY KEY, v text)",
        "INSERT INTO texts VALUES (1, concat('a', repeat('x', 50000)))",
    )
    both.other.run("UPDATE texts SET v = concat(v, 'y')")
    (sample,) = both.compared("texts").samples
    assert "x… (50003 characters) → 'axxx" in str(sample)
    assert str(sample).endswith("x… (50004 characters)")
    both.other.run("UPDATE texts SET v = concat('b', v)")
    (sample,) = both.compared("texts").samples
    assert str(sample).startswith("id 1: v 'axxx")
    assert len(str(sample)) < 200

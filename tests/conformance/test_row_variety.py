"""What generated rows have besides usual values, asked of real servers of each engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from row_worlds import BOOKKEEPING, empty, world

from harness.engines import value_variants
from harness.errors import DatabaseError
from harness.ports import Session
from harness.ports.table_specs import Keyed, TableSpec, Variants
from harness.row_generation import fill
from harness.row_generation.variety import keyed

pytestmark = pytest.mark.matrix(of=2)

ROWS = 200
ROOM = 20
"""A column of so many characters has room around a usual value."""

TEXTS = {
    "postgres": """
        SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || table_name,
               column_name, character_maximum_length, data_type = 'character', 'utf8'
        FROM information_schema.columns
        WHERE table_schema NOT IN ('information_schema', 'pg_catalog') AND domain_name IS NULL
          AND data_type IN ('text', 'character varying', 'character')""",
    "mysql": """
        SELECT table_name, column_name, character_maximum_length, data_type = 'char',
               concat(character_set_name, ' ', collation_name)
        FROM information_schema.columns WHERE table_schema = database()
          AND data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext')""",
}


@dataclass(frozen=True)
class Text:
    """A column of texts that nothing but its type and its keys restricts."""

    table: str
    name: str
    source: str
    quoted: str
    length: int | None
    padded: bool
    letters: str
    nullable: bool
    keyed: Keyed

    def wants(self, texts: set[str]) -> set[str]:
        """What some of its values must be like; one that is usually full has no room for blanks."""
        room = self.length is None or self.length >= ROOM
        room = room and sum(len(text) == self.length for text in texts) < len(texts) / 2
        wanted = {"a capital", "a small letter"}
        wanted |= {"no value"} if self.nullable else set()
        wanted |= {"a blank at the beginning"} if room else set()
        wanted |= {"a blank at the end"} if room and not self.padded else set()
        wanted |= {"beyond ASCII"} if "ascii" not in self.letters else set()
        if self.length and self.length <= 4000:
            wanted |= {"as long as fits"}
        if self.keyed is Keyed.NOT:
            wanted |= {"empty", "two that differ in case"}
        if self.keyed is Keyed.ALONE and ("_ci" not in self.letters):
            wanted |= {"two that differ in case"}
        if self.keyed is not Keyed.PARTLY and room:
            wanted |= {"two that differ in blanks"}
        return wanted

    def lacks(self, session: Session) -> set[str]:
        """What none of its values is like although it could be."""
        values = [row[0] for row in session.run(f"SELECT {self.quoted} FROM {self.source}").rows]
        there = {value for value in values if value is not None}
        texts = {text.rstrip(" ") if self.padded else text for text in there}
        tests = {
            "a capital": any(re.search("[A-Z]", text) for text in texts),
            "a small letter": any(re.search("[a-z]", text) for text in texts),
            "no value": None in values,
            "a blank at the beginning": any(text[:1] == " " < text for text in texts),
            "a blank at the end": any(text[-1:] == " " < text for text in texts),
            "beyond ASCII": any(not text.isascii() for text in texts),
            "as long as fits": any(len(text) == self.length for text in texts),
            "empty": "" in texts,
            "two that differ in case": len({text.lower() for text in texts}) < len(texts),
            "two that differ in blanks": len({text.strip(" ") for text in texts}) < len(texts),
        }
        return {name for name in self.wants(texts) if not tests[name]}


def free_texts(bench: Any, session: Session, rows: Mapping[str, int]) -> list[Text]:
    """The columns of tables with rows that hold texts as they like."""
    specs = {spec.name: spec for spec in bench.engine.table_specs.specs(session)}
    found = []
    for table, name, length, padded, letters in session.run(TEXTS[bench.engine.dialect]).rows:
        spec = specs.get(table)
        is_free = spec is not None and not restricted(spec, name)
        if not is_free or rows.get(table, 0) < ROWS or spec.column(name).kind.name == "json":
            continue
        column = spec.column(name)
        found.append(
            Text(table, name, spec.source, column.quoted, length, bool(padded), letters,
                 column.nullable, keyed(spec, name))
        )  # fmt: skip
    return found


def restricted(spec: TableSpec, name: str) -> bool:
    """Whether something besides its type and keys says what it may hold."""
    return (
        bool(spec.column(name).generated)
        or any(name in link.columns or link.parent == spec.name for link in spec.links)
        or any(name in check.columns for check in spec.checks)
        or any(name in spec.sources(c.name) for c in spec.columns if c.generated)
    )


def missing(bench: Any, session: Session) -> dict[tuple[str, str], set[str]]:
    """Column → what none of its values is like although it could be."""
    rows = {f.table: f.rows for f in fill(bench.engine, session, ROWS, {BOOKKEEPING})}
    columns = free_texts(bench, session, rows)
    assert len(columns) > 4
    lacks = {(c.table, c.name): c.lacks(session) for c in columns}
    return {name: lacking for name, lacking in lacks.items() if lacking}


@pytest.mark.parametrize("stem", ["app", "nasty", "odd"])
def test_texts_are_of_every_sort(bench, stem):
    """Capitals, blanks at either end, accents, full length, "", NULL, and texts that fold alike."""
    assert missing(bench, world(bench, stem)) == {}


SORTS = {
    "a capital": "upper(",
    "a blank at the beginning": "concat(' '",
    "a blank at the end": ", ' ')",
    "beyond ASCII": "á",
    "as long as fits": "pad(",
    "empty": "''",
    "two that differ in case": "THEN upper({p})",
    "two that differ in blanks": "concat(' ', {p})",
}


@pytest.mark.parametrize("sort", SORTS)
def test_the_test_of_sorts_sees_what_is_left_out(bench, monkeypatch, sort):
    """Without one sort of text, some column lacks it: this very suite would fail."""
    texts = value_variants.texts

    def fewer(*args: Any) -> Variants:
        of = texts(*args)
        gone = (SORTS[sort], "漢", "À") if sort == "beyond ASCII" else (SORTS[sort],)
        gone += ("{p}, ' ')",) if sort == "two that differ in blanks" else ()
        odd, near = (
            tuple(sql for sql in of_kind if not any(part in sql for part in gone))
            for of_kind in (of.odd, of.near)
        )
        return Variants(odd, near)

    monkeypatch.setattr(value_variants, "texts", fewer)
    assert sort in set[str]().union(*missing(bench, world(bench, "app")).values())


# ------------------------------------------------------------------ other types


@dataclass(frozen=True)
class Odd:
    """The odd schema with rows: any column's values."""

    session: Session

    def values(self, table: str, column: str) -> list[Any]:
        return [row[0] for row in self.session.run(f"SELECT {column} FROM {table}").rows]

    def documents(self, table: str, column: str) -> list[Any]:
        found = (value for value in self.values(table, column) if value is not None)
        return [json.loads(value) if isinstance(value, str) else value for value in found]


@pytest.fixture
def odd(bench):
    """Every table of it is full."""
    session = world(bench, "odd")
    filled = fill(bench.engine, session, ROWS)
    assert {f.table: (f.rows, f.why_not) for f in filled if f.rows != ROWS} == {}
    return Odd(session)


def most_are(values: list[Any], usual: Callable[[Any], bool]) -> bool:
    """Whether two thirds of them are, or nearly."""
    return sum(bool(usual(value)) for value in values) >= 0.6 * len(values)


def test_numbers_are_of_every_size(odd):
    """Zero, one, negative, large and fractional; most are usual."""
    for column, large in (("small", 10**4), ("whole", 10**9), ("large", 2**32)):
        values = odd.values("figures", column)
        assert {0, 1, -1} <= set(values)
        assert max(values) >= large
        assert min(values) < -1
        assert most_are(values, lambda n: 1 < n <= ROWS)
    prices = odd.values("figures", "price")
    assert {Decimal("0.00"), Decimal("1.00"), Decimal("0.01")} <= set(prices)
    assert min(prices) < 0 < Decimal(10**6) < max(prices)
    ratios = odd.values("figures", "ratio")
    assert min(ratios) < 0 in ratios
    assert max(ratios) > 10**9


def test_numbers_keep_to_what_restricts_them(odd):
    """A condition, a type without signs, a column that means a row, a generated column."""
    stock = odd.values("figures", "stock")
    assert min(stock) == 0
    assert max(stock) >= 10**9
    assert set(odd.values("figures", "member_id")) == set(range(1, ROWS + 1))
    assert all(0 <= share <= 100 for share in odd.values("members", "share"))
    assert {0, 1} <= set(odd.values("members", "share"))
    assert sorted(odd.values("members", "id")) == list(range(1, ROWS + 1))
    assert {0, 1} <= set(odd.values("products", "qty"))
    assert odd.values("products", "qty") == odd.values("products", "tiny")


def test_dates_are_at_edges(odd):
    """Ends of months and years, leap days, before 1970; hours that a zone leaves out."""
    days = set(odd.values("figures", "day"))
    assert {date(2024, 2, 29), date(2023, 12, 31), date(2024, 1, 31)} <= days
    assert min(days) < date(1970, 1, 1)
    clocks = set(odd.values("figures", "clock"))
    assert {datetime(2024, 3, 31, 2, 30), datetime(2024, 2, 29, 23, 59, 59)} <= clocks
    assert min(clocks) < datetime(1970, 1, 1)
    later = set(odd.values("figures", "later"))
    assert min(later) > date(2000, 1, 1)
    assert date(2024, 2, 29) in later
    assert most_are(odd.values("figures", "clock"), lambda at: at.year == 2021)


def test_moments_are_around_changes_of_the_clock(odd):
    """Within two hours of the last Sunday in March, and when it is another day elsewhere."""
    moments = {
        at if at.tzinfo else at.replace(tzinfo=UTC) for at in odd.values("figures", "moment")
    }
    spring = datetime(2024, 3, 31, 1, tzinfo=UTC)
    assert any(abs(at - spring) < timedelta(hours=2) for at in moments)
    assert any(at.hour in (23, 0, 7) and at.day in (31, 1) for at in moments)


def test_documents_have_what_is_asked_of_them(odd):
    """By a generated column, an index, a condition or a default; a minority lacks it."""
    documents = odd.documents("documents", "doc")
    assert most_are(documents, lambda doc: isinstance(doc.get("age"), int))
    assert most_are(documents, lambda doc: isinstance(doc.get("address", {}).get("city"), str))
    assert any("age" not in doc for doc in documents)
    ages = odd.values("documents", "age")
    assert len({age for age in ages if age is not None}) > 20
    assert None in ages
    assert any(isinstance(doc.get("age"), str) for doc in documents)
    spaces = odd.documents("namespaces", "value")
    assert all("namespace" in doc for doc in spaces)
    assert {type(doc["namespace"]) for doc in spaces} >= {str, int}
    assert None not in odd.values("namespaces", "ns")


def test_documents_of_a_dialect(bench, odd):
    """Deep members, places in arrays, names with blanks, and what a default has."""
    documents = odd.documents("documents", "doc")
    wide = odd.documents("documents", "wide")
    if bench.engine.dialect == "postgres":
        assert most_are(documents, lambda doc: "level" in doc.get("rank", {}))
        options = odd.documents("documents", "options")
        assert most_are(options, lambda doc: doc.get("theme") and isinstance(doc["size"], int))
        assert {doc.get("theme") == "dark" for doc in options} == {True, False}
        assert all("kind" in doc or "items" in doc or doc for doc in wide)
    else:
        assert most_are(documents, lambda doc: "since when" in doc and doc["tags"])
        assert None in odd.values("documents", "since")
        levels = [doc["level"] for doc in wide if isinstance(doc.get("level"), int)]
        assert min(levels) >= 3


def test_addresses_are_short_and_usual(bench):
    """So that one fits where another does not: as text of 20 with the number in front."""
    session = empty(
        bench, "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(255) NOT NULL)"
    )
    fill(bench.engine, session, ROWS)
    sizes = session.run("SELECT char_length(concat(id, email)) FROM users").rows
    assert 0 < sum(size > 20 for (size,) in sizes) < ROWS
    assert 0 < sum(size <= 20 for (size,) in sizes) < ROWS / 2


def test_a_unique_index_fails_by_what_it_folds(bench):
    """Texts that are not unique by a key are all different, and no two of them by lower()."""
    kind = "varchar(60)"
    if bench.engine.dialect != "postgres":
        kind += " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    session = empty(
        bench, f"CREATE TABLE t (id integer PRIMARY KEY, a {kind} NOT NULL, email {kind} NOT NULL)"
    )
    fill(bench.engine, session, ROWS)
    for column in ("a", "email"):
        values = [value for (value,) in session.run(f"SELECT {column} FROM t").rows]
        blanks_count = bench.engine.dialect == "postgres"
        told = [value if blanks_count else value.rstrip(" ") for value in values]
        twice = ROWS - len(set(told))
        assert (column, twice > 0) == (column, not blanks_count)
        assert len({value.lower() for value in values}) < ROWS
    if bench.engine.dialect == "postgres":
        session.run("CREATE UNIQUE INDEX plain ON t (email)")


def test_most_rows_are_usual(bench):
    """Two thirds of them have no seldom value at all, but for one that may be missing."""
    session = empty(
        bench,
        "CREATE TABLE t (id integer PRIMARY KEY, name varchar(40) NOT NULL, "
        "score integer NOT NULL, born date NOT NULL)",
    )
    fill(bench.engine, session, ROWS)
    rows = session.run("SELECT id, name, score, born FROM t").rows
    usual = [
        id_
        for id_, name, score, born in rows
        if re.fullmatch(rf"[a-z]+ [a-z]+ {id_ - 1}", name) and score == id_ and born.year == 2021
    ]
    assert 0.66 * ROWS <= len(usual) < 0.8 * ROWS


def test_conditions_hold_in_every_row(bench):
    """The server is asked again, for it does not look at everything at all times."""
    for stem in ("app", "nasty", "odd"):
        session = world(bench, stem)
        fill(bench.engine, session, ROWS, {BOOKKEEPING})
        for spec in bench.engine.table_specs.specs(session):
            for check in spec.checks:
                sql = f"SELECT count(*) FROM {spec.source} WHERE NOT ({check.sql})"
                assert (spec.name, check.sql, session.run(sql).scalar()) == (
                    spec.name,
                    check.sql,
                    0,
                )


def test_a_caseless_collation_is_a_key_of_its_own(bench):
    """Values that it takes for one are not made in a unique column, and no row is left out."""
    if bench.engine.dialect == "postgres":
        session = empty(bench)
        try:
            session.run(
                "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', "
                "deterministic = false)"
            )
        except DatabaseError as error:
            pytest.skip(f"no such collation can be had here: {error}")
        kind = "varchar(40) COLLATE caseless"
    else:
        session, kind = empty(bench), "varchar(40) COLLATE utf8mb4_unicode_ci"
    session.run(f"CREATE TABLE t (id integer PRIMARY KEY, name {kind} NOT NULL UNIQUE)")
    (filled,) = fill(bench.engine, session, ROWS)
    assert (filled.rows, filled.why_not) == (ROWS, "")
    names = [name for (name,) in session.run("SELECT name FROM t").rows]
    assert len({name.lower() for name in names}) == ROWS
    assert any(name != name.lower() for name in names)


def test_usual_rows_are_left_where_the_server_refuses_seldom_ones(bench):
    """A trigger that no condition tells of: the table is filled nevertheless."""
    table = "CREATE TABLE t (id integer PRIMARY KEY, name varchar(40) NOT NULL, {0} varchar(40))"
    for other, capitals in (("no", False), ("word", True)):
        session = empty(bench, table.format(other))
        session.run_file(TRIM[bench.engine.dialect].replace("{said}", SAID[other]))
        (filled,) = fill(bench.engine, session, ROWS)
        assert (filled.rows, filled.why_not) == (ROWS, "")
        names = [name for (name,) in session.run("SELECT name FROM t").rows]
        assert [name for name in names if name != name.strip()] == []
        words = [word for (word,) in session.run(f"SELECT {other} FROM t").rows if word]
        assert any(word != word.lower() for word in words) == capitals


SAID = {"no": "not on a weekday", "word": "no blanks in 'name', please"}
"""Where the server names the column, the others keep what they have."""
TRIM = {
    "postgres": "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF NEW.name <> trim(NEW.name) THEN RAISE EXCEPTION $m${said}$m$; END IF; RETURN NEW; END $$; "
    "CREATE TRIGGER look BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION look()",
    "mysql": "CREATE TRIGGER look BEFORE INSERT ON t FOR EACH ROW IF NEW.name LIKE ' %' OR "
    "NEW.name LIKE '% ' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = \"{said}\"; END IF",
}

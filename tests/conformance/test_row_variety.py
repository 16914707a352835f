"""What generated rows have besides usual values, asked of real servers of each engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from row_worlds import BOOKKEEPING, world

from harness.engines import value_variants
from harness.ports import Session
from harness.ports.table_specs import Keyed, TableSpec, Variants
from harness.row_generation import fill
from harness.row_generation.variety import keyed

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
    assert len(columns) > 12
    lacks = {(c.table, c.name): c.lacks(session) for c in columns}
    return {name: lacking for name, lacking in lacks.items() if lacking}


@pytest.mark.parametrize("stem", ["app", "nasty"])
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

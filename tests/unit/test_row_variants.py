"""Seldom values before any server is asked: which row has which, and what a column can hold."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from harness.engines import documents, value_variants
from harness.engines.documents import DATE, FLAG, NUMBER, TEXT, Path
from harness.engines.mysql import json_paths as mysql_paths
from harness.engines.mysql.formulas import DIALECT, DOCUMENTS
from harness.engines.postgres import json_paths as postgres_paths
from harness.ports.table_specs import ColumnSpec, Formula, Key, Keyed, TableSpec, Variants
from harness.row_generation import mixing
from harness.row_generation.draft import Choice, Draft
from harness.row_generation.variety import keyed, without

FEW = Variants(("'a'", "'b'", "'c'"), ("lower({p})", "concat({p}, ' ')"))
ROWS = range(1, 401)


def given(of: Variants, place: int = 0) -> list[str | None]:
    """The variant of each row."""
    return [mixing.variant_of(of, place, number) for number in ROWS]


# ------------------------------------------------------------------ rows


def test_two_rows_of_three_are_usual():
    """Whatever the column and its variants."""
    for place in range(20):
        for of in (FEW, Variants(FEW.odd), Variants((), FEW.near)):
            found = given(of, place)
            assert all(found[n - 1] is None for n in ROWS if n % 3)
            assert sum(v is not None for v in found) > 20


def test_every_variant_has_its_rows():
    """About as many as the others of its kind, and none of them only where values are missing."""
    for place in range(20):
        for many in range(1, 15):
            of = Variants(tuple(f"'{n}'" for n in range(many)), FEW.near)
            counts = Counter(v for v in given(of, place) if v)
            assert counts.keys() == {*of.odd, *of.near}
            there = {v for n, v in zip(ROWS, given(of, place), strict=True) if (n + place) % 7 != 3}
            assert there >= counts.keys()


def test_near_duplicates_are_apart_by_a_usual_row():
    """The row before one is usual, so it is not a near-duplicate of another."""
    found = given(FEW)
    for number in ROWS:
        if found[number - 1] in FEW.near:
            assert number % mixing.NEAR == 0
            assert found[number - 2] is None


def test_one_that_was_given_up_leaves_the_others_in_their_rows():
    """What the server has seen of the others still holds."""
    less = Variants(("'a'", "{u}", "'c'"), FEW.near)
    for one, other in zip(given(FEW), given(less), strict=True):
        assert other == (None if one == "'b'" else one)
    assert not Variants(("{u}",), ("{u}",))


def test_an_empty_text_is_in_one_row():
    """Not in two, which no unique index would let in, and not where a value may be missing."""
    of = Variants(("'a'", "''", "'c'"), FEW.near)
    for place in range(20):
        found = [n for n, v in zip(ROWS, given(of, place), strict=True) if v == "''"]
        assert len(found) == 1
        assert (found[0] + place) % 7 != 3
        assert f"WHEN mixed.n = {found[0]} THEN ''" in mixing.value(of, place, "u")


def draft(of: Variants, rows: int = 30, start: int = 0) -> Draft:
    spec = TableSpec("t", "t", "t", (ColumnSpec("a", "a", None),))
    series = f"(SELECT n + {start} AS n FROM s) AS series"
    choices = {"a": Choice(Formula("f({i})"))}
    return Draft(
        spec, rows, series, lambda i, by: f"({i}) / {by}", (), choices, start=start,
        variants={"a": of},
    )  # fmt: skip


def test_a_draft_without_variants_has_one_layer():
    """What was given up altogether costs nothing."""
    assert "mixed" not in draft(Variants(("{u}",))).select()
    assert "mixed" in draft(FEW).select()


def test_the_row_before_is_computed_only_where_it_is_needed():
    """And only for columns that have near-duplicates."""
    assert "CASE WHEN series.n % 9 = 0 THEN f((series.n - 1 - 1))" in draft(FEW).select()
    assert "series.n - 1 - 1" not in draft(Variants(FEW.odd)).select()


def test_rows_that_are_counted_over_are_new():
    """Their numbers begin where the others end."""
    assert draft(FEW, rows=5, start=200).numbers() == range(201, 206)
    assert "series.n <= 205" in draft(FEW, rows=5, start=200).select()


def test_the_first_half_of_what_is_left_can_be_kept():
    """Near-duplicates go first, then the odd ones from their end."""
    half = without(draft(FEW), ["a"], half=True).variants["a"]
    assert half == Variants(("'a'", "{u}", "{u}"), ("{u}", "{u}"))
    assert not without(draft(FEW), ["a"]).variants["a"]


# ------------------------------------------------------------------ keys


def spec(*keys: Key, generated: str = "") -> TableSpec:
    columns = tuple(ColumnSpec(name, name, None) for name in ("a", "b"))
    return TableSpec(
        "t", "t", "t", (*columns, ColumnSpec("g", "g", None, generated=generated)), keys
    )


def test_what_a_key_says_about_a_column():
    """Nothing, that it is unique as it is, or something with others or of an expression."""
    assert keyed(spec(), "a") is Keyed.NOT
    assert keyed(spec(Key(("a",))), "a") is Keyed.ALONE
    assert keyed(spec(Key(("a",)), Key(("a", "b"))), "a") is Keyed.PARTLY
    assert keyed(spec(Key(("a",), folded=True)), "a") is Keyed.PARTLY
    assert keyed(spec(Key(("g",)), generated="lower(a)"), "a") is Keyed.PARTLY
    assert keyed(spec(Key(("g",)), generated="lower(a)"), "b") is Keyed.NOT


def text(**more: object) -> Variants:
    column = value_variants.TextColumn("name", 40, 40, "utf-8", **more)
    return value_variants.texts(DIALECT, column)


def test_a_key_that_takes_texts_for_one_gets_none_of_those():
    """A blank in front is told apart everywhere; case and a blank at the end are not."""
    free, alone = text().near, text(keyed=Keyed.ALONE).near
    assert len(free) == len(alone) == 3
    caseless = text(keyed=Keyed.ALONE, tells_case=False, tells_blanks=False).near
    assert len(caseless) == 1
    assert "concat(' ', {p})" in caseless[0]
    assert text(keyed=Keyed.PARTLY).near == ()


def test_a_key_gets_no_value_that_many_rows_share():
    """No empty text, no number that is not the row's own."""
    assert "''" in text().odd
    assert "''" not in text(keyed=Keyed.ALONE).odd
    large = Decimal(1000)
    assert value_variants.numbers("score", Keyed.NOT, large, -large, 0)
    assert not value_variants.numbers("score", Keyed.ALONE, large, -large, 0)


@pytest.mark.parametrize("name", ["id", "user_id", "userId", "parent_fk"])
def test_a_number_that_means_a_row_stays_usual(name):
    """A row of nobody would be an orphan that no application wrote."""
    assert not value_variants.numbers(name, Keyed.NOT, Decimal(10), Decimal(-10), 0)


def test_letters_are_of_the_character_set():
    """Whatever it can write, and nothing else."""
    sets = {"utf-8": "漢字", "cp1252": "É", "cp1251": "Ж", "": ""}
    for codec, letter in sets.items():
        column = value_variants.TextColumn("name", 40, 40, codec)
        texts = "".join(value_variants.texts(DIALECT, column).odd)
        assert letter in texts
        assert value_variants.can_write(codec, texts)


# ------------------------------------------------------------------ documents


@pytest.mark.parametrize(
    "expression, paths",
    [
        ("((doc ->> 'age'::text))::integer", [Path(("age",), NUMBER)]),
        ("((doc -> 'a'::text) ->> 'b c'::text)", [Path(("a", "b c"), TEXT)]),
        ("(((doc -> 'on'::text))::boolean)", [Path(("on",), FLAG)]),
        ("((doc -> 'tags'::text) ->> 0)", [Path(("tags", "[0]"), TEXT)]),
        ("((doc #>> '{rank,level}'::text[]))::numeric(4,2)", [Path(("rank", "level"), NUMBER)]),
        ("(doc ? 'kind'::text)", [Path(("kind",))]),
        ("(doc ?& ARRAY['a'::text, 'b'::text])", [Path(("a",)), Path(("b",))]),
        ('(doc @> \'{"a": {"b": 1}}\'::jsonb)', [Path(("a", "b"), NUMBER)]),
        ("jsonb_path_exists(doc, '$.\"x y\"[1]'::jsonpath)", [Path(("x y", "[1]"))]),
        ("JSON_VALUE(doc, '$.day' RETURNING date)", [Path(("day",), DATE)]),
        ("((other ->> 'age'::text))::integer", []),
        ("(document ->> 'age'::text)", []),
        ("((((doc)::jsonb ->> 'it''s'::text)) <> ''::text)", [Path(("it's",))]),
    ],
)
def test_members_that_an_expression_of_postgresql_reads(expression, paths):
    """As the server writes it, with all of its brackets."""
    assert postgres_paths.paths_in(expression, "doc") == paths


@pytest.mark.parametrize(
    "expression, sql_type, paths",
    [
        ("json_unquote(json_extract(`doc`,_utf8mb4'$.age'))", "int", [Path(("age",), NUMBER)]),
        ("json_value(`doc`,'$.a.b')", "", [Path(("a", "b"), TEXT)]),
        ("json_value(`doc`, _utf8mb4'$.n' returning unsigned)", "", [Path(("n",), NUMBER)]),
        ("cast(json_extract(`doc`,'$.d') as date)", "", [Path(("d",), DATE)]),
        ("(json_extract(`doc`,_utf8mb4'$.level') >= 3)", "", [Path(("level",), NUMBER)]),
        ("json_contains_path(`doc`,'one','$.a','$.b')", "", [Path(("a",)), Path(("b",))]),
        ("json_extract(`other`,'$.age')", "int", []),
    ],
)
def test_members_that_an_expression_of_mysql_reads(expression, sql_type, paths):
    """As the server writes it; what it becomes as a whole tells of which type they are."""
    assert mysql_paths.paths_in(expression, "doc", sql_type) == paths


def test_each_member_is_made_once():
    """As more than a text if anybody wants that; not by itself if something in it is asked for."""
    asked = [Path(("a",)), Path(("a",), NUMBER), Path(("b",)), Path(("b", "c"))]
    assert documents.merged(asked) == (Path(("a",), NUMBER), Path(("b", "c")))


def test_a_document_has_its_members_in_their_places():
    """Objects in objects, and arrays where a place is asked for."""
    paths = (Path(("a", "b"), NUMBER), Path(("tags", "[1]")))
    first = documents.formulas(DOCUMENTS, paths)[0].sql
    assert "'a', json_object('b', {i} % 90 + 10)" in first
    assert "'tags', json_array(NULL, concat(" in first


def test_constants_of_conditions_become_values():
    """The words as texts, the numbers as bounds; names of members are neither."""
    paths = (Path(("kind",)), Path(("size",), NUMBER))
    tried = [f.sql for f in documents.formulas(DOCUMENTS, paths, ["kind", "a", "b", "3", "9"])]
    assert any("'kind', ELT(({i}) % 4 + 1, 'a', 'b', '3', '9')" in sql for sql in tried)
    assert any("'size', 3 + {i} % 6" in sql for sql in tried)


def test_what_is_not_asked_for_is_no_document():
    """Neither a text that is no JSON, nor a list."""
    assert documents.members_of("no json") == []
    assert documents.members_of("[1, 2]") == []
    assert documents.members_of('{"a": {"b": true}, "c": 1.5, "d": null, "e": "x"}') == [
        Path(("a", "b"), FLAG), Path(("c",), NUMBER), Path(("e",), TEXT),
    ]  # fmt: skip

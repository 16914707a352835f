"""How rows are planned before any server is asked: the order of tables, keys, constants."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from harness.engines import value_formulas
from harness.ports.table_specs import Check, ColumnSpec, Formula, Key, Link, TableSpec
from harness.row_generation.draft import Choice, Draft
from harness.row_generation.narrowing import literals_of
from harness.row_generation.order import turns


def column(name: str, nullable: bool = False) -> ColumnSpec:
    return ColumnSpec(name, name, None, nullable)


def table(name: str, *parents: str, nullable: bool = False, deferrable: bool = False) -> TableSpec:
    """A table with an ``id`` and a link to each parent, by a column of its name."""
    links = tuple(Link((p,), p, p, ("id",), deferrable) for p in parents)
    columns = (column("id"), *(column(p, nullable) for p in parents))
    return TableSpec(name, name, name, columns, links=links)


def order(*specs: TableSpec) -> list[tuple[str, tuple[str, ...]]]:
    """The tables in their turns, with the parents they link to later."""
    return [(t.spec.name, tuple(link.parent for link in t.later)) for t in turns(specs)]


def test_parents_come_first():
    """However the catalogue lists them."""
    assert order(table("c", "b"), table("b", "a"), table("a")) == [("a", ()), ("b", ()), ("c", ())]


def test_a_cycle_is_cut_where_a_link_can_be_null():
    """What hangs on the cycle without being part of it is not cut."""
    head = table("head", "staff", nullable=True)
    assert order(table("badge", "staff", nullable=True), table("staff", "head"), head) == [
        ("head", ("staff",)),
        ("staff", ()),
        ("badge", ()),
    ]


def test_else_a_cycle_is_cut_where_the_server_waits():
    """That turn needs a transaction; one in which nothing waits is forced as well."""
    egg, hen = table("egg", "hen", deferrable=True), table("hen", "egg")
    first, _ = turns([hen, egg])
    assert (first.spec.name, first.deferred, first.forced) == ("egg", True, False)
    first, second = turns([hen, table("egg", "hen")])
    assert (first.forced, second.forced) == (True, False)


def test_a_link_to_the_table_itself_waits_if_it_can():
    """If it can not, the row must be its own parent at once."""
    assert order(table("tree", "tree", nullable=True)) == [("tree", ("tree",))]
    assert order(table("tree", "tree")) == [("tree", ())]


def test_a_parent_that_is_not_to_be_filled_is_not_waited_for():
    """It has rows already, or belongs to a tool."""
    assert order(table("b", "roles")) == [("b", ())]


def test_constants_are_read_from_conditions():
    """Strings with their quotes undone, numbers with their sign, each once."""
    text = "((price >= (0)::numeric) AND (a < '-5'::integer) AND x IN ('it''s', 'b') AND c2 > -(3))"
    assert literals_of([Check((), text), Check((), "n <> 0")]) == ["0", "-5", "it's", "b", "-3"]


def draft(keys: list[Key], capacities: dict[str, int | None], rows: int = 100) -> Draft:
    spec = TableSpec("t", "t", "t", tuple(map(column, capacities)), tuple(keys))
    choices = {name: Choice(Formula("{i}", size)) for name, size in capacities.items()}
    return Draft(spec, rows, "series", lambda i, by: f"({i}) / {by}", (), choices)


def test_a_key_of_short_lists_counts_like_a_clock():
    """One list turns when the longer one has gone round, and the table ends with both."""
    select = draft([Key(("a", "b"))], {"a": 2, "b": 5}).select()
    assert "(series.n - 1) AS b" in select
    assert "((series.n - 1) / 5) AS a" in select
    assert "series.n <= 10 " in select


def test_a_key_with_an_endless_part_limits_nothing():
    """The other part may repeat as it likes; a partial key is no limit either."""
    assert "series.n <= 100 " in draft([Key(("a", "b"))], {"a": 2, "b": None}).select()
    assert "series.n <= 100 " in draft([Key(("a",), partial=True)], {"a": 2}).select()
    assert "series.n <= 2 " in draft([Key(("a",))], {"a": 2}).select()


def test_a_link_with_a_key_gives_each_row_its_own_parent():
    """Without one, three rows share a parent."""
    spec = TableSpec("t", "t", "t", (column("p"),), links=(Link(("p",), "p", "p", ("id",)),))
    free = Draft(spec, 9, "series", lambda i, by: f"({i}) / {by}", (), {"p": Choice(None)})
    free = replace(free, links=((spec.links[0], 9),))
    assert "(series.n - 1) / 3 * 3" in free.select()
    owned = replace(free, spec=replace(spec, keys=(Key(("p",)),)))
    assert "/ 3" not in owned.select()


def test_numbers_stay_between_the_constants():
    """First the whole span, ends included; its capacity is the count of steps."""
    first = value_formulas.numbers(["0", "1"], 2, Decimal(-9), Decimal(9))[0]
    assert first.capacity == 101
    assert first.at("7") == "(0 + ((7) % 101) * 0.01)"

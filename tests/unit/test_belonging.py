"""Which objects go with a tool's table, told by names and definitions; the rest is the user's."""

from __future__ import annotations

import pytest

from harness.ports.contents import Counter
from harness.state.belonging import hidden_with
from harness.state.snapshot import Snapshot


def hidden(tables: set[str], objects: dict[str, str], counters: dict[str, Counter] | None = None):
    """What is hidden of these objects with the tables."""
    everything = {key.removeprefix("table ") for key in objects if key.startswith("table ")}
    return hidden_with(tables, objects, counters or {}, everything)


PARTS = [
    "table s.tags",
    "column s.tags.id",
    "column order s.tags",
    "constraint s.tags.positive",
    "trigger s.tags.stamp",
    "policy s.tags.reading",
    "rule s.tags.keep",
    "grant on table s.tags",
    "grant on column s.tags.id",
    "comment on table s.tags",
    "comment on table column s.tags.id",
    "comment on table constraint positive on s.tags",
    "comment on trigger stamp on s.tags",
    'comment on policy "Reading Only" on s.tags',
    "label of mac on table s.tags",
    "index tags.PRIMARY",
    "partition tags.p1.s1",
    "histogram tags.id",
]
OTHERS = [
    "column s.users.tags",
    "constraint s.users.tags",
    "table s.tags_of",
    "table other.tags",
    "function s.tags()",
    "function tags",
    "procedure tags",
    "event tags",
    "grant on function tags",
    "grant on procedure tags",
    "schema tags",
    "database default",
    "comment on schema tags",
    "comment on trigger tags on s.users",
    "publication tags",
    "cast (s.tags AS text)",
]


@pytest.mark.parametrize("key", PARTS)
def test_a_part_of_a_tools_table_is_hidden(key):
    """Itself, what stands in it, and what is said of either."""
    assert hidden({"s.tags", "tags"}, {key: ""}) == {key}


@pytest.mark.parametrize("key", OTHERS)
def test_what_is_only_called_like_it_is_not(key):
    """A column, a program or a schema of the same name is the user's."""
    assert hidden({"s.tags", "tags"}, {key: ""}) == set()


def test_an_index_belongs_to_the_table_that_its_definition_names():
    """Whatever its name begins with."""
    objects = {
        "table s.tags": "",
        "table s.tags_of": "",
        "index s.tags_of_pkey": "CREATE UNIQUE INDEX tags_of_pkey ON s.tags_of USING btree (id)",
        "index s.tags_by_name": "CREATE INDEX tags_by_name ON s.users USING btree (name)",
        "index s.by_name": 'CREATE INDEX by_name ON ONLY s."tags" USING btree (name)',
        "comment on index s.by_name": "of the tool",
        "comment on index s.tags_of_pkey": "of a user",
    }
    told = {"table s.tags", "index s.by_name", "comment on index s.by_name"}
    assert hidden({"s.tags"}, objects) == told


def test_a_sequence_belongs_to_the_table_that_takes_its_values():
    """As its owner says, or a column's default does."""
    objects = {
        "table s.tags": "",
        "sequence s.tags_id_seq": "sequence AS bigint OWNED BY s.tags.id OWNER me",
        "sequence s.numbers": "sequence AS bigint OWNER me",
        "sequence s.tags_of_users": "sequence AS bigint OWNED BY s.users.id OWNER me",
        "grant on sequence s.numbers": "{=U/me}",
        "grant on sequence s.tags_of_users": "{=U/me}",
    }
    counters = {
        "s.tags_id_seq": Counter(1, 1, "s.tags.id"),
        "s.numbers": Counter(1, 1, "s.tags.number"),
        "s.tags_of_users": Counter(1, 1, "s.users.id"),
    }
    own = {"sequence s.tags_id_seq", "sequence s.numbers", "grant on sequence s.numbers"}
    assert hidden({"s.tags"}, objects, counters) == {"table s.tags", *own}
    left = Snapshot(objects, {}, counters).without(["tags"])
    assert left.counters.keys() == {"s.tags_of_users"}


def test_a_definition_that_tells_nothing_leaves_the_name():
    """It begins with that of the longest table that fits."""
    objects = dict.fromkeys(
        ["table s.tags", "table s.tags_of", "index s.tags_pkey", "index s.tags_of_pkey"], ""
    )
    assert hidden({"s.tags"}, objects) == {"table s.tags", "index s.tags_pkey"}

"""Messages of many statements are cut only where the server would cut them too."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import sqltext
from harness.errors import DrillError
from harness.wire.pacing import parts_of


def cut(text):
    return [statement.text for statement in sqltext.split(text, "mysql")]


def texts(sql):
    return [part.text for part in parts_of(sql, cut)]


def test_each_statement_becomes_a_part():
    """The comments before a statement go with it, and what follows the last one with the last."""
    parts = parts_of("-- one\nINSERT a; -- two\nUPDATE b;\nDELETE c; -- end", cut)
    assert [part.text for part in parts] == ["INSERT a", "UPDATE b", "DELETE c"]
    assert [part.sent for part in parts] == [
        "-- one\nINSERT a",
        " -- two\nUPDATE b",
        "\nDELETE c; -- end",
    ]


@pytest.mark.parametrize(
    "sql, expected",
    [
        ("SELECT 1", ["SELECT 1"]),
        ("INSERT a;; UPDATE b", ["INSERT a;; UPDATE b"]),
        ("INSERT a; UPDATE b;; DELETE c", ["INSERT a", "UPDATE b;; DELETE c"]),
        (
            "INSERT a; CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; DROP c",
            ["INSERT a", "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; DROP c"],
        ),
        (
            "INSERT a; CREATE DEFINER=`x`@`y` TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN END",
            [
                "INSERT a",
                "CREATE DEFINER=`x`@`y` TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN END",
            ],
        ),
        (
            "CREATE TABLE event (function int); INSERT INTO event VALUES (1)",
            ["CREATE TABLE event (function int)", "INSERT INTO event VALUES (1)"],
        ),
        (
            "DELIMITER $$\nINSERT a$$\nDELIMITER ;\nUPDATE b;",
            ["DELIMITER $$\nINSERT a$$\nDELIMITER ;\nUPDATE b;"],
        ),
        (
            "DELETE a; LOAD DATA LOCAL INFILE 'x' INTO TABLE a; DELETE b",
            ["DELETE a; LOAD DATA LOCAL INFILE 'x' INTO TABLE a; DELETE b"],
        ),
        ("INSERT 'never closed; DELETE b", ["INSERT 'never closed; DELETE b"]),
        ("INSERT 'a;b'; DELETE \"c;\"", ["INSERT 'a;b'", 'DELETE "c;"']),
        ("/*!40000 ALTER x */; INSERT a", ["/*!40000 ALTER x */", "INSERT a"]),
    ],
)
def test_doubtful_places_stay_in_one_part(sql, expected):
    """Stored programs, empty statements and DELIMITER are left to the server to cut."""
    assert texts(sql) == expected


def test_a_message_that_cannot_be_split_is_one_part():
    """Whoever splits may refuse; the message then goes on as it came."""

    def refuses(_text):
        raise DrillError("no")

    assert [part.sent for part in parts_of("a; b", refuses)] == ["a; b"]


PIECES = ("INSERT a", "SELECT ';'", " ;", " ", "\n", "-- c\n", "/* ; */", "`x;`", "#x\n", "'")


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_nothing_but_single_semicolons_is_lost(sql):
    """What is sent, put together again with semicolons, is the message."""
    assert ";".join(part.sent for part in parts_of(sql, cut)) == sql


@given(st.lists(st.sampled_from(["INSERT a", "DROP b", "UPDATE c SET d = ';'"]), min_size=1))
def test_plain_statements_are_all_cut(statements):
    """However many there are."""
    sql = ";\n".join(statements)
    assert texts(sql) == statements
    assert not any(re.fullmatch(r"\s*", text) for text in texts(sql))

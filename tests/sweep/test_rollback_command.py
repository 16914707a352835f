"""``mdrill rollback`` on a folder of ours, in which each verdict comes about.

What is right was written by hand; golang-migrate's layout, whose record is a table of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import places
import pytest
from places import backend_of
from swept import DEADLINE_S, MDRILL, write

FIRST = """\
CREATE TABLE guests (
  id integer PRIMARY KEY, email varchar(80), room varchar(20), name varchar(80)
);
CREATE TABLE bills (
  id integer PRIMARY KEY, guest_id integer NOT NULL, note varchar(200) NOT NULL,
  CONSTRAINT bills_guest FOREIGN KEY (guest_id) REFERENCES guests (id)
);
"""
PAIRS: Mapping[str, tuple[str, str]] = {
    "1_first": (FIRST, "DROP TABLE bills; DROP TABLE guests;"),
    "2_phone": (
        "ALTER TABLE guests ADD COLUMN phone varchar(20);",
        "ALTER TABLE guests DROP COLUMN phone;",
    ),
    "3_room": (
        "ALTER TABLE guests DROP COLUMN room;",
        "ALTER TABLE guests ADD COLUMN room varchar(20);",
    ),
    "4_letters": ("UPDATE guests SET name = LOWER(name);", "SELECT 1;"),
    "5_kept": (
        "ALTER TABLE guests ADD COLUMN email_original varchar(80);"
        "UPDATE guests SET email_original = email;"
        "UPDATE guests SET email = LOWER(email);",
        "UPDATE guests SET email = email_original;ALTER TABLE guests DROP COLUMN email_original;",
    ),
    "6_index": (
        "ALTER TABLE bills ADD COLUMN paid integer; CREATE INDEX bills_note ON bills (note);",
        "ALTER TABLE bills DROP COLUMN paid;",
    ),
    "7_doors": (
        "CREATE TABLE doors (id integer PRIMARY KEY, name varchar(20));",
        "DROP TABLE doors;",
    ),
    "8_door_keys": (
        "CREATE TABLE door_keys (id integer PRIMARY KEY, door_id integer NOT NULL,"
        " CONSTRAINT key_door FOREIGN KEY (door_id) REFERENCES doors (id));",
        "SELECT 1;",
    ),
    "9_no_original": (
        "ALTER TABLE guests DROP COLUMN email_original;",
        "ALTER TABLE guests ADD COLUMN email_original varchar(80);",
    ),
    "10_pretends": (
        "-- mdrill: irreversible: the notes were wrong\nUPDATE bills SET note = 'none';",
        "SELECT 1;",
    ),
    "11_refused": (
        "-- mdrill: irreversible: names are not ours to keep\nUPDATE guests SET name = 'x';",
        "SELECT * FROM this_cannot_be_taken_back;",
    ),
    "12_column": (
        "ALTER TABLE bills ADD COLUMN seen integer;",
        "ALTER TABLE bills DROP COLUMN seen;",
    ),
    "13_nothing": ("CREATE INDEX guests_name ON guests (name);", ""),
}
VERDICTS = {
    "1": "true-rollback",
    "2": "true-rollback",
    "3": "lies",
    "4": "lies",
    "5": "lies",
    "6": "lies",
    "7": "lies",
    "8": "lies",
    "9": "lies",
    "10": "lies",
    "11": "declared-irreversible",
    "12": "true-rollback",
    "13": "no-way-down",
}
LEADS = {
    "3": "restores-schema-loses-data",
    "4": "restores-schema-loses-data",
    "5": "loses-what-was-written-meanwhile",
    "6": "schema-differs",
    "7": "restores-everything",
    "8": "schema-differs",
    "9": "restores-schema-loses-data",
    "10": "pretends",
}


class Ran:
    """How the command ended, and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        found = re.search(r"^record in (.*)$", err, re.MULTILINE)
        self.folder = Path(found[1]) if found else Path()

    def file(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    def told(self) -> dict[str, Any]:
        return json.loads(self.file("rollback.json"))

    def migration(self, version: str) -> dict[str, Any]:
        return next(m for m in self.told()["migrations"] if m["version"] == version)


def files(pairs: Mapping[str, tuple[str, str]] = PAIRS) -> dict[str, str]:
    ups = {f"{name}.up.sql": up for name, (up, _) in pairs.items()}
    return ups | {f"{name}.down.sql": down for name, (_, down) in pairs.items() if down}


@pytest.fixture(scope="session")
def take_back(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    known: dict[object, Ran] = {}

    def ask(written: Mapping[str, str], engine: str, *more: str) -> Ran:
        question = (tuple(written.items()), engine, more)
        if question not in known:
            place = tmp_path_factory.mktemp("rollback")
            folder = write(place / "migrations", written)
            static = "--static" in more
            backend = () if static else ("--backend", backend_of(engine))
            done = subprocess.run(
                [*MDRILL, "rollback", str(folder), "--engine", places.label(engine), *backend,
                 "--rows", "60", "--out", str(place / "out"), *more],
                capture_output=True, text=True, timeout=DEADLINE_S, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            known[question] = Ran(done.returncode, done.stdout, done.stderr)
        return known[question]

    return ask


@pytest.fixture(params=["postgres", "mariadb"])
def ran(take_back: Callable[..., Ran], request: pytest.FixtureRequest) -> Ran:
    return take_back(files(), request.param)


def test_each_migration_has_the_verdict_that_is_right(ran):
    """Whatever its comments and its tool's exit code say."""
    told = ran.told()
    assert {m["version"]: m["verdict"] for m in told["migrations"]} == VERDICTS
    leads = {m["version"]: m["found"]["leads"] for m in told["migrations"]}
    assert {version: leads[version] for version in LEADS} == LEADS
    assert (ran.code, told["exit_code"]) == (1, 1)


def test_what_is_lost_is_told_by_table_column_count_and_row(ran):
    """A bounded sample of rows, by their keys."""
    (room,) = ran.migration("3")["found"]["data"]
    assert re.search(
        r"guests: \d+ of \d+ rows differ \(\d+ changed\), values of room \d+: id ", room
    )
    assert room.count("→ NULL") <= 5
    (name,) = ran.migration("4")["found"]["data"]
    assert "values of name" in name


def test_an_edit_and_a_new_row_of_the_old_version_are_lost_by_the_stored_originals(ran):
    """The seed's own way back: it sets every value to what was stored."""
    new_rows, edits = ran.migration("5")["found"]["undone"]
    assert "values of email 2" in new_rows
    assert "→ NULL" in new_rows
    assert "values of email 3" in edits
    found = ran.migration("2")["found"]
    assert found["undone"] == []
    assert "guests.phone, which is gone" in " ".join(found["meanwhile"])


def test_a_way_down_that_works_only_directly_after_its_up_is_found(ran):
    """The later migration's way down left what refers to it."""
    doors = ran.migration("7")
    assert doors["found"]["leads"] == "restores-everything"
    assert doors["in_order"]["came"] == "fails"
    assert "and not directly after its up" in doors["wrong"][0]
    assert doors["in_order"]["head"] == "10"


def test_the_values_that_a_later_migration_threw_away_are_missed_in_order(take_back):
    """Its down is right directly after its up, and empties the column after the later one."""
    pairs = {
        "1_first": PAIRS["1_first"],
        "2_kept": PAIRS["5_kept"],
        "3_no_original": PAIRS["9_no_original"],
    }
    kept = take_back(files(pairs), "postgres").migration("2")
    assert kept["in_order"]["came"] == "loses-data"
    assert "values of email" in " ".join(kept["in_order"]["differs"])
    assert kept["in_order"]["rows"]


def test_up_again_gives_what_the_first_up_gave_or_is_told(ran):
    assert ran.migration("2")["again"]["came"] == "same"
    for version in ("6", "8"):
        again = ran.migration(version)["again"]
        assert again["came"] == "fails"
        assert again["says"]


def test_the_tools_own_record_is_as_before(ran):
    for version in ("1", "2", "12"):
        assert ran.migration(version)["book"] == {"migration": version, "keeps": True, "wrong": ""}


def test_nobody_comes_down_past_what_is_refused(ran):
    """Below it another descent begins; one alone was looked at directly."""
    assert ran.migration("11")["in_order"] is None
    assert ran.migration("12")["in_order"] is None
    assert ran.migration("10")["in_order"]["head"] == "10"


def test_where_the_sql_alone_and_the_measurement_disagree_is_told(ran):
    assert ran.migration("3")["disagrees"] == ""
    assert "tells nothing that loses data" in ran.migration("6")["disagrees"]
    assert "≠ 6_index" in ran.out


def test_every_report_tells_the_same(ran):
    text = ran.file("rollback.md")
    for title in ("Irreversible changes", "True rollbacks", "Not a rollback"):
        assert title in text
    assert ran.out.index("✗ 3_room") < ran.out.index("→ 13_nothing") < ran.out.index("✓ 1_first")
    suites = {s.get("name"): s for s in Xml.fromstring(ran.file("junit.xml"))}
    assert int(suites["3_room"].get("failures")) >= 1
    assert suites["2_phone"].get("failures") == "0"


def test_all_as_it_should_be_is_exit_code_0(take_back):
    pairs = {name: PAIRS[name] for name in ("1_first", "2_phone", "11_refused", "12_column")}
    good = take_back(files(pairs), "postgres")
    assert (good.code, good.told()["findings"]) == (0, [])


def test_a_column_that_is_renamed_and_back_is_a_true_rollback(take_back):
    """What is written under its new name is there under the old one; and a new column that takes
    over the name is another one.
    """
    pairs = {
        "1_first": PAIRS["1_first"],
        "2_renamed": (
            "ALTER TABLE guests RENAME COLUMN name TO called;",
            "ALTER TABLE guests RENAME COLUMN called TO name;",
        ),
        "3_taken_over": (
            "ALTER TABLE guests RENAME COLUMN name TO called;"
            "ALTER TABLE guests ADD COLUMN name varchar(9) NOT NULL DEFAULT '';",
            "ALTER TABLE guests DROP COLUMN name;ALTER TABLE guests RENAME COLUMN called TO name;",
        ),
    }
    pairs["2b_back"] = (pairs["2_renamed"][1], pairs["2_renamed"][0])
    written = {
        name.replace("2b_back", "3_back").replace("3_taken_over", "4_taken_over"): pair
        for name, pair in pairs.items()
    }
    assert take_back(files(written), "postgres").code == 0


def test_a_way_down_that_leaves_the_tools_record_wrong_is_found(take_back):
    """dbmate takes its own row away, and knows nothing of one that the script has put there."""
    written = {
        "1_first.sql": f"-- migrate:up\n{FIRST}\n-- migrate:down\nDROP TABLE bills, guests;\n",
        "2_more.sql": (
            "-- migrate:up\nCREATE INDEX guests_name ON guests (name);\n-- migrate:down\n"
            "DROP INDEX guests_name;\nINSERT INTO schema_migrations (version) VALUES ('7');\n"
        ),
    }
    ran = take_back(written, "postgres", "--tool", "dbmate-emulated")
    assert ran.migration("2")["verdict"] == "lies"
    assert "has 2 versions, the last 7 applied (was: 1)" in ran.migration("2")["book"]["wrong"]
    assert ran.migration("1")["verdict"] == "true-rollback"


def test_no_way_down_at_all_is_exit_code_5_and_a_finding_where_it_is_required(take_back):
    pairs = {"1_first": (FIRST, ""), "13_nothing": PAIRS["13_nothing"]}
    assert take_back(files(pairs), "postgres").code == 5
    assert take_back(files(pairs), "postgres", "--require-down").code == 1


def test_a_statement_that_met_no_row_is_not_green(take_back):
    """Its way down seems to restore everything, as nothing was changed."""
    pairs = {
        "1_first": PAIRS["1_first"],
        "2_none": ("UPDATE guests SET name = 'y' WHERE name = 'nobody has it';", "SELECT 1;"),
    }
    ran = take_back(files(pairs), "postgres")
    assert ran.code == 3
    assert ran.migration("2")["verdict"] == "unknown"


def test_static_needs_no_server(take_back):
    ran = take_back(files(), "postgres", "--static", "--backend", "docker", "--image",
                    "postgres=no-such-image:1")  # fmt: skip
    verdicts = {m["version"]: m["verdict"] for m in ran.told()["migrations"]}
    assert verdicts["3"] == verdicts["4"] == "lies"
    assert verdicts["10"] == verdicts["11"] == "declared-irreversible"
    assert verdicts["13"] == "no-way-down"
    assert verdicts["2"] == verdicts["6"] == "nothing-found"
    assert "Nothing was executed" in ran.out
    assert "backend:" not in ran.err
    assert ran.code == 1

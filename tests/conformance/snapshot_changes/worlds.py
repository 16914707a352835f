"""Databases in which the changes are made: a few schemas, roles, and what cannot be made in one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.ports import Session
from harness.state.difference import Difference, difference
from harness.state.snapshot import Snapshot, take
from snapshot_changes import (
    mariadb_alone,
    mysql_alone,
    mysql_family,
    postgres_programs,
    postgres_tables,
    postgres_whole,
)  # fmt: skip
from snapshot_changes.model import ODD, PLAIN, SAID, Change, Name, Names, skipped


@dataclass(frozen=True)
class Kind:
    """What one engine needs: its changes, and the world in which they are made."""

    changes: Sequence[Change]
    quote: str
    spaces: tuple[str, ...]
    types: tuple[str, ...]
    world: Mapping[str, object]
    before: tuple[tuple[str, tuple[str, ...]], ...]
    """Statements that make the world, each after a query that gives 1 if they are needed."""


POSTGRES = Kind(
    (*postgres_tables.ALL, *postgres_programs.ALL, *postgres_whole.ALL),
    '"',
    ("public", "attic", "Odd Space"),
    ("integer", "text", "numeric(10,2)", "timestamptz", "bytea", "jsonb", "integer[]", "uuid"),
    {
        "one": Name("snap_one", "", '"'),
        "two": Name("snap_two", "", '"'),
        "me": Name("postgres", "", '"'),
        "me_too": Name("snap_super", "", '"'),
        "space": Name("snap_space", "", '"'),
        "extension": "public.",
    },
    (
        *(
            (f"SELECT (to_regrole('{name}') IS NULL)::int", (f"CREATE ROLE {name} {more}",))
            for name, more in (("snap_one", ""), ("snap_two", ""), ("snap_super", "SUPERUSER"))
        ),
        (
            "SELECT (current_setting('server_version_num')::int >= 150000 AND NOT EXISTS ("
            "SELECT FROM pg_tablespace WHERE spcname = 'snap_space'))::int",
            (
                "SET allow_in_place_tablespaces = on",
                "CREATE TABLESPACE snap_space LOCATION ''",
            ),
        ),
        ("SELECT 1", ("CREATE SCHEMA attic", 'CREATE SCHEMA "Odd Space"')),
    ),
)

ACCOUNTS = (
    "CREATE USER IF NOT EXISTS snap_one@localhost",
    "CREATE USER IF NOT EXISTS snap_two@localhost",
    "CREATE ROLE IF NOT EXISTS snap_role",
)
FAMILY = Kind(
    mysql_family.ALL,
    "`",
    ("",),
    ("integer", "text", "decimal(10,2)", "datetime(3)", "blob", "json", "enum('a','b')", "float"),
    {
        "one": "snap_one@localhost",
        "two": "snap_two@localhost",
        "role": "snap_role",
        "space": Name("snap_space", "", "`"),
    },
    (("SELECT 1", ACCOUNTS),),
)
MYSQL = replace(
    FAMILY,
    changes=(*FAMILY.changes, *mysql_alone.ALL),
    before=(
        *FAMILY.before,
        (
            "SELECT COUNT(*) = 0 FROM information_schema.innodb_tablespaces "
            "WHERE NAME = 'snap_space'",
            ("CREATE TABLESPACE snap_space ADD DATAFILE 'snap_space.ibd'",),
        ),
    ),
)
MARIADB = replace(FAMILY, changes=(*FAMILY.changes, *mariadb_alone.ALL))

FLUSH = "SELECT pg_stat_force_next_flush()"
"""Otherwise a transaction's counts hold what the session wrote up to a second before."""

KINDS = {"postgres": POSTGRES, "mysql": MYSQL, "mariadb": MARIADB}


def names_of(
    kind: Kind,
    rng: random.Random,
    numbers: Iterator[int],
    database: str,
    collation: str,
    odd: Sequence[str] = ODD,
) -> Names:
    """Names to be drawn for one change, and those that its database has."""
    own = {
        "types": kind.types,
        "database": Name(database, "", kind.quote),
        "collation": collation,
    }
    return Names(rng, kind.quote, kind.spaces, {**kind.world, **own}, numbers, odd)


class World:
    """One database of a bench's server, and the changes that are made in it."""

    def __init__(self, bench: Any, seed: int) -> None:
        self.engine, kind = bench.engine, KINDS[bench.engine.name]
        self.database = bench.new_name()
        self.engine.databases.create(bench.admin(), self.database)
        self.session: Session = bench.connect(database=self.database)
        for asked, statements in kind.before:
            if self.session.run(asked).scalar():
                self.run(statements)
        self.collation = self.snapshot().objects.get("database default", "").rpartition(" ")[2]
        self.rng = random.Random(seed)
        self.left_out = skipped(kind.changes, lambda sql: self.session.run(sql).scalar())
        self.changes = [each for each in kind.changes if each.name not in self.left_out]
        self._not_tried = [each for each in kind.changes if each.name in self.left_out]
        self._kind = kind
        self._numbers: Iterator[int] = itertools.count(1)

    def named(self, change: Change) -> Change:
        """The change with drawn names."""
        odd = PLAIN if change.plain else ODD
        names = names_of(self._kind, self.rng, self._numbers, self.database, self.collation, odd)
        return change.with_names(names)

    def enter(self, session: Session, database: str) -> None:
        """Go on in another database."""
        self.session, self.database = session, database

    def run(self, statements: Sequence[str]) -> None:
        for sql in statements:
            try:
                self.session.run(sql)
            except Exception as error:
                raise AssertionError(f"{sql} -> {error}") from error

    def snapshot(self) -> Snapshot:
        return take(self.engine, self.session)

    def said_of(self, change: Change) -> list[str]:
        """Make a change and take it back; what a difference says of it that it should not.

        An empty list if it names that very change, and nothing once it is taken back.
        """
        self.run(change.given)
        before = self.snapshot()
        self.run(change.does)
        wrong = _unlike(difference(before, self.snapshot()), change.said())
        if change.back:
            self.run(change.back)
            nothing = dict.fromkeys(SAID, ())
            again = _unlike(difference(before, self.snapshot()), nothing, order=False)
            wrong += [f"taken back: {line}" for line in again]
        return wrong

    def written(self, counted: str) -> set[str]:
        """The tables of the catalogue that the changes write, each in a transaction of its own.

        ``counted`` asks the server. What it cannot do is taken at its word.
        """
        found = {table for each in self._not_tried for table in each.writes}
        for each in self.changes:
            if not each.alone:
                change = self.named(each)
                self.run((FLUSH, "BEGIN", *change.given, *change.does))
                found |= {row[0] for row in self.session.run(counted).rows}
                self.run(("ROLLBACK",))
        return found

    def seen_written(self) -> set[str]:
        """The tables of the catalogue in which a change shows that says so of itself."""
        found = {table.lower() for each in self._not_tried for table in each.writes}
        for each in self.changes:
            if not each.writes:
                continue
            change = self.named(each)
            self.run(change.given)
            before = [self._rows(table) for table in each.writes]
            self.run(change.does)
            for table, rows in zip(each.writes, before, strict=True):
                assert self._rows(table) != rows, f"{each.name}: nothing in {table}"
                found.add(table.lower())
            self.run(change.back)
        return found

    def _rows(self, table: str) -> set[str]:
        return set(map(repr, self.session.run(f"SELECT * FROM {table}").rows))


def _unlike(
    found: Difference, wanted: Mapping[str, tuple[str, ...]], order: bool = True
) -> list[str]:
    told = {what: tuple(sorted(getattr(found, what))) for what in SAID if order or what != "order"}
    return [
        f"{what}: {told[what]}, not {wanted[what]}" for what in told if told[what] != wanted[what]
    ]

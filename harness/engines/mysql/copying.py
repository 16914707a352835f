"""How tables, sequences and stored programs get from one database to another of a server.

Names without a database mean the session's current one, so every function enters first.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from harness.engines.mysql import quoting
from harness.engines.mysql.connector import MySQLSession
from harness.errors import DatabaseError

NOT_YET = frozenset({"1146", "1356"})
"""What a view answers as long as the view it reads is not there."""

NO_TABLE = re.compile(r"Table '([^.]+)\.(.+)' doesn't exist")
COLUMN_OF = re.compile(r"`(?:[^`]|``)+`\.`((?:[^`]|``)+)`")
"""What a view says of a table that is not there, and how it names columns."""

SETTINGS = (
    "SET SESSION foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO', "
    "lock_wait_timeout = 15 "
    "/*!80000 , information_schema_stats_expiry = 0 */"
)
"""As mysqldump has them: tables in any order, and a key of 0 stays 0. The last, which MariaDB
takes for a comment, makes MySQL tell the next auto-increment value of now. Who comes into a
database that is being reset is waited for 15 s, where the server's own limit is a year."""

TABLES = """
SELECT TABLE_NAME, TABLE_TYPE, COALESCE(AUTO_INCREMENT, 0) FROM information_schema.tables
WHERE TABLE_SCHEMA = %s AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
"""

STORED_COLUMNS = """
SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.columns
WHERE TABLE_SCHEMA = %s AND COALESCE(GENERATION_EXPRESSION, '') = ''
ORDER BY TABLE_NAME, ORDINAL_POSITION
"""

PROGRAMS = """
SELECT CAST('TRIGGER' AS BINARY), CAST(TRIGGER_NAME AS BINARY),
       CAST(EVENT_OBJECT_TABLE AS BINARY), ACTION_ORDER
FROM information_schema.triggers WHERE TRIGGER_SCHEMA = DATABASE()
UNION ALL SELECT CAST('VIEW' AS BINARY), CAST(TABLE_NAME AS BINARY), CAST('' AS BINARY), 0
FROM information_schema.views WHERE TABLE_SCHEMA = DATABASE()
UNION ALL SELECT CAST(ROUTINE_TYPE AS BINARY), CAST(ROUTINE_NAME AS BINARY), CAST('' AS BINARY), 0
FROM information_schema.routines WHERE ROUTINE_SCHEMA = DATABASE()
/*!90200 UNION ALL SELECT CAST('LIBRARY' AS BINARY), CAST(LIBRARY_NAME AS BINARY),
         CAST('' AS BINARY), 0
FROM information_schema.libraries WHERE LIBRARY_SCHEMA = DATABASE() */
UNION ALL SELECT CAST('EVENT' AS BINARY), CAST(EVENT_NAME AS BINARY), CAST('' AS BINARY), 0
FROM information_schema.events WHERE EVENT_SCHEMA = DATABASE()
"""

REMEMBERED = ("sql_mode", "time_zone", "character_set_client", "collation_connection")
"""Settings that a program keeps from the session that made it."""

PACKAGES = ("PACKAGE", "PACKAGE BODY")
"""Of MariaDB, of which older versions know their names only in the mode in which they are made."""
FIRST = ("LIBRARY", *PACKAGES, "PROCEDURE", "FUNCTION")
LAST = ("VIEW", "TRIGGER", "EVENT")

HISTOGRAMS = """
SELECT NULL, NULL, NULL, NULL FROM information_schema.tables WHERE FALSE
/*!80000 UNION ALL SELECT TABLE_NAME, COLUMN_NAME,
  JSON_UNQUOTE(JSON_EXTRACT(HISTOGRAM, '$."number-of-buckets-specified"')),
  JSON_EXTRACT(HISTOGRAM, '$."auto-update"') = true
FROM information_schema.column_statistics WHERE SCHEMA_NAME = %s */
"""


MERGED = "\n) ENGINE=MRG_MyISAM"
"""A table whose rows are those of others, which must be there before it."""
USED_LIBRARIES = re.compile(r"^    USING \(.*\)$", re.MULTILINE)


@dataclass(frozen=True)
class Tables:
    """What holds rows in one database: next key by table, and the sequences of MariaDB."""

    next_keys: dict[str, int]
    sequences: frozenset[str]


@dataclass(frozen=True)
class Program:
    """A view, trigger, routine or event as the server shows it, with what it was made under."""

    kind: str
    name: str
    table: str
    order: int
    text: str
    settings: tuple[tuple[str, str], ...]


def enter(s: MySQLSession, database: str) -> None:
    """Make it the session's current database."""
    s.run(f"USE {quoting.name(database)}")


def tables(s: MySQLSession, database: str) -> Tables:
    """Every table and sequence of the database."""
    rows = s.run(TABLES, (database,)).rows
    return Tables(
        {name: int(key) for name, kind, key in rows if kind != "SEQUENCE"},
        frozenset(name for name, kind, _ in rows if kind == "SEQUENCE"),
    )


def copy_tables(s: MySQLSession, template: str, name: str, wanted: Collection[str]) -> None:
    """Make these tables anew with their rows and statistics.

    READ COMMITTED, so that no row of the template is locked and no lock there is waited for.
    """
    if not wanted:
        return
    enter(s, name)
    columns: dict[str, list[str]] = {}
    for table, column in s.run(STORED_COLUMNS, (template,)).rows:
        columns.setdefault(table, []).append(column)
    merged = []
    for table in sorted(wanted):
        here = quoting.name(table)
        listed = quoting.names(columns.get(table, ()))
        text = _shown(s, "TABLE", template, table)
        if MERGED in text:
            merged.append(text)
            continue
        s.run_file(
            f"{text};\n"
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n"
            f"INSERT INTO {here} ({listed}) SELECT {listed} FROM {quoting.name(template)}.{here}"
        )
    for text in merged:
        s.run(text)
    s.run(f"ANALYZE NO_WRITE_TO_BINLOG TABLE {quoting.names(sorted(wanted))}")
    for table, column, buckets, updated in s.run(HISTOGRAMS, (template,)).rows:
        if table in wanted:
            s.run(
                f"ANALYZE NO_WRITE_TO_BINLOG TABLE {quoting.name(table)} UPDATE HISTOGRAM ON "
                f"{quoting.name(column)} WITH {int(buckets)} BUCKETS"
                + (" AUTO UPDATE" if updated else "")
            )


def copy_sequences(s: MySQLSession, template: str, name: str, had: Collection[str]) -> None:
    """Replace the sequences ``had`` by the template's, each at its first value not yet cached.

    SETVAL does not go back, not even from the start that a sequence was given later.
    """
    enter(s, name)
    for sequence in had:
        s.run(f"DROP SEQUENCE {quoting.name(sequence)}")
    for sequence in tables(s, template).sequences:
        here = quoting.name(sequence)
        s.run(_shown(s, "SEQUENCE", template, sequence))
        first, rounds = s.run(
            f"SELECT next_not_cached_value, cycle_count FROM {quoting.name(template)}.{here}"
        ).rows[0]
        if s.run(f"SELECT SETVAL({here}, {first}, 0, {rounds})").scalar() is None:
            s.run(f"ALTER SEQUENCE {here} RESTART {first}")


def set_next_keys(s: MySQLSession, template: str, name: str) -> None:
    """Make each auto-increment column go on where the template's does."""
    wanted, found = tables(s, template).next_keys, tables(s, name).next_keys
    for table, key in wanted.items():
        if found.get(table, key) != key:
            s.run(
                f"ALTER TABLE {quoting.name(name)}.{quoting.name(table)} "
                f"AUTO_INCREMENT = {max(1, key)}"
            )


def programs(s: MySQLSession, database: str) -> list[Program]:
    """All of the database's; a view is shown without its database's name only from inside."""
    enter(s, database)
    listed = sorted(
        (kind.decode(), table.decode(), int(order), name.decode())
        for kind, name, table, order in s.run(PROGRAMS).rows
    )
    place = quoting.name(database) + "."
    return [_program(s, place, *row) for row in listed]


def drop_programs(s: MySQLSession, name: str, unwanted: Iterable[Program]) -> None:
    """Drop each of them."""
    enter(s, name)
    for program in unwanted:
        if program.kind in PACKAGES:
            _as_made(s, program)
        s.run(f"DROP {program.kind} IF EXISTS {quoting.name(program.name)}")


def create_programs(s: MySQLSession, name: str, wanted: Collection[Program]) -> None:
    """Create them under their own settings, each view after those that it reads.

    A view whose table is gone in the template is created on a table that is dropped again.
    """
    enter(s, name)
    todo = [p for kind in (*FIRST, *LAST) for p in wanted if p.kind == kind]
    stood_in: list[str] = []
    while todo:
        waiting = [program for program in todo if not _created(s, program)]
        if len(waiting) == len(todo):
            stood_in.append(_stand_in(s, name, waiting[0]))
        todo = waiting
    for table in stood_in:
        s.run(f"DROP TABLE {quoting.name(table)}")


def _stand_in(s: MySQLSession, name: str, view: Program) -> str:
    """Make a table that the view reads and that is not there, with every column it may mean."""
    try:
        s.run(view.text)
    except DatabaseError as error:
        missing = NO_TABLE.search(error.message)
        if missing is None or missing[1] != name:
            raise
        columns = sorted(set(COLUMN_OF.findall(view.text)))
        listed = ", ".join(f"`{column}` integer" for column in columns or ("a",))
        s.run(f"CREATE TABLE {quoting.name(missing[2])} ({listed})")
        return missing[2]
    raise AssertionError(f"{view.name} was there to be created")


def _as_made(s: MySQLSession, program: Program) -> None:
    """Take on the settings under which it was made."""
    settings = ", ".join(f"{key} = {quoting.value(value)}" for key, value in program.settings)
    if settings:
        s.run(f"SET SESSION {settings}")


def _created(s: MySQLSession, program: Program) -> bool:
    _as_made(s, program)
    try:
        s.run(program.text)
    except DatabaseError as error:
        if program.kind != "VIEW" or error.code not in NOT_YET:
            raise
        return False
    return True


def _program(s: MySQLSession, place: str, kind: str, table: str, order: int, name: str) -> Program:
    """A text beyond ASCII is sent as what it is shown in, not in its maker's character set.

    A routine's libraries are shown in their place, its database; so is all that a view reads whose
    table is gone.
    """
    found = s.run(f"SHOW CREATE {kind} {quoting.name(name)}")
    row = dict(zip(found.columns, found.rows[0], strict=True))
    text = row.get("SQL Original Statement") or row[f"Create {kind.title()}"]
    if kind == "VIEW":
        text = text.replace(place, "")
    text = USED_LIBRARIES.sub(lambda used: used[0].replace(place, ""), text, count=1)
    settings = {key: str(row[key]) for key in REMEMBERED if row.get(key)}
    if not text.isascii():
        settings.pop("character_set_client", None)
    return Program(kind, name, table, order, text, tuple(settings.items()))


def _shown(s: MySQLSession, kind: str, database: str, name: str) -> str:
    """The statement that creates it; a default ``nextval`` names its sequence's database."""
    place = quoting.name(database) + "."
    text = s.run(f"SHOW CREATE {kind} {place}{quoting.name(name)}").rows[0][1]
    return str(text).replace(f"nextval({place}", "nextval(")


@contextlib.contextmanager
def as_before(s: MySQLSession, database: str) -> Iterator[None]:
    """Leave the session afterwards as it was, and in this database."""
    names = ("foreign_key_checks", "lock_wait_timeout", *REMEMBERED)
    before = s.run(f"SELECT {', '.join(f'@@SESSION.{name}' for name in names)}").rows[0]
    try:
        yield
    finally:
        again = zip(names, before, strict=True)
        s.run("SET SESSION " + ", ".join(f"{n} = {quoting.value(v)}" for n, v in again))
        enter(s, database)


@contextlib.contextmanager
def without_foreign_keys(s: MySQLSession) -> Iterator[None]:
    """Nothing follows a foreign key meanwhile."""
    before = s.run("SELECT @@SESSION.foreign_key_checks").scalar()
    s.run("SET SESSION foreign_key_checks = 0")
    try:
        yield
    finally:
        s.run(f"SET SESSION foreign_key_checks = {int(before)}")

"""Databases on one MySQL server: the nonce they all show, clones, and clean removal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping

from harness.engines.mysql import copying, grants, quoting
from harness.engines.mysql.connector import LOCK_TIMEOUT, MySQLSession
from harness.engines.mysql.copying import Program
from harness.errors import DatabaseError, DeadlineExceeded
from harness.ports.contents import Table

GUARD_DATABASE = "mdrill_guard"
maintenance = "mysql"

DROP_DEADLINE_S = 15.0
POLL_S = 0.005
PORT = "port"
NO_SUCH_TABLE = "1146"
NO_SUCH_DATABASE = "1049"

EXISTS = "SELECT COUNT(*) FROM information_schema.schemata WHERE SCHEMA_NAME = %s"

READ_ONLY = "/* READ ONLY = 1 */"
"""How MySQL shows it; the comment is no part of what can be said again."""
IS_READ_ONLY = "3989"

NUMBERED = """
SELECT TABLE_NAME FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND AUTO_INCREMENT > 1
  AND ENGINE = 'InnoDB'
"""

USERS_OF = """
SELECT PROCESSLIST_ID FROM performance_schema.threads
WHERE PROCESSLIST_DB = %s AND PROCESSLIST_ID <> CONNECTION_ID()
UNION
SELECT t.PROCESSLIST_ID FROM performance_schema.metadata_locks m
JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID
WHERE m.OBJECT_SCHEMA = %s AND t.PROCESSLIST_ID <> CONNECTION_ID()
  AND NOT EXISTS (
    SELECT 1 FROM performance_schema.session_connect_attrs a
    WHERE a.PROCESSLIST_ID = t.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name'
      AND a.ATTR_VALUE IN ('observer', 'verifier'))
"""
"""Who is in the database, and who holds something in it from elsewhere. Those of ours who only look
hold nothing for long: they read the catalogue, which MariaDB does by opening every database's
tables."""


def plant_nonce(s: MySQLSession, nonce: str) -> None:
    """Write the nonce where a session in any database can read it."""
    s.run(f"CREATE DATABASE IF NOT EXISTS {GUARD_DATABASE}")
    s.run(f"CREATE TABLE IF NOT EXISTS {GUARD_DATABASE}.nonce (nonce VARCHAR(64) PRIMARY KEY)")
    s.run(f"DELETE FROM {GUARD_DATABASE}.nonce")
    s.run(f"INSERT INTO {GUARD_DATABASE}.nonce VALUES ({quoting.value(nonce)})")


def read_nonce(s: MySQLSession) -> str | None:
    """The nonce of this server; None where none was planted."""
    try:
        found = s.run(f"SELECT nonce FROM {GUARD_DATABASE}.nonce").scalar()
        return None if found is None else str(found)
    except DatabaseError as error:
        if error.code in (NO_SUCH_TABLE, NO_SUCH_DATABASE):
            return None
        raise


def settings(s: MySQLSession) -> dict[str, str]:
    """What the server is set to for everybody, by name; what a restart may change by itself is not
    among it.
    """
    return {name: str(value) for name, value in s.run("SHOW GLOBAL VARIABLES").rows if name != PORT}


def create(s: MySQLSession, name: str) -> None:
    """A new, empty database."""
    s.run(f"CREATE DATABASE {quoting.name(name)}")


def drop(s: MySQLSession, name: str) -> None:
    """End every session in the database, remove it and its grants; no error if it is not there."""
    end = time.monotonic() + DROP_DEADLINE_S
    with _settings(s, "lock_wait_timeout"):
        s.run("SET SESSION lock_wait_timeout = 1")
        while not _dropped(s, name):
            if time.monotonic() >= end:
                raise DeadlineExceeded(
                    f"database {name} is still in use after {DROP_DEADLINE_S:g} s"
                )
            time.sleep(POLL_S)
        grants.remove(s, name)


def clone(s: MySQLSession, template: str, name: str) -> None:
    """Copy everything: tables with rows and statistics, sequences, programs, grants.

    A view, trigger, routine or event keeps its definer and the settings it was made under.
    """
    with copying.as_before(s, maintenance):
        s.run(copying.SETTINGS)
        options = _options(s, template)
        s.run(f"CREATE DATABASE {quoting.name(name)} {options}")
        copying.copy_sequences(s, template, name, ())
        copying.copy_tables(s, template, name, copying.tables(s, template).next_keys)
        copying.set_next_keys(s, template, name)
        copying.create_programs(s, name, copying.programs(s, template))
        grants.copy(s, template, name)
        if READ_ONLY in options:
            s.run(f"ALTER DATABASE {quoting.name(name)} READ ONLY = 1")


def reset(s: MySQLSession, template: str, name: str, changed: Collection[str] | None) -> None:
    """Make ``name`` equal to ``template`` again; every session in ``name`` is ended first.

    Only the tables ``changed``, new or missing are made anew: the others must be known to be
    equal. Programs, sequences, next keys, grants and the database's options are compared. With
    None it is not known what changed, and the whole database is made anew.
    """
    if changed is None or not _exists(s, name) or READ_ONLY in _options(s, name):
        drop(s, name)
        clone(s, template, name)
        return
    _empty(s, name)
    with copying.as_before(s, maintenance):
        s.run(copying.SETTINGS)
        _reset_default(s, template, name)
        wanted, found = copying.programs(s, template), copying.programs(s, name)
        copying.drop_programs(s, name, _unwanted(wanted, found))
        _reset_tables(s, template, name, changed)
        kept = {(p.kind, p.name) for p in copying.programs(s, name)}
        copying.create_programs(s, name, [p for p in wanted if (p.kind, p.name) not in kept])
        grants.copy(s, template, name)
        if READ_ONLY in _options(s, template):
            s.run(f"ALTER DATABASE {quoting.name(name)} READ ONLY = 1")


def keep_rows(s: MySQLSession, tables: Collection[str]) -> dict[str, bytes]:
    """None: they are taken from the template, which any session can read."""
    return {}


def refill(s: MySQLSession, template: str, table: Table, rows: bytes) -> None:
    """Give a small table of the session's database the rows that it has in the template; it must
    have no trigger, for those would run.
    """
    stored = s.run(copying.STORED_COLUMNS, (template,)).rows
    listed = quoting.names([column for name, column in stored if name == table.name])
    there = f"{quoting.name(template)}.{table.source}"
    with copying.without_foreign_keys(s):
        s.run("START TRANSACTION")
        try:
            s.run(f"DELETE FROM {table.source}")
            s.run(f"INSERT INTO {table.source} ({listed}) SELECT {listed} FROM {there}")
        except DatabaseError:
            s.run("ROLLBACK")
            raise
        s.run("COMMIT")


def forget_reserved_keys(s: MySQLSession, tables: Collection[str]) -> None:
    """Let each column of theirs that numbers itself go on behind its largest value.

    INSERT … SELECT reserves numbers by powers of two; InnoDB writes down only those that it gave,
    so after a crash such a column gives a smaller number next.
    """
    for name in [row[0] for row in s.run(NUMBERED).rows if row[0] in tables]:
        s.run(f"ALTER TABLE {quoting.name(name)} AUTO_INCREMENT = 1")


def give_next(s: MySQLSession, numbers: Mapping[str, int]) -> None:
    """By the name of the table."""
    for name, number in numbers.items():
        s.run(f"ALTER TABLE {quoting.name(name)} AUTO_INCREMENT = {number}")


def series(count: int) -> str:
    """A derived table with one column ``n`` = 1 … ``count``, of digits, without recursion."""
    digits = " UNION ALL ".join(f"SELECT {d} AS d" for d in range(10))
    places = range(max(1, len(str(int(count)))))
    number = " + ".join(f"p{place}.d * {10**place}" for place in places)
    tables = " CROSS JOIN ".join(f"({digits}) AS p{place}" for place in places)
    return (
        f"(SELECT n FROM (SELECT {number} AS n FROM {tables}) AS numbers "
        f"WHERE n BETWEEN 1 AND {int(count)}) AS series"
    )


def _exists(s: MySQLSession, name: str) -> bool:
    return bool(s.run(EXISTS, (name,)).scalar())


def _empty(s: MySQLSession, name: str) -> None:
    """End whoever is in the database or holds something in it, and wait until they are gone."""
    end = time.monotonic() + DROP_DEADLINE_S
    while users := s.run(USERS_OF, (name, name)).rows:
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"database {name} is still in use after {DROP_DEADLINE_S:g} s")
        for (pid,) in users:
            _kill(s, pid)
        time.sleep(POLL_S)


def _options(s: MySQLSession, database: str) -> str:
    """Its character set, collation, encryption, comment, as they stand behind its name."""
    shown = s.run(f"SHOW CREATE DATABASE {quoting.name(database)}").rows[0][1]
    return str(shown).partition(quoting.name(database))[2].strip()


def _reset_default(s: MySQLSession, template: str, name: str) -> None:
    wanted, found = _options(s, template), _options(s, name)
    if wanted != found:
        no_comment = " COMMENT ''" if " COMMENT " in found and " COMMENT " not in wanted else ""
        s.run(f"ALTER DATABASE {quoting.name(name)} {wanted}{no_comment}")


def _reset_tables(s: MySQLSession, template: str, name: str, changed: Collection[str]) -> None:
    wanted, found = copying.tables(s, template), copying.tables(s, name)
    here = found.next_keys.keys()
    anew = {table for table in wanted.next_keys if table in changed or table not in here}
    if gone := sorted((here - wanted.next_keys.keys()) | (here & anew)):
        copying.enter(s, name)
        s.run(f"DROP TABLE {quoting.names(gone)}")
    copying.copy_sequences(s, template, name, found.sequences)
    copying.copy_tables(s, template, name, anew)
    copying.set_next_keys(s, template, name)


def _unwanted(wanted: list[Program], found: list[Program]) -> list[Program]:
    """What differs; with one trigger all of its table, for a new one would come last in order."""

    def group(program: Program) -> tuple[str, str]:
        one = program.table if program.kind == "TRIGGER" else program.name
        return program.kind, one

    groups = {group(p) for p in {*wanted} ^ {*found}}
    return [program for program in found if group(program) in groups]


@contextlib.contextmanager
def _settings(s: MySQLSession, *names: str) -> Iterator[None]:
    """Leave the session afterwards as it was: these settings, and in the maintenance database."""
    listed = ", ".join(f"@@SESSION.{name}" for name in names)
    before = s.run(f"SELECT {listed}").rows[0]
    try:
        yield
    finally:
        again = ", ".join(
            f"{name} = {quoting.value(value)}" for name, value in zip(names, before, strict=True)
        )
        s.run(f"SET SESSION {again}")
        s.run(f"USE {quoting.name(maintenance)}")


def _dropped(s: MySQLSession, name: str) -> bool:
    """One attempt: end whoever is in it, then drop it; False if it was held nevertheless."""
    for (pid,) in s.run(USERS_OF, (name, name)).rows:
        _kill(s, pid)
    try:
        s.run(f"DROP DATABASE IF EXISTS {quoting.name(name)}")
    except DatabaseError as error:
        if error.code == IS_READ_ONLY:
            s.run(f"ALTER DATABASE {quoting.name(name)} READ ONLY = 0")
        elif error.code != LOCK_TIMEOUT:
            raise
        return False
    return True


def _kill(s: MySQLSession, pid: int) -> None:
    try:
        s.run(f"KILL {int(pid)}")
    except DatabaseError as error:
        if error.lost:
            raise

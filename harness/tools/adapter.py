"""A migration tool as data: how it is run, or what it sends; where it keeps what it believes.

One YAML file per tool in ``harness/tools/adapters``; a user's own is named by its path. The format
is on one page in ``harness/tools/README.md``. Nothing here knows how a tool is run.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LOCK_SALT = 1486364155
Words = tuple[str, ...]
Line = str | Mapping[str, str]
"""What is typed into a shell: one line, or one for each engine."""


@dataclass(frozen=True)
class Repair:
    """A documented way out, tried before the tool is run again: commands or SQL."""

    name: str
    run: Words | Mapping[str, Words] = ()
    sql: Words | Mapping[str, Words] = ()
    shell: Line = ""
    """What a person types for it."""


@dataclass(frozen=True)
class Shell:
    """What a person types, for the tool to do the same; see :mod:`harness.tools.by_hand`."""

    up: Line = ""
    down: Line = ""
    down_first: Line = ""
    """Taking back the first migration, where another line than ``down`` is needed for that."""
    mark: Line = ""
    """Take the migration for applied."""
    unmark: Line = ""
    """Take it for not applied."""
    after_mark: Line = ""
    """What the tool needs once ``mark_applied`` was pasted."""


@dataclass(frozen=True)
class Emulation:
    """What a tool sends to one family of servers, in the order in which it sends it.

    Filled in: ``{version}``, ``{previous}`` (``{none}`` if there is none), ``{name}``,
    ``{sha256}`` (of the way up), ``{lock_key}``, ``{database}``. BEGIN, COMMIT and ROLLBACK among
    ``before``, ``after`` and ``failed`` are left out for a migration whose file asks for no
    transaction.
    """

    wire: Literal["whole-file", "per-statement"]
    """The file as one message, or one message a statement: decides what a kill leaves."""
    setup: Words = ()
    """The table of versions: sent when it is not there, before anything is looked at."""
    setup_every_run: bool = False
    """True if ``setup`` is sent whether or not the table is there."""
    lock: str = ""
    """A query whose first value is true if the tool has its lock; it may wait for it."""
    lock_waits: bool = False
    """True if the tool does not look at the answer: the query itself waits for the lock."""
    lock_first: bool = False
    """True if the lock is taken before the tool looks for its table, and makes it."""
    lock_every_s: float = 0.0
    """A tool that did not get it asks again after that; 0: it gives up."""
    lock_timeout_s: float = 0.0
    """How long it waits or asks before it gives up; 0: as long as its query takes."""
    lock_says: str = "can't acquire the tool's lock: somebody else is at work"
    """What it says then."""
    try_lock: str = ""
    """The same query for somebody who must not wait; empty if ``lock`` does not wait either."""
    unlock: str = ""
    refuse: str = ""
    """A query that finds a row if the tool refuses to go on."""
    says: str = ""
    """What the tool says then; ``{found}`` is the first value of that row."""
    before_run: Words = ()
    """Before the first migration of a run, also where none is pending."""
    after_run: Words = ()
    before: Words = ()
    after: Words = ()
    failed: Words = ()
    """Sent when the file failed and the connection still stands."""
    before_down: Words | None = None
    after_down: Words | None = None
    force: Words = ()
    """What its own command sends that takes ``{version}`` for applied, whatever is there."""
    reconnects: bool = False
    """True if a message outside a transaction whose connection was lost is sent again on a new one,
    as Go's database/sql does with a driver that cannot tell whether it had arrived."""
    knows_bodies: bool = False
    """True if a tool that sends a message a statement takes a stored program's body for one, also
    without DELIMITER; one that sends the whole file leaves that to the server."""
    alone_outside: bool = False
    """True if the tool itself leaves out the transaction for a statement that must be alone."""


@dataclass(frozen=True)
class Adapter:
    """One migration tool; see the README of ``harness/tools``."""

    id: str
    title: str
    how: Literal["run", "emulated"]
    layouts: Words
    engines: Words
    file: str = ""
    applied: str | Mapping[str, str] = ""
    """A query: one column, the versions the tool takes for applied. Empty: it remembers none."""
    applied_up_to: bool = False
    """True if ``applied`` tells only the last version, and all before it count as applied."""
    placeholders: bool = False
    """It puts values in the place of ``${name}`` in every file, and refuses one if it has none."""
    none: str = "0"
    """What stands for the version before the first one."""
    tables: Words | Mapping[str, Words] = ()
    """Its bookkeeping, left out when states are compared."""
    stuck: str | Mapping[str, str] = ""
    """A query that finds a row if the tool believes somebody is at work, or is dirty; where it can,
    with the version that it is about."""
    mark_applied: Words | Mapping[str, Words] = ()
    """SQL that makes the tool believe that ``{version}`` was applied; or a command (``run``)."""
    mark_command: Words | Mapping[str, Words] = ()
    mark_reverted: Words | Mapping[str, Words] = ()
    """SQL that makes the tool believe that ``{version}`` was not applied."""
    down_by_hand: bool = False
    """True if the tool itself never goes back: the way down is a script that a person runs, and
    ``mark_reverted`` is what the tool is told then."""
    shell: Shell = Shell()
    repairs: tuple[Repair, ...] = ()
    rerun_timeout_s: float = 15.0
    emulation: Mapping[str, Emulation] = field(default_factory=dict)
    """By dialect, for a tool that is emulated."""
    program: str = ""
    url: str | Mapping[str, str] = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    version: Words = ()
    folder: Literal["subset", "whole"] = "subset"
    """``subset``: it is shown only the migrations up to the target; ``whole``: it is told one."""
    project: Words = ()
    """Files (globs) one of which marks the project, at or above the folder; it is run there."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Written for each run, filled in, to ``{scratch}``: configuration that names our server."""
    apply: Words | Mapping[str, Words] = ()
    apply_all: Words | Mapping[str, Words] = ()
    """Everything that is pending in one run, for a tool whose ``apply`` runs one migration only."""
    down: Words | Mapping[str, Words] = ()
    tried: str = ""
    notes: str = ""
    sources: Words = ()


def for_dialect(value: Any, engine: str, dialect: str, otherwise: Any = ()) -> Any:
    """What holds on that engine: its own entry, else its dialect's, else the value itself."""
    if isinstance(value, Mapping):
        return value.get(engine, value.get(dialect, otherwise))
    return value


def is_bookkeeping(sql: str, tables: Collection[str]) -> bool:
    """Whether a message names one of the tool's tables, or makes the schema of one.

    Tables are looked for without their schemas; ``*`` in a name is any ending.
    """
    if not tables:
        return False
    names = (re.escape(table.split(".")[-1]).replace(r"\*", r"\w*") for table in tables)
    if re.search(rf"\b(?:{'|'.join(names)})\b", sql):
        return True
    schemas = {re.escape(table.split(".")[0]) for table in tables if "." in table}
    made = rf"\W*CREATE\s+SCHEMA\s[^;]*?\b(?:{'|'.join(schemas)})\b"
    return bool(schemas) and bool(re.match(made, sql, re.IGNORECASE))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """The text with ``{word}`` replaced for each of ``values``; other braces stay as they are.

    What is filled in is not looked at again: a name may have braces of its own.
    """
    if not values:
        return text
    words = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({words})\}}", lambda found: str(values[found[1]]), text)


def in_sql(values: Mapping[str, Any]) -> dict[str, str]:
    """The values as they stand between the quotes of SQL."""
    return {name: str(value).replace("'", "''") for name, value in values.items()}


def lock_key(database: str) -> int:
    """golang-migrate's: CRC32 of its table's and database's names, times a constant, mod 2^32."""
    return zlib.crc32(f"schema_migrations\0{database}".encode()) * LOCK_SALT % 2**32


def sha256_of(text: str) -> str:
    """The checksum of a script that some tools write down beside its version."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

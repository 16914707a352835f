"""The frozen values that the YAML becomes; field names are the keys a person writes.

Kinds (faults, holds, claims, steps) live in the rooms of their name; here they are carried
as opaque values that the loader made, so that this module knows nothing above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Sql = str | dict[Literal["postgres", "mysql", "mariadb"], str]
"""One statement for every engine, or one per engine; MariaDB falls back to ``mysql``."""

Mode = Literal["one-transaction", "autocommit", "autocommit-off", "whole-file", "per-statement"]
"""How the migrator sends a migration.

``one-transaction``: BEGIN, each statement, COMMIT. ``autocommit``: each statement on its own.
``autocommit-off``: as drivers do it where DDL commits by itself: SET autocommit = 0 and COMMIT.
``whole-file``: all statements in one message, as golang-migrate does. ``per-statement``: one
message each, as golang-migrate does with ``x-multi-statement=true``.
"""


def word_of(kind: Any) -> str:
    """The YAML's word for a kind's value: the name of the file that it lives in."""
    return type(kind).__module__.rpartition(".")[2].replace("_", "-")


def in_dialect(sql: Sql, *names: str) -> str | None:
    """The text of ``sql`` for the first of ``names`` it has; None when it has none."""
    if isinstance(sql, str):
        return sql
    return next((sql[name] for name in names if name in sql), None)


ATOMIC = "atomic"
"""The word of a cell in which the migration, as it is sent, happens wholly or not at all."""


def words_of(engine: str, traits: frozenset[str], mode: str) -> frozenset[str]:
    """Every word that ``where:`` may use for a cell: engine, traits, mode, and ``atomic``."""
    words = traits | {engine, mode}
    if "transactional-ddl" in traits and mode in ("one-transaction", "whole-file"):
        words |= {ATOMIC}
    return words


@dataclass(frozen=True)
class Scope:
    """Which cells an item is for: every word of ``where`` holds, and the fault is listed.

    Words are an engine's name, its traits, and the migration's mode. ``not-`` before a word
    turns it round. Empty means: every cell.
    """

    where: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def covers(self, words: frozenset[str], fault: str) -> bool:
        """True if a cell that has these words and this fault is meant."""
        if self.faults and fault not in self.faults:
            return False
        return all(
            word[4:] not in words if word.startswith("not-") else word in words
            for word in self.where
        )


@dataclass(frozen=True)
class Claim:
    """A named expectation about the world, read-only; ``probe`` is a kind of ``claims/``."""

    name: str
    probe: Any
    scope: Scope = Scope()
    line: int = 0


@dataclass(frozen=True)
class Rows:
    """Generated rows: ``values`` maps a column to an SQL expression over ``n`` = 1 … ``count``."""

    count: int
    values: Mapping[str, Sql]


@dataclass(frozen=True)
class Given:
    """The world before: DDL, generated rows, extra statements, and what the tool had applied."""

    schema: tuple[Sql, ...]
    rows: Mapping[str, Rows] = field(default_factory=dict)
    after_rows: tuple[Sql, ...] = ()
    applied_version: int | None = None
    backup: tuple[str, ...] = ()
    """Tables dumped before the migration, while the application's writers wait."""


@dataclass(frozen=True)
class Migration:
    """The statements under test and how they are sent."""

    statements: tuple[Sql, ...]
    tool: Literal["plain", "versioned"] = "plain"
    modes: tuple[Mode, ...] = ("autocommit",)
    version: int = 1
    note: str = ""


@dataclass(frozen=True)
class AppVersion:
    """What one version of the application sends; ``:id`` is the key, other ``:names`` values."""

    read: Sql
    insert: Sql | None = None
    update: Sql | None = None
    delete: Sql | None = None


@dataclass(frozen=True)
class App:
    """The application that keeps reading and writing while the migration fails.

    It touches the rows ``keys`` (first, last) of ``table`` and rows it inserted itself, from
    ``new_keys_from`` on. ``values`` maps a value name to a text in which ``{n}`` is a number
    that never repeats. ``ledger`` names the columns whose acknowledged values must survive.
    """

    table: str
    key: str
    keys: tuple[int, int]
    versions: Mapping[str, AppVersion]
    values: Mapping[str, str] = field(default_factory=dict)
    ledger: tuple[str, ...] = ()
    new_keys_from: int = 1_000_000_001
    start: str = "old"
    readers: int = 1
    writers: int = 1


@dataclass(frozen=True)
class Moment:
    """When a fault strikes: before, after or inside statement n.

    ``inside`` needs a ``hold``, which holds the statement while it runs. ``released`` says when
    the hold lets go: as soon as the fault has struck; before the verification, so that the
    recovery meets a statement that is still alive; or never of its own accord.
    """

    before: int | None = None
    after: int | None = None
    inside: int | None = None
    hold: Any = None
    released: Literal["after-strike", "before-verify", "never"] = "after-strike"

    @property
    def statement(self) -> int:
        return self.before or self.after or self.inside or 0

    def __str__(self) -> str:
        for word in ("before", "after", "inside"):
            if getattr(self, word) is not None:
                return f"{word} statement {getattr(self, word)}"
        return "when the migration is done"


@dataclass(frozen=True)
class Deployment:
    """Once statement ``after`` is done, the version ``deploys`` of the application is deployed."""

    after: int
    deploys: str


@dataclass(frozen=True)
class Fault:
    """What strikes and when; ``kind`` is a kind of ``faults/``."""

    id: str
    kind: Any
    at: Moment
    rollout: tuple[Deployment, ...] = ()
    """Versions of the application that are deployed, and have worked, before it strikes."""
    scope: Scope = Scope()
    because: str = ""
    line: int = 0


@dataclass(frozen=True)
class Damage:
    """What must be seen broken before anybody repairs it, in the cells of its scope."""

    claims: tuple[Claim, ...]
    scope: Scope = Scope()
    note: str = ""


@dataclass(frozen=True)
class Look:
    """A diagnosis query; ``finds`` and ``misses`` say whose sessions its output names.

    ``sql`` is the query as a person would type it; ``builtin`` asks the engine for its own.
    """

    name: str
    sql: Sql | None = None
    builtin: Literal["root-blockers", "waiting", "progress", "sessions"] | None = None
    finds: tuple[Literal["blocker", "migration", "application"], ...] = ()
    misses: tuple[Literal["blocker", "migration", "application"], ...] = ()
    teaches: str = ""
    scope: Scope = Scope()
    line: int = 0


@dataclass(frozen=True)
class Step:
    """One step of a procedure: a name, one verb (a kind of ``steps/``), at most one condition."""

    name: str
    action: Any
    only_if: Claim | None = None
    unless: Claim | None = None
    scope: Scope = Scope()
    deadline_s: float = 30.0
    line: int = 0


@dataclass(frozen=True)
class Procedure:
    """A recovery, or a decoy: then ``caught_by`` names the claims or steps that expose it."""

    id: str
    steps: tuple[Step, ...]
    title: str = ""
    scope: Scope = Scope()
    because: str = ""
    caught_by: tuple[str, ...] = ()
    seed: bool = False
    line: int = 0

    @property
    def is_decoy(self) -> bool:
        return bool(self.caught_by)


@dataclass(frozen=True)
class Objectives:
    """What the recovery is held to: time in seconds, writes and values lost."""

    rto_s: float | None = None
    lost_writes: int = 0
    lost_values: int = 0


@dataclass(frozen=True)
class Scenario:
    """One failure story as data."""

    id: str
    title: str
    story: str
    given: Given
    steady_state: tuple[Claim, ...]
    migration: Migration
    faults: tuple[Fault, ...]
    damage: tuple[Damage, ...]
    recoveries: tuple[Procedure, ...]
    decoys: tuple[Procedure, ...]
    verify: tuple[Claim, ...]
    format: Literal[1] = 1
    source: str = ""
    level: int = 1
    alerts: tuple[Claim, ...] = ()
    """Rules of the monitoring: silent before, loud in the damage, silent at the end."""
    diagnosis: tuple[Look, ...] = ()
    app: App | None = None
    untouched: tuple[str, ...] = ()
    objectives: Objectives = Objectives()
    symptoms: str = ""
    hints: tuple[str, ...] = ()
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Drill:
    """A named selection of trials with objectives; ``all`` selects everything of its kind."""

    id: str
    title: str
    scenarios: tuple[str, ...] = ("all",)
    engines: tuple[str, ...] = ("postgres", "mysql")
    modes: tuple[str, ...] = ("all",)
    faults: tuple[str, ...] = ("all",)
    recoveries: Literal["all", "first", "none"] = "all"
    decoys: Literal["all", "none"] = "none"
    teeth: bool = False
    pick: int | None = None
    rows: int | None = None
    repeat: int = 1
    attempts: int = 2
    objectives: Objectives | None = None
    note: str = ""
    format: Literal[1] = 1
    file: str = ""


Purpose = Literal["recovery", "decoy", "nothing-done", "no-injection"]


@dataclass(frozen=True)
class Trial:
    """One cell: scenario × engine × mode × fault × procedure, with the seed of its choices.

    ``purpose`` says what must come out: a recovery must PASS, a decoy and ``nothing-done``
    must FAIL, ``no-injection`` must be INCONCLUSIVE.
    """

    scenario: Scenario
    engine: str
    """With the version where one was asked for: ``postgres:17``."""
    mode: str
    fault: Fault
    procedure: Procedure | None
    purpose: Purpose = "recovery"
    seed: int = 0
    rows: int | None = None
    round: int = 1
    objectives: Objectives = Objectives()

    @property
    def id(self) -> str:
        """Names the cell; stable across runs, and what ``--only`` takes."""
        last = self.procedure.id if self.procedure and self.purpose != "no-injection" else None
        last = (last or self.purpose) + (f"@{self.round}" if self.round > 1 else "")
        return "/".join((self.scenario.id, self.engine, self.mode, self.fault.id, last))


@dataclass(frozen=True)
class NotApplicable:
    """A cell that cannot be had on an engine, and why; shown, never dropped."""

    id: str
    because: str

"""The values that the rooms exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Rows:
    """What a statement returned: column names, rows, and how many rows it affected."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    affected: int = 0

    def scalar(self) -> Any:
        """The first column of the first row; None if there is no row."""
        return self.rows[0][0] if self.rows else None


@dataclass(frozen=True)
class Address:
    """Where a server listens and who may enter; the password never reaches the record."""

    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class SessionInfo:
    """A server session as an observer sees it.

    ``started`` tells two sessions with one pid apart. ``state`` is ``active``, ``idle``,
    ``idle in transaction`` or the engine's own word; ``wait`` what it waits for, or "".
    """

    pid: int
    started: str
    application: str
    state: str
    wait: str
    query: str
    database: str = ""


@dataclass(frozen=True)
class SessionProgress:
    """How far a session is; ``done`` and ``total`` are None where the server counts none."""

    pid: int
    phase: str
    done: int | None
    total: int | None


@dataclass(frozen=True)
class SentStatement:
    """A statement as the server's own log has it, and the session that sent it."""

    pid: int
    sql: str


@dataclass(frozen=True)
class ToolResult:
    """How a command-line tool of the server ended: exit code and capped output."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Recipe:
    """How a server of an engine starts, wherever it starts; a value, no code.

    Placeholders in argument lists: ``{data}``, ``{socket_dir}`` (a local server must make its
    Unix socket there), ``{port}``, ``{password_file}``, ``{bootstrap_file}`` (``bootstrap_sql``
    with the password in it), ``{user}`` (the account the server process runs under),
    ``{binary_dir}``.
    """

    engine: str
    image: str
    """The official image, e.g. ``postgres:18``."""
    stand_in: str
    """The image that ``mdrill images build`` makes, e.g. ``migration-drill/postgres:18``."""
    port: int
    superuser: str
    data_folder: str
    """Where a container keeps its data, e.g. ``/var/lib/mysql``; may be a mount."""
    container_env: Mapping[str, str]
    """Environment of the container; ``{password}`` is replaced."""
    container_args: tuple[str, ...]
    """Arguments given to the image's entry point: the server settings of every backend."""
    binary: str
    """Name of the server program for the local backend: ``postgres``, ``mysqld``, ``mariadbd``."""
    init_argv: tuple[str, ...]
    serve_argv: tuple[str, ...]
    settings: tuple[str, ...]
    """Server settings shared by every backend, as command-line arguments."""
    bootstrap_sql: str = ""
    """SQL that sets the superuser's password in a local server; ``{password}`` is replaced."""
    renew_argv: tuple[str, ...] = ()
    """Reads ``bootstrap_sql`` from its standard input before a server starts on data that was made
    with another password; empty if the server itself reads ``{bootstrap_file}``."""
    identity_files: tuple[str, ...] = ()
    """In the data directory, what no two servers may have: left out of what is kept, and made anew
    by the server."""
    stop_signal: str = "SIGTERM"
    """Ends the server cleanly, whoever is connected."""
    tools: tuple[str, ...] = ()
    """Client programs that backups need, e.g. ``pg_dump``, ``pg_restore``."""
    fetch_hint: str = ""
    """The one command that mends a machine on which the local binaries are missing."""
    suites: Mapping[str, str] = field(default_factory=dict)
    """The Debian suite that has the packages of a version, e.g. ``{"17": "trixie"}``."""
    asked: str = ""
    """The version that was asked for, e.g. ``17``; no other one may run. Empty: any may."""

    @property
    def version(self) -> str:
        """The version of the images."""
        return self.image.rpartition(":")[2]

    def at(self, version: str) -> Recipe:
        """The same for a version that is asked for."""
        image, stand_in = (f"{i.rpartition(':')[0]}:{version}" for i in (self.image, self.stand_in))
        return replace(self, image=image, stand_in=stand_in, asked=version)

    def admits(self, told: str) -> bool:
        """Whether a server or a program that tells this of itself may run: 17.5 is a 17."""
        found = re.search(r"\d+(\.\d+)*", told)
        return f"{found[0] if found else ''}.".startswith(f"{self.asked}." if self.asked else "")


@dataclass(frozen=True)
class ServerFacts:
    """What ran, for the record: backend, image or binary, digest, version."""

    backend: str
    engine: str
    image: str
    digest: str
    version: str = ""


class Capability(StrEnum):
    """What a server may or may not be able to do; a fault states what it needs."""

    KILL = "kill"
    PAUSE = "pause"
    TOOLS = "tools"


@dataclass(frozen=True)
class Witness:
    """One independent sign that a fault struck.

    ``source`` is who tells it: ``injector`` (what we did), ``victim`` (the error or exit code
    on its side), ``observer`` (another session), ``os`` (exit status), ``docker``
    (an engine event), ``log`` (the server's log).
    """

    source: str
    says: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Answer(StrEnum):
    """What a claim found. An unanswerable claim is never a pass."""

    HELD = "held"
    NOT_HELD = "not held"
    UNANSWERABLE = "unanswerable"


@dataclass(frozen=True)
class Finding:
    """A claim's answer with its evidence; ``population`` is how many rows or operations it saw.

    ``population`` of zero makes any answer vacuous, and a vacuous answer is inconclusive.
    """

    answer: Answer
    found: str
    wanted: str
    population: int | None = None
    lost: int = 0


@dataclass(frozen=True)
class MigrationOutcome:
    """How a migrator ended: statements acknowledged, its error if any, its exit status."""

    done: int
    finished: bool
    code: str = ""
    message: str = ""
    exit_status: int | None = None


@dataclass(frozen=True)
class Order:
    """What a migrator is told at a checkpoint: ``instead`` is sent in the place of the message,
    ``limits`` are timeouts of its session, as the engine's connector takes them."""

    instead: str = ""
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Belief:
    """What a migration tool's own table says.

    ``applied``: the versions that it takes for applied. ``stuck``: what it is stuck at, or the fact
    alone; empty if it thinks nobody at work.
    """

    applied: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()


@dataclass
class Traffic:
    """What the application experienced since some moment."""

    ok: int = 0
    errors: int = 0
    waiting: int = 0
    worst_ms: float = 0.0
    longest_wait_ms: float = 0.0
    first_error: str = ""
    reached: bool = False
    """True when every worker did as many operations as were asked for."""


def text_of(path: Path, limit: int = 64_000) -> str:
    """The head and the tail of a text file, each up to ``limit`` bytes."""
    raw = path.read_bytes() if path.exists() else b""
    if len(raw) > 2 * limit:
        raw = raw[:limit] + b"\n... cut ...\n" + raw[-limit:]
    return raw.decode("utf-8", "replace")

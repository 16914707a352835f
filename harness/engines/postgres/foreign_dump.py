"""A dump of another PostgreSQL server: what it needs of this one, and how it is restored here.

Every format of pg_dump becomes its SQL first, so that one way to read and to restore it will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.engines.facts import succeeded
from harness.engines.postgres import quoting
from harness.errors import StepFailed
from harness.ports import HasTools

ARCHIVE = b"PGDMP"
TAR, FOLDER = b"toc.dat\0", b"./toc.dat\0"
"""How pg_dump's own tar begins, and the tar of a folder in its directory format."""
TITLE = b"-- PostgreSQL database dump"
TIMEOUT_S = 3600
UNPACKED = (
    'd=$(mktemp -d) && tar -x -C "$d" && pg_restore -f - "$d"; code=$?; rm -rf "$d"; exit $code'
)
"""Makes SQL of a folder that comes as a tar; the two programs are those beside the server."""

ELSEWHERE = re.compile(r"^\\c(?:onnect)? .*", re.MULTILINE)
NAME = r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
NAMES = rf"{NAME}(?:, *{NAME})*"
ROLES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        rf"^ALTER [^;\n]* OWNER TO ({NAME});",
        rf"^GRANT [^;\n]* TO ({NAMES})(?: WITH [^;\n]*)?;",
        rf"^REVOKE [^;\n]* FROM ({NAMES})(?: CASCADE)?;",
        rf"^ALTER DEFAULT PRIVILEGES FOR (?:ROLE|USER) ({NAMES}) ",
        rf"^ALTER DEFAULT PRIVILEGES [^;\n]* (?:TO|FROM) ({NAMES})(?: WITH [^;\n]*)?;",
        rf"^CREATE POLICY [^;\n]*? TO ({NAMES})(?: USING| WITH CHECK|;)",
        rf"^CREATE USER MAPPING FOR ({NAME}) ",
        r"^SET SESSION AUTHORIZATION ('[^'\n]+');",
    )
)
NO_ROLES = re.compile(
    r"public|current_user|session_user|current_role|default|pg_\w*", re.IGNORECASE
)
EXTENSION = re.compile(rf"^CREATE EXTENSION (?:IF NOT EXISTS )?({NAME})", re.MULTILINE)
DUMPED_FROM = re.compile(r"^-- Dumped from database version (\d+)", re.MULTILINE)
THERE_ALREADY = re.compile(r"^CREATE SCHEMA public;$", re.MULTILINE)
"""In a dump of one schema."""
REFUSED = re.compile(r"^psql:<stdin>:(\d+): (?:ERROR|FATAL): +(.*)$", re.MULTILINE)


def is_own(begin: bytes) -> bool:
    """Whether something that begins so is a dump of PostgreSQL."""
    return begin.startswith((ARCHIVE, TAR, FOLDER)) or TITLE in begin


def load(server: HasTools, database: str, dump: bytes) -> Sequence[str]:
    """Restore it into an empty database; what was made for it, in sentences.

    Roles that it names and that are not here are made without a login. StepFailed with the first
    thing that was refused, and with extensions that are not here.
    """
    is_text = not dump.startswith((ARCHIVE, TAR, FOLDER))
    sql = _as_sql(server, dump)
    if other := ELSEWHERE.search(sql):
        raise StepFailed(
            f"line {_line(sql, other.start())}: it goes on in another database "
            f"({other[0].strip()}); wanted the dump of one database, by pg_dump without --create"
        )
    _check_extensions(server, database, sql)
    made = _make_roles(server, database, sql)
    sql = THERE_ALREADY.sub("CREATE SCHEMA IF NOT EXISTS public;", sql)
    argv = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"]
    done = server.run_tool(argv, stdin=sql.encode("utf-8", "surrogateescape"), timeout_s=TIMEOUT_S)
    if done.exit_code:
        raise StepFailed(_refusal(sql, done.stderr.decode("utf-8", "replace"), is_text))
    return (f"made roles that the dump names, without a login: {', '.join(made)}",) if made else ()


def _as_sql(server: HasTools, dump: bytes) -> str:
    if dump.startswith(FOLDER):
        done = server.run_tool(["sh", "-c", UNPACKED], stdin=dump, timeout_s=TIMEOUT_S)
        dump = succeeded(done, "pg_restore").stdout
    elif dump.startswith((ARCHIVE, TAR)):
        done = server.run_tool(["pg_restore", "-f", "-"], stdin=dump, timeout_s=TIMEOUT_S)
        dump = succeeded(done, "pg_restore").stdout
    return dump.decode("utf-8", "surrogateescape")


def _check_extensions(server: HasTools, database: str, sql: str) -> None:
    wanted = _bare(EXTENSION.findall(sql))
    if not wanted:
        return
    here = _ask(server, database, "SELECT name FROM pg_available_extensions")
    missing = [name for name in wanted if name not in here]
    if missing:
        raise StepFailed(
            f"it needs the extension {' and '.join(missing)}, which this server does not have. "
            "Next: --image postgres=IMAGE, with an image that has it"
        )


def roles(sql: str) -> tuple[str, ...]:
    """The roles that a dump names, but for those that every server has."""
    found = (part for pattern in ROLES for part in pattern.findall(sql))
    names = _bare(name for part in found for name in re.findall(rf"{NAME}|'[^']+'", part))
    return tuple(name for name in names if not NO_ROLES.fullmatch(name))


def _make_roles(server: HasTools, database: str, sql: str) -> list[str]:
    named = roles(sql)
    if not named:
        return []
    here = _ask(server, database, "SELECT rolname FROM pg_roles")
    missing = [name for name in named if name not in here]
    made = "".join(f"CREATE ROLE {quoting.name(name)} NOLOGIN;\n" for name in missing)
    argv = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"]
    succeeded(server.run_tool(argv, stdin=made.encode()), "psql")
    return missing


def _ask(server: HasTools, database: str, query: str) -> set[str]:
    argv = ["psql", "-X", "-q", "-A", "-t", "-d", database, "-c", query]
    said = succeeded(server.run_tool(argv), "psql").stdout
    return set(said.decode("utf-8", "replace").splitlines())


def _bare(names: Iterable[str]) -> list[str]:
    """Names without their quotes, each once."""
    return list(dict.fromkeys(_unquoted(name) for name in names))


def _unquoted(name: str) -> str:
    if name.startswith(('"', "'")):
        return name[1:-1].replace('""', '"')
    return name


def _refusal(sql: str, said: str, is_text: bool) -> str:
    """What was refused first, in the server's words, and where."""
    found = REFUSED.search(said)
    if found is None:
        return f"psql: {said.strip() or 'no word'}"
    number = int(found[1])
    version = DUMPED_FROM.search(sql[:2000])
    from_ = f"; it was dumped from version {version[1]}" if version else ""
    more = " ".join(line.strip() for line in said[found.end() :].strip().splitlines()[:2])
    statement = _around(sql, number)
    place = f"line {number}: " if is_text else ""
    return f"{place}{found[2]}{f' ({more})' if more else ''}, at: {statement}{from_}"


def _around(sql: str, number: int) -> str:
    """The line at which a statement ended, or the one that began it, shortened."""
    lines = sql.split("\n")
    at = number - 1
    while at > 0 and lines[at - 1].strip() and not lines[at - 1].rstrip().endswith(";"):
        at -= 1
    return " ".join(" ".join(lines[at:number]).split())[:160].rstrip("; ")


def _line(sql: str, offset: int) -> int:
    return sql.count("\n", 0, offset) + 1

"""A dump of another PostgreSQL server: what it needs of this one, and how it is restored here.

Every format of pg_dump becomes its SQL first, beside the server, so that one way to read and to
restore it will do and no part of its rows is held in our memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

from harness.engines.facts import succeeded
from harness.engines.postgres import quoting
from harness.errors import NotTaken, StepFailed
from harness.ports import DumpSource, HasTools

ARCHIVE = b"PGDMP"
TAR, FOLDER = b"toc.dat\0", b"./toc.dat\0"
"""How pg_dump's own tar begins, and the tar of a folder in its directory format."""
TITLE, TITLE_OF_ALL = b"-- PostgreSQL database dump", b"-- PostgreSQL database cluster dump"
TIMEOUT_S = 24 * 3600

TELLING = (
    "ALTER ",
    "GRANT ",
    "REVOKE ",
    r"CREATE (POLICY|USER MAPPING|EXTENSION) ",
    "CREATE SCHEMA public;",
    "SET SESSION AUTHORIZATION ",
    r"\\c",
    "-- Dumped from database version ",
)
"""How lines begin that tell what a dump needs."""
STAGE = f"""
d=$(mktemp -d) && echo "$d" || exit
{{
  case "$0" in
    folder) mkdir "$d/folder" && tar -x -C "$d/folder" && pg_restore -f "$d/sql" "$d/folder" ;;
    archive) pg_restore -f "$d/sql" ;;
    *) cat >"$d/sql" ;;
  esac && {{ LC_ALL=C grep -a -n -E '^({"|".join(TELLING)})' "$d/sql" || test $? -eq 1; }}
}} || {{ code=$?; rm -rf "$d"; exit $code; }}
"""
"""Makes SQL of a dump beside the server; says where that is, then the lines that tell."""
RESTORE = 'exec psql -X -q -v ON_ERROR_STOP=1 -d "$0" -f "$1/sql"'
RESTORE_A_SCHEMA = (
    "LC_ALL=C sed 's/^CREATE SCHEMA public;$/CREATE SCHEMA IF NOT EXISTS public;/' \"$1/sql\" | "
    'psql -X -q -v ON_ERROR_STOP=1 -d "$0" -f -'
)
"""For the dump of one schema, which is there already."""
LINES_AROUND = 40

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
REFUSED = re.compile(r"^psql:[^\n]*?:(\d+): (?:ERROR|FATAL): +(.*)$", re.MULTILINE)


def is_own(begin: bytes) -> bool:
    """Whether something that begins so is a dump of PostgreSQL."""
    is_archive = begin.startswith((ARCHIVE, TAR, FOLDER))
    return is_archive or TITLE in begin or TITLE_OF_ALL in begin


def load(server: HasTools, database: str, dump: DumpSource) -> Sequence[str]:
    """Restore it into an empty database; what was made for it, in sentences.

    Roles that it names and that are not here are made without a login. StepFailed with the first
    thing that was refused; NotTaken with extensions that are not here, and for several databases.
    """
    is_text = not dump.begin.startswith((ARCHIVE, TAR, FOLDER))
    kind = "text" if is_text else "archive" if dump.begin.startswith(ARCHIVE) else "folder"
    argv = ["sh", "-c", STAGE, kind]
    done = server.run_tool(argv, stdin=dump.pieces(), timeout_s=TIMEOUT_S)
    folder, _, numbered = _text(succeeded(done, "pg_restore").stdout).partition("\n")
    try:
        return _restore(server, database, folder, numbered, is_text)
    finally:
        with suppress(StepFailed):
            succeeded(server.run_tool(["rm", "-rf", folder]), "rm")


def _restore(
    server: HasTools, database: str, folder: str, numbered: str, is_text: bool
) -> Sequence[str]:
    telling = re.sub(r"^\d+:", "", numbered, flags=re.MULTILINE)
    if other := ELSEWHERE.search(telling):
        line = numbered.splitlines()[telling.count("\n", 0, other.start())].partition(":")[0]
        raise NotTaken(
            f"line {line}: it goes on in another database ({other[0].strip()}); wanted the dump "
            "of one database, by pg_dump without --create"
        )
    _check_extensions(server, database, telling)
    made = _make_roles(server, database, telling)
    how = RESTORE_A_SCHEMA if THERE_ALREADY.search(telling) else RESTORE
    done = server.run_tool(["sh", "-c", how, database, folder], timeout_s=TIMEOUT_S)
    if done.exit_code:
        raise StepFailed(_refusal(server, folder, telling, _text(done.stderr), is_text))
    return (f"made roles that the dump names, without a login: {', '.join(made)}",) if made else ()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _check_extensions(server: HasTools, database: str, telling: str) -> None:
    wanted = _bare(EXTENSION.findall(telling))
    if not wanted:
        return
    here = _ask(server, database, "SELECT name FROM pg_available_extensions")
    missing = [name for name in wanted if name not in here]
    if missing:
        raise NotTaken(
            f"it needs the extension {' and '.join(missing)}, which this server does not have. "
            "Next: --image postgres=IMAGE, with an image that has it"
        )


def roles(sql: str) -> tuple[str, ...]:
    """The roles that a dump names, but for those that every server has."""
    found = (part for pattern in ROLES for part in pattern.findall(sql))
    names = _bare(name for part in found for name in re.findall(rf"{NAME}|'[^']+'", part))
    return tuple(name for name in names if not NO_ROLES.fullmatch(name))


def _make_roles(server: HasTools, database: str, telling: str) -> list[str]:
    named = roles(telling)
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


def _refusal(server: HasTools, folder: str, telling: str, said: str, is_text: bool) -> str:
    """What was refused first, in the server's words, and where."""
    found = REFUSED.search(said)
    if found is None:
        return f"psql: {said.strip() or 'no word'}"
    number = int(found[1])
    version = DUMPED_FROM.search(telling)
    from_ = f"; it was dumped from version {version[1]}" if version else ""
    more = " ".join(line.strip() for line in said[found.end() :].strip().splitlines()[:2])
    statement = _around(_lines(server, folder, number))
    place = f"line {number}: " if is_text else ""
    return f"{place}{found[2]}{f' ({more})' if more else ''}, at: {statement}{from_}"


def _lines(server: HasTools, folder: str, number: int) -> list[str]:
    """The line of that number, behind those before it; each of them shortened."""
    first = max(1, number - LINES_AROUND)
    script = 'sed -n "$0,$1p;$1q" "$2/sql" | cut -b 1-400'
    argv = ["sh", "-c", script, str(first), str(number), folder]
    return _text(succeeded(server.run_tool(argv), "sed").stdout).splitlines() or [""]


def _around(lines: Sequence[str]) -> str:
    """The last line, at which a statement ended, or the one that began it, shortened."""
    at = len(lines) - 1
    while at > 0 and lines[at - 1].strip() and not lines[at - 1].rstrip().endswith(";"):
        at -= 1
    return " ".join(" ".join(lines[at:]).split())[:160].rstrip("; ")

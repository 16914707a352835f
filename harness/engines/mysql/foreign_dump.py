"""A dump of another MySQL or MariaDB server: what it says, and how it is restored here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.engines.facts import succeeded
from harness.engines.mysql import quoting
from harness.errors import NotTaken, StepFailed
from harness.ports import DumpSource, DumpWords, HasTools

TIMEOUT_S = 24 * 3600
ANOTHER = b"USE `"
MADE = (b"CREATE DATABASE ", b"/*!40000 DROP DATABASE ")
"""How a dump of ``--databases`` goes to its database, and makes it."""
REFUSED = re.compile(r"^(ERROR \d+ \(\w+\)) at line (\d+): (.*)", re.MULTILINE)
DEFINING = (b"/*!50", b"CREATE ")
DEFINER = re.compile(rb"\bDEFINER=`([^`]+)`@`([^`]+)`")
ACCOUNTS = "SELECT User, Host, Select_priv FROM mysql.user"
GTIDS = b"SET @@GLOBAL.GTID_PURGED="
"""Transactions of the other server, which a throwaway one has no use for."""

TOOL = re.compile(rb"^-- ((?:MySQL|MariaDB) dump) +(\S+?),?(?: +Distrib (\S+?),)? ", re.MULTILINE)
SERVER = re.compile(rb"^-- Server version\s+(\S+)", re.MULTILINE)
DATABASE = re.compile(rb"^-- Host: .*?Database: (\S+)", re.MULTILINE)
COMPLETED = re.compile(
    rb"^-- Dump completed(?: on (\d{4}-\d\d-\d\d) +(\d{1,2}:\d\d:\d\d))?\s*\Z", re.MULTILINE
)
SETTINGS, BACK = b"/*!40101 SET @OLD_", b"SQL_NOTES=@OLD_SQL_NOTES"
"""What stands at both ends of a dump whose comments were left out."""
END = "a last line `-- Dump completed`"


def load(server: HasTools, database: str, dump: DumpSource, tool: Sequence[str]) -> Sequence[str]:
    """Restore a dump made elsewhere; what was made for it, in sentences.

    Accounts in whose name its views and programs work, and that are not here, are made: locked, and
    with all rights on the database. StepFailed with what was refused; NotTaken for several
    databases.
    """
    lines = _Lines(dump)
    done = server.run_tool([*tool, database], stdin=lines.restorable(), timeout_s=TIMEOUT_S)
    if done.exit_code:
        said = done.stderr.decode("utf-8", "replace").strip()
        refused = REFUSED.search(said)
        raise StepFailed(f"line {refused[2]}: {refused[1]}: {refused[3]}" if refused else said)
    made = _make_accounts(server, database, lines.definers, tool)
    if not made:
        return ()
    return (f"made accounts in whose name the dump's programs work, locked: {', '.join(made)}",)


def _make_accounts(
    server: HasTools, database: str, named: Iterable[tuple[str, str]], tool: Sequence[str]
) -> list[str]:
    def run(sql: str) -> str:
        argv = [*tool, "--batch", "--skip-column-names", database]
        return succeeded(server.run_tool(argv, stdin=sql.encode()), tool[0]).stdout.decode()

    wanted = sorted(named)
    if not wanted:
        return []
    found = [line.split("\t") for line in run(ACCOUNTS).splitlines()]
    here = {(user, host): reads_all == "Y" for user, host, reads_all in found}
    missing = [account for account in wanted if account not in here]
    run("".join(f"CREATE USER {_account(*account)} ACCOUNT LOCK;\n" for account in missing))
    rights = f"GRANT ALL ON {quoting.name(database)}.* TO"
    lacking = [account for account in wanted if not here.get(account)]
    run("".join(f"{rights} {_account(*account)};\n" for account in lacking))
    return [f"{user}@{host}" for user, host in missing]


def _account(user: str, host: str) -> str:
    return f"{quoting.value(user)}@{quoting.value(host)}"


def words(begin: bytes, end: bytes) -> DumpWords:
    """What the first and the last few kilobytes tell."""
    tool, completed = TOOL.search(begin), COMPLETED.search(end)
    server, database = (
        (found[1].decode("utf-8", "replace") if found else "")
        for found in (SERVER.search(begin), DATABASE.search(begin))
    )
    day, time = completed.groups() if completed else (None, None)
    taken = f"{day.decode()} {time.decode():0>8}" if day and time else ""
    if tool is None:
        has_end = BACK in end[-400:] if SETTINGS in begin else None
        wanted = f"a last line with `{BACK.decode()}`" if SETTINGS in begin else ""
        return DumpWords("SQL", has_end=has_end, marks_end=bool(wanted), end=wanted)
    return DumpWords(
        f"SQL, {tool[1].decode()}",
        f"{tool[1].decode()} {(tool[3] or tool[2]).decode('ascii', 'replace')}",
        server,
        database,
        taken,
        completed is not None,
        end=END,
    )


@dataclass
class _Lines:
    """The lines of a dump; ``definers`` are the accounts that they name, once they were read."""

    dump: DumpSource
    definers: set[tuple[str, str]] = field(default_factory=set)

    def restorable(self) -> Iterator[bytes]:
        """As many as there are; without the name of its database, where it is of one.

        NotTaken at the first line that leads to a second database.
        """
        of_gtids, named = False, b""
        for number, line in enumerate(self._all(), 1):
            if line.startswith(ANOTHER):
                if named and line != named:
                    raise NotTaken(
                        f"line {number}: it goes on in another database "
                        f"({line.strip().decode()}); wanted the dump of one database, without "
                        "--all-databases"
                    )
                named = line
            if line.startswith(DEFINING):
                self.definers.update(
                    (user.decode(), host.decode()) for user, host in DEFINER.findall(line)
                )
            of_gtids = of_gtids or line.startswith(GTIDS)
            yield b"\n" if of_gtids or line.startswith((ANOTHER, *MADE)) else line
            of_gtids = of_gtids and not line.rstrip().endswith(b";")

    def _all(self) -> Iterator[bytes]:
        """Each with its end; the last may have none."""
        left = b""
        for piece in self.dump.pieces():
            *whole, left = (left + piece).split(b"\n")
            yield from (line + b"\n" for line in whole)
        if left:
            yield left

"""What sessions send to PostgreSQL, from its own log."""

from __future__ import annotations

import re

from harness.engines.postgres.connector import PostgresSession
from harness.ports import SentStatement

LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] .*?LOG:  (?:statement|execute [^:]*): (.*)$")
"""As ``log_line_prefix`` of our servers has it; what follows on further lines begins with a tab."""


def begin(s: PostgresSession, database: str) -> None:
    """Log every statement of every session; sessions of ours say of themselves that they are not
    to be logged. A setting of the database alone would be an object of it.
    """
    s.run("ALTER SYSTEM SET log_statement = 'all'")
    s.run("SELECT pg_reload_conf()")


def read(s: PostgresSession, log: str) -> list[SentStatement]:
    """Every statement in the text of the log, whoever sent it."""
    found: list[SentStatement] = []
    follows = False
    for line in log.splitlines():
        match = LINE.match(line)
        if match:
            found.append(SentStatement(int(match[1]), match[2]))
        elif follows and line.startswith("\t"):
            last = found.pop()
            found.append(SentStatement(last.pid, f"{last.sql}\n{line[1:]}"))
        follows = bool(match) or (follows and line.startswith("\t"))
    return found

"""The statements of a script as a sweep counts them, and what completes it from one on; pure.

Only what changes something is a step: a SET or a SELECT is no message at which a run can be struck,
and a state is named by how many steps are done. The session in which they were done is gone with
the crash, so what completes the script brings that session's own state along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness import sqltext
from harness.sqltext import Statement
from harness.wire import can_change

OF_THE_SESSION = re.compile(
    r"\s*(SET\s+(?!GLOBAL\b|PERSIST\w*\b|LOCAL\b|TRANSACTION\b|CONSTRAINTS\b|PASSWORD\b)"
    r"|USE\b|PREPARE\s+(?!TRANSACTION\b)|SELECT\s+(pg_catalog\.)?set_config\s*\()",
    re.IGNORECASE,
)
"""What holds for the rest of its session, and for nobody else."""
NAME = r"([\w$.]+|\"[^\"]+\"|`[^`]+`)"
TEMPORARY = re.compile(
    rf"\s*CREATE\s+(?:GLOBAL\s+|LOCAL\s+)?TEMP(?:ORARY)?\s+(?:TABLE|VIEW|SEQUENCE)\s+"
    rf"(?:IF\s+NOT\s+EXISTS\s+)?{NAME}",
    re.IGNORECASE,
)
WORKS_ON = re.compile(
    rf"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|ALTER\s+TABLE"
    rf"|DROP\s+(?:TEMPORARY\s+)?TABLE(?:\s+IF\s+EXISTS)?)\s+{NAME}",
    re.IGNORECASE,
)


def steps(statements: Sequence[Statement], dialect: str) -> list[Statement]:
    """Those that change something, and do not open or end a transaction."""
    return [statement for statement in statements if _is_step(statement, dialect)]


def missing(statements: Sequence[Statement], done: int, dialect: str) -> list[str]:
    """What completes a script of which so many steps are done; empty if all are.

    First what its session has to be told again: settings, prepared statements, temporary tables
    and what was put into them.
    """
    at = [n for n, statement in enumerate(statements) if _is_step(statement, dialect)]
    if done >= len(at):
        return []
    begun, rest = statements[: at[done]], statements[at[done] :]
    return [
        *(statement.text for statement in _of_session(begun)),
        *(one.text for one in rest if not sqltext.is_transaction_control(one)),
    ]


def _is_step(statement: Statement, dialect: str) -> bool:
    return can_change(statement.text, dialect) and not sqltext.is_transaction_control(statement)


def _of_session(done: Sequence[Statement]) -> Iterator[Statement]:
    temporary: set[str] = set()
    for statement in done:
        if sqltext.is_transaction_control(statement):
            continue
        made = TEMPORARY.match(statement.text)
        if made:
            temporary.add(made[1].lower())
        works_on = WORKS_ON.match(statement.text)
        of_temporary = works_on is not None and works_on[1].lower() in temporary
        if made or of_temporary or OF_THE_SESSION.match(statement.text):
            yield statement

"""What sessions send to MySQL and MariaDB, from the general log."""

from __future__ import annotations

from harness.engines.mysql.connector import MySQLSession
from harness.ports import SentStatement

OF_THE_CLIENT = frozenset(
    {"select @@version_comment limit 1", "SELECT DATABASE()", "SHOW WARNINGS"}
)
"""What the command line client asks by itself."""


def begin(s: MySQLSession, database: str) -> None:
    """Log every statement of the server to a table; there is no log of one database alone."""
    s.run("SET GLOBAL general_log = OFF")
    s.run("SET GLOBAL log_output = 'TABLE'")
    s.run("TRUNCATE mysql.general_log")
    s.run("SET GLOBAL general_log = ON")


def read(s: MySQLSession, log: str) -> list[SentStatement]:
    """Every statement since the log began, whoever sent it."""
    rows = s.run(
        "SELECT thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log "
        "WHERE command_type IN ('Query', 'Execute') ORDER BY event_time"
    ).rows
    sent = [SentStatement(int(thread), str(text)) for thread, text in rows]
    return [statement for statement in sent if statement.sql not in OF_THE_CLIENT]

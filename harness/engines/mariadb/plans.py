"""What a query costs MariaDB: rows read, counted as on MySQL."""

from __future__ import annotations

from harness.engines.mysql import plans
from harness.engines.mysql.connector import MySQLSession
from harness.ports.objects import Cost


def cost(s: MySQLSession, sql: str) -> Cost:
    """Run the query and count Handler_read_*, less what the counting itself reads."""
    return plans.cost(s, sql, explain="EXPLAIN ")

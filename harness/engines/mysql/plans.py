"""What a query costs MySQL: rows read through its storage engines, never time."""

from __future__ import annotations

from harness.engines.mysql.connector import MySQLSession
from harness.ports.objects import Cost

EXPLAIN = "EXPLAIN FORMAT=TRADITIONAL "
SHOWN = ("type", "table", "key", "rows", "Extra")


def cost(s: MySQLSession, sql: str, explain: str = EXPLAIN) -> Cost:
    """Run the query and count Handler_read_*, less what the counting itself reads."""
    first, second = _read(s), _read(s)
    s.run(sql)
    amount = _read(s) - second - (second - first)
    plan = s.run(explain + sql)
    at = {name: plan.columns.index(name) for name in SHOWN if name in plan.columns}
    lines = [
        ", ".join(f"{name}: {row[i]}" for name, i in at.items() if row[i] is not None)
        for row in plan.rows
    ]
    return Cost(max(amount, 0), "rows read", "\n".join(lines))


def _read(s: MySQLSession) -> int:
    return sum(int(row[1]) for row in s.run("SHOW SESSION STATUS LIKE 'Handler_read%'").rows)

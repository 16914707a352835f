"""What a query costs PostgreSQL: buffers touched, the same in every run on the same data."""

from __future__ import annotations

from typing import Any

from harness.engines.postgres.connector import PostgresSession
from harness.ports.objects import Cost


def cost(s: PostgresSession, sql: str) -> Cost:
    """Run the query in a transaction that is rolled back; count 8-kB buffers hit and read."""
    s.run("BEGIN")
    try:
        explained = s.run(
            f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON) {sql}"
        ).scalar()
    finally:
        s.run("ROLLBACK")
    top = explained[0]["Plan"]
    amount = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return Cost(amount, "buffers", "\n".join(_tree(top)))


def _tree(node: dict[str, Any], depth: int = 0) -> list[str]:
    words = [node["Node Type"]]
    if "Index Name" in node:
        words.append(f"using {node['Index Name']}")
    if "Relation Name" in node:
        words.append(f"on {node['Relation Name']}")
    lines = ["  " * depth + " ".join(words)]
    for child in node.get("Plans", ()):
        lines += _tree(child, depth + 1)
    return lines

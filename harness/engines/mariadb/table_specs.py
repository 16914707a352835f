"""What MariaDB's catalogue says about the tables, for making rows; see MySQL's ``table_specs``."""

from __future__ import annotations

import re
from typing import Any

from harness.engines.mysql import table_specs
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.table_specs import (
    CHECKED,
    UNCHECKED,
    defer,
    formulas,
    inserts,
    likeliest,
    quotient,
    updates,
    variants,
)
from harness.ports.table_specs import TableSpec

__all__ = [
    "CHECKED",
    "UNCHECKED",
    "defer",
    "formulas",
    "inserts",
    "likeliest",
    "quotient",
    "specs",
    "updates",
    "variants",
]

CHECKS = """
SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.check_constraints
WHERE CONSTRAINT_SCHEMA = DATABASE() ORDER BY TABLE_NAME, CONSTRAINT_NAME
"""
CONSTANT = re.compile(r"'([^'\\]|''|\\.)*'|-?\d+(\.\d+)?")


def specs(s: MySQLSession) -> list[TableSpec]:
    """Every base table of the session's database."""
    return table_specs.read(
        s.run(table_specs.TABLES).rows,
        s.run(table_specs.COLUMNS.format(srid="0")).rows,
        s.run(table_specs.KEYS.format(expression="NULL")).rows,
        s.run(table_specs.LINKS).rows,
        s.run(CHECKS).rows,
        _constant,
    )


def _constant(default: Any, extra: str) -> str:
    """The catalogue gives a default as SQL, quotes and all."""
    text = "" if default is None else str(default)
    return text if CONSTANT.fullmatch(text) else ""

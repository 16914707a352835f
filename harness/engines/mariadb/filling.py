"""What MariaDB's catalogue says about the tables, for making rows; see MySQL's filling."""

from __future__ import annotations

import re
from typing import Any

from harness.engines.mysql import filling
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.filling import (
    CHECKED,
    UNCHECKED,
    defer,
    formulas,
    inserts,
    quotient,
    updates,
)
from harness.ports.blanks import Blank

__all__ = ["CHECKED", "UNCHECKED", "blanks", "defer", "formulas", "inserts", "quotient", "updates"]

CHECKS = """
SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.check_constraints
WHERE CONSTRAINT_SCHEMA = DATABASE() ORDER BY TABLE_NAME, CONSTRAINT_NAME
"""
CONSTANT = re.compile(r"'([^'\\]|''|\\.)*'|-?\d+(\.\d+)?")


def blanks(s: MySQLSession) -> list[Blank]:
    """Every base table of the session's database."""
    return filling.read(
        s.run(filling.TABLES).rows,
        s.run(filling.COLUMNS.format(srid="0")).rows,
        s.run(filling.KEYS.format(expression="NULL")).rows,
        s.run(filling.LINKS).rows,
        s.run(CHECKS).rows,
        _constant,
    )


def _constant(default: Any, extra: str) -> str:
    """The catalogue gives a default as SQL, quotes and all."""
    text = "" if default is None else str(default)
    return text if CONSTANT.fullmatch(text) else ""

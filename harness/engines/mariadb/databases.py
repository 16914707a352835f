"""Databases on one MariaDB server: as on MySQL."""

from __future__ import annotations

from collections.abc import Mapping

from harness.engines.mariadb.snapshot import SEQUENCES
from harness.engines.mysql import databases, quoting
from harness.engines.mysql.connector import MySQLSession
from harness.engines.mysql.databases import (
    clone,
    create,
    drop,
    forget_reserved_keys,
    keep_rows,
    maintenance,
    plant_nonce,
    read_nonce,
    refill,
    reset,
    series,
    settings,
)

__all__ = [
    "clone",
    "create",
    "drop",
    "forget_reserved_keys",
    "give_next",
    "keep_rows",
    "maintenance",
    "plant_nonce",
    "read_nonce",
    "refill",
    "reset",
    "series",
    "settings",
]


def give_next(s: MySQLSession, numbers: Mapping[str, int]) -> None:
    """By the name of the sequence or of the table."""
    sequences = numbers.keys() & {row[0] for row in s.run(SEQUENCES).rows}
    for name in sequences:
        s.run(f"SELECT SETVAL({quoting.name(name)}, {numbers[name]}, 0)")
    databases.give_next(s, {k: v for k, v in numbers.items() if k not in sequences})

"""Databases on one MariaDB server: as on MySQL."""

from __future__ import annotations

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
    "keep_rows",
    "maintenance",
    "plant_nonce",
    "read_nonce",
    "refill",
    "reset",
    "series",
    "settings",
]

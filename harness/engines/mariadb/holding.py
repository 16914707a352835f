"""Locks that hold a statement of MariaDB while it runs: as on MySQL."""

from __future__ import annotations

from harness.engines.mysql.holding import (
    drop_lock,
    end_transaction,
    hold_row,
    hold_table_read,
    install_trigger,
    lock_holder,
    remove_trigger,
    take_lock,
)

__all__ = [
    "drop_lock",
    "end_transaction",
    "hold_row",
    "hold_table_read",
    "install_trigger",
    "lock_holder",
    "remove_trigger",
    "take_lock",
]

"""Locks that hold a statement of MariaDB while it runs: as on MySQL."""

from __future__ import annotations

from harness.engines.mysql.holding import (
    HOLDS_THE_SERVER,
    drop_lock,
    end_transaction,
    hold_all,
    hold_row,
    hold_table_read,
    install_trigger,
    lock_holder,
    remove_trigger,
    take_lock,
)

__all__ = [
    "HOLDS_THE_SERVER",
    "drop_lock",
    "end_transaction",
    "hold_all",
    "hold_row",
    "hold_table_read",
    "install_trigger",
    "lock_holder",
    "remove_trigger",
    "take_lock",
]

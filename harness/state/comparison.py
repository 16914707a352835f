"""Compares a table with its pristine twin, while an application goes on writing."""

from __future__ import annotations

from collections.abc import Sequence

from harness.ports import Target


def differing(target: Target, table: str, columns: Sequence[str] = ()) -> tuple[int, int]:
    """(rows compared, rows that differ) in ``columns``, by default in all it had before.

    Rows that the application touched are left out, those too that it touched while the
    comparison ran: they are the ledger's business.
    """
    catalog, touched = target.engine.catalog, target.touched(table)
    with target.asking(target.pristine) as before, target.asking() as now:
        key = catalog.key_of(before, table)
        names = tuple(columns) or tuple(catalog.columns(before, table))
        had, sum_before = catalog.checksum(before, table, names, key, touched)
        if (had, sum_before) == catalog.checksum(now, table, names, key, touched):
            return had, 0
        if key is None:
            return had, max(had, 1)
        old = catalog.row_hashes(before, table, key, names, touched)
        new = catalog.row_hashes(now, table, key, names, touched)
    strays = {k for k, v in old.items() if new.get(k) != v} | (new.keys() - old.keys())
    return had, len(strays - set(target.touched(table)))

"""Rows for tables: made on the server, the same each time, true to constraints.

A migration that meets an empty database proves little: it is rows that a NOT NULL, a unique
index or a foreign key can fail on, and it is capitals, blanks, accents, long and missing values
that a transformation meets. Values follow from a row's number, never from chance or the clock, so
the same schema has the same rows on any server.
"""

from harness.row_generation.adding import Added, Probed, add, lost, probe
from harness.row_generation.effect import WithoutEffect, without_effect
from harness.row_generation.failing_rows import keep_passing, smallest
from harness.row_generation.failure import Attempt, FailingRow, FailingRows, Failure
from harness.row_generation.filling import Filled, fill
from harness.row_generation.updating import Updated, update

__all__ = [
    "Added",
    "Attempt",
    "FailingRow",
    "FailingRows",
    "Failure",
    "Filled",
    "Probed",
    "Updated",
    "WithoutEffect",
    "add",
    "fill",
    "keep_passing",
    "lost",
    "probe",
    "smallest",
    "update",
    "without_effect",
]

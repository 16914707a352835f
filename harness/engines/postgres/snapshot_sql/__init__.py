"""The catalogue queries of PostgreSQL's snapshot: one message for a whole database."""

from __future__ import annotations

from harness.engines.postgres.snapshot_sql.parts import PARTS
from harness.engines.postgres.snapshot_sql.programs import PROGRAMS
from harness.engines.postgres.snapshot_sql.relations import COLUMNS, RELATIONS
from harness.engines.postgres.snapshot_sql.rights import RIGHTS
from harness.engines.postgres.snapshot_sql.rows import PARTITIONED, SEQUENCES, TABLES
from harness.engines.postgres.snapshot_sql.spaces import SETTINGS, SPACES
from harness.engines.postgres.snapshot_sql.whole import WHOLE

__all__ = ["OBJECTS", "PARTITIONED", "QUERIES", "SEQUENCES", "SETTINGS", "TABLES"]

QUERIES = (RELATIONS, COLUMNS, *PARTS, *PROGRAMS, *WHOLE, *RIGHTS)
"""Each gives names of objects with their definitions; a NULL definition is an empty one."""

OBJECTS = SPACES + " UNION ALL ".join(QUERIES)

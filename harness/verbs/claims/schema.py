"""The whole schema, compared with a reference by fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ports import Answer, ClaimKind, Finding, Target


@dataclass(frozen=True)
class Schema(ClaimKind):
    """``schema: as-before`` the migration, or ``as-migrated``: as an unbroken run leaves it.

    Tables, columns, types, defaults, indexes and their validity, constraints, triggers; not
    the order of columns.
    """

    schema: Literal["as-before", "as-migrated"]

    def check(self, target: Target) -> Finding:
        fingerprint = target.engine.catalog.fingerprint
        with target.asking() as session:
            now = fingerprint(session)
        if self.schema == "as-before":
            with target.asking(target.pristine) as session:
                wanted = fingerprint(session)
        else:
            wanted = target.migrated_fingerprint
        return Finding(
            Answer.HELD if now == wanted else Answer.NOT_HELD,
            f"fingerprint {now[:12]}",
            f"{self.schema}, fingerprint {wanted[:12]}",
        )


KIND = Schema

"""Restores the dump into a database of its own and puts one table beside the live one."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import StepFailed
from harness.verbs.protocols import StepKind, Target


@dataclass(frozen=True)
class RestoreBeside(StepKind):
    """``restore_beside: users`` as the table ``as_table``; the live table is not touched."""

    restore_beside: str
    as_table: str

    def perform(self, target: Target, deadline_s: float) -> str:
        dump = target.shelf.backup
        if dump is None:
            raise StepFailed("there is no dump: the scenario takes no backup (given: backup:)")
        engine, side = target.engine, f"{target.database}_side"
        with target.session("operator", engine.databases.maintenance) as admin:
            engine.databases.create(admin, side)
        try:
            engine.backups.restore(target.host.tools(), side, dump)
            with target.session("operator") as live, target.session("operator", side) as beside:
                engine.backups.bring_side(live, beside, side, self.restore_beside, self.as_table)
                count = live.run(f"SELECT COUNT(*) FROM {self.as_table}").scalar()
        finally:
            with target.session("operator", engine.databases.maintenance) as admin:
                engine.databases.drop(admin, side)
        return f"{count} rows of the dump stand in {self.as_table}"


KIND = RestoreBeside

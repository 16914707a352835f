"""Keeps golang-migrate's protocol: dirty is set before the migration and cleared after it.

An emulation, and called so in reports: the statements and their order are those in the real
binary's server logs. The whole file travels as one message; ``per-statement`` is the tool's
option x-multi-statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.errors import DatabaseError
from harness.ports import MigratorKind, Session
from harness.tools.version_table import CREATE, DIRTY, locked, read_version, set_version


def pending(job: Mapping[str, Any], current: int | None) -> list[tuple[int, list[str]]]:
    """The migrations the tool believes are still to run: all of them if it knows of none."""
    every = [(job["version"], job["statements"])]
    if job["applied_version"]:
        every.insert(0, (job["applied_version"], job["applied_statements"]))
    return [(version, text) for version, text in every if current is None or version > current]


@dataclass(frozen=True)
class Versioned(MigratorKind):
    """Refuses while dirty; ``force`` sets the version and checks nothing, as the tool does."""

    modes: ClassVar[frozenset[str]] = frozenset({"whole-file", "per-statement"})

    def apply(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None:
        dialect = job["dialect"]
        with locked(session, dialect, job["database"]):
            session.run(CREATE)
            if job.get("force") is not None:
                set_version(session, dialect, job["force"], False)
                return
            current = read_version(session)
            if current and current[1]:
                raise DatabaseError(
                    DIRTY, f"Dirty database version {current[0]}. Fix and force version."
                )
            for version, statements in pending(job, current[0] if current else None):
                set_version(session, dialect, version, True)
                if version == job["version"]:
                    self._send(session, job, checkpoint)
                else:
                    session.run_file(";\n".join(statements))
                set_version(session, dialect, version, False)

    def _send(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None:
        statements = job["statements"]
        if job["mode"] == "per-statement":
            for n, sql in enumerate(statements, 1):
                session.run(checkpoint("before", n, n) or sql)
                checkpoint("after", n, n)
            return
        last = len(statements)
        text = ";\n".join(statements)
        session.run_file(checkpoint("before", 1, last) or text)
        checkpoint("after", 1, last)


KIND = Versioned

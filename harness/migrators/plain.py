"""Sends the statements as written and keeps no version table, like ``psql -f`` in a script."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import DatabaseError
from harness.ports import MigratorKind, Session


@dataclass(frozen=True)
class Plain(MigratorKind):
    """``one-transaction``: between BEGIN and COMMIT. ``autocommit``: each statement alone."""

    def apply(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None:
        as_one = job["mode"] == "one-transaction"
        try:
            if as_one:
                session.run("BEGIN")
            for n, sql in enumerate(job["statements"], 1):
                session.run(checkpoint("before", n, n) or sql)
                checkpoint("after", n, n)
            if as_one:
                session.run("COMMIT")
        except DatabaseError as error:
            if as_one and not error.lost:
                with contextlib.suppress(DatabaseError):
                    session.run("ROLLBACK")
            raise


KIND = Plain

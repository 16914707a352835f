"""Sends the statements as written and keeps no version table, like ``psql -f`` in a script."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.errors import DatabaseError
from harness.ports import MigratorKind, Session

OPENINGS = {"one-transaction": "BEGIN", "autocommit-off": "SET autocommit = 0"}


@dataclass(frozen=True)
class Plain(MigratorKind):
    """``one-transaction``: between BEGIN and COMMIT. ``autocommit``: each statement alone.

    ``autocommit-off``: as drivers of MySQL do, a new transaction begins by itself after each DDL.
    """

    modes: ClassVar[frozenset[str]] = frozenset({"autocommit", *OPENINGS})

    def apply(
        self,
        session: Session,
        job: Mapping[str, Any],
        checkpoint: Callable[[str, int, int], str | None],
    ) -> None:
        opening = OPENINGS.get(job["mode"])
        try:
            if opening:
                session.run(opening)
            for n, sql in enumerate(job["statements"], 1):
                session.run(checkpoint("before", n, n) or sql)
                checkpoint("after", n, n)
            if opening:
                session.run("COMMIT")
        except DatabaseError as error:
            if opening and not error.lost:
                with contextlib.suppress(DatabaseError):
                    session.run("ROLLBACK")
            raise


KIND = Plain

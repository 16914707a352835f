"""Rows that the application wrote between up and down, and what the way down leaves of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.ports import Engine, Session

Added = Any  # TEMP

Values = Mapping[str, Any]


class WrittenRows:
    """Read right after they were written; compared with what is there later."""

    def __init__(self, engine: Engine, session: Session, added: Sequence[Added]) -> None:
        self._added = tuple(added)
        self._then = [_read(engine, session, rows) for rows in self._added]

    @property
    def keys(self) -> Mapping[str, Sequence[Any]]:
        """By table."""
        return {rows.table: rows.keys for rows in self._added}

    @property
    def count(self) -> int:
        return sum(len(rows) for rows in self._then)

    def lost(self, engine: Engine, session: Session) -> Iterator[str]:
        """What is gone or other, table by table, in words."""
        for rows, then in zip(self._added, self._then, strict=True):
            now = _read(engine, session, rows)
            yield from _of_table(rows.table, then, now)


def _of_table(
    table: str, then: Mapping[Any, Values], now: Mapping[Any, Values] | None
) -> Iterator[str]:
    return iter(())


def _read(engine: Engine, session: Session, rows: Added) -> Mapping[Any, Values]:
    raise NotImplementedError

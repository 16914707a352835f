"""A dump that was made elsewhere, as it is handed to an engine, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class DumpSource(Protocol):
    """The bytes of a dump, unpacked; a folder as a tar whose names begin with ``./``."""

    @property
    def begin(self) -> bytes:
        """Its first few kilobytes."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """All of it, from the start, in pieces that fit into memory."""
        ...


@dataclass(frozen=True)
class DumpWords:
    """What a dump says of itself, in its first and last few kilobytes; empty where it does not.

    ``taken`` is the clock of the machine that made it, without a zone: ``2026-01-31 12:00:00``.
    ``has_end`` is None where its end shows only when all of it is read, or nothing marks it;
    ``marks_end`` tells the second from the first.
    """

    format: str = "SQL"
    tool: str = ""
    server: str = ""
    database: str = ""
    taken: str = ""
    has_end: bool | None = None
    marks_end: bool = True
    end: str = ""
    """How its end is marked, for a person who looks for it."""

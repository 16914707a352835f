"""A statement as a slice of its file, and the assembling of slices from tokens."""

from __future__ import annotations

from dataclasses import dataclass

from harness.sqltext.kinds import HEAD_TOKENS, kind_of
from harness.sqltext.source import Source


@dataclass(frozen=True)
class Statement:
    """One statement: ``text`` is the file's own ``text[start:end]``, without its delimiter.

    ``start`` and ``end`` are offsets in characters, ``line`` and ``column`` those of its first
    token, from 1. ``kind`` is its first keywords in capitals, without what does not change
    the kind (OR REPLACE, UNIQUE, IF NOT EXISTS, names): ``CREATE INDEX CONCURRENTLY``,
    ``ALTER TABLE``, ``INSERT``; empty if it begins with no word.
    """

    text: str
    start: int
    end: int
    line: int
    column: int
    file: str
    kind: str


class Assembler:
    """Collects the tokens of the current statement and cuts when told to."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._done: list[Statement] = []
        self._begin_next()

    def _begin_next(self) -> None:
        self._hint: int | None = None
        self.start: int | None = None
        self._end = 0
        self.head: list[str] = []

    def code(self, start: int, end: int, word: str) -> None:
        """A token of code; ``word`` in capitals, or any mark for what is no bare word."""
        if self.start is None:
            self.start = start if self._hint is None else self._hint
        self._end = end
        if len(self.head) < HEAD_TOKENS:
            self.head.append(word)

    def hint(self, start: int, end: int) -> None:
        """A hint comment: part of the statement, but none on its own."""
        if self.start is not None:
            self._end = end
        elif self._hint is None:
            self._hint = start

    def cut(self) -> Statement | None:
        """End the current statement; None if it has no code."""
        if self.start is None:
            self._begin_next()
            return None
        line, column = self._source.position(self.start)
        statement = Statement(
            text=self._source.text[self.start : self._end],
            start=self.start,
            end=self._end,
            line=line,
            column=column,
            file=self._source.file,
            kind=kind_of(self.head),
        )
        self._done.append(statement)
        self._begin_next()
        return statement

    def statements(self) -> tuple[Statement, ...]:
        return tuple(self._done)

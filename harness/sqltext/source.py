"""A text with a name, and where in it an offset lies."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import NoReturn

from harness.errors import Problem, ScenarioError

BOM = "\ufeff"


class Source:
    """The text of one file; offsets count its characters, from 0."""

    def __init__(self, text: str, file: str, *, as_server: bool = False) -> None:
        self.text = text
        self.file = file
        self.as_server = as_server

    @property
    def begin(self) -> int:
        """Where reading begins: after a byte order mark, if there is one."""
        return len(BOM) if self.text.startswith(BOM) else 0

    @cached_property
    def _line_ends(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self.text)]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1; a byte order mark takes no column."""
        line = bisect_left(self._line_ends, offset)
        start = self._line_ends[line - 1] + 1 if line else self.begin
        return line + 1, offset - start + 1

    def refuse(self, offset: int, message: str) -> NoReturn:
        """Raise ScenarioError for what stands at ``offset``."""
        line, column = self.position(offset)
        raise ScenarioError([Problem(self.file, line, f"column {column}: {message}")])

    def refuse_open(self, offset: int, what: str, closing: str) -> NoReturn:
        """Raise ScenarioError for something that begins at ``offset`` and never ends."""
        self.refuse(
            offset,
            f"this {what} is never closed: wanted {closing} before the end of the file; "
            "close it, or restore the end of the file if it was cut short",
        )

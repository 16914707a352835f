"""A migration as it lies in a folder: which files, which way, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from harness.errors import ScenarioError
from harness.layouts._folder import Folder
from harness.sqltext import Dialect, Statement, split
from harness.sqltext.source import BOM


@dataclass(frozen=True)
class Script:
    """One way of a migration: the text that the tool takes from the file for it.

    ``file`` is a name for messages: the folder as it was given, and the file in it. ``text`` is
    that part of the file as it is, ``line`` the line of the file that it begins on, from 1.
    ``transaction`` is False if the file itself asks for no transaction. ``whole`` are spans of
    ``text`` (offsets in characters, in order) that the file declares to be one statement each,
    whatever is in them; ``only_whole`` if what stands between them is a mark and no SQL. ``envsub``
    are spans in which the file asks for values of the environment (:mod:`placeholders`);
    ``as_in_file`` is False once they are in it. ``bodies`` is True if whoever sends it knows where
    a stored program's body ends, without DELIMITER.
    """

    file: str
    line: int
    text: str
    transaction: bool = True
    whole: tuple[tuple[int, int], ...] = ()
    only_whole: bool = False
    envsub: tuple[tuple[int, int], ...] = ()
    as_in_file: bool = True
    bodies: bool = False

    def cut(self, dialect: Dialect) -> tuple[Statement, ...]:
        """Its statements: offsets count in ``text``, lines in the file.

        ScenarioError (file and line) for what :func:`harness.sqltext.split` refuses.
        """
        return tuple(self._statements(dialect))

    def _statements(self, dialect: Dialect) -> Iterator[Statement]:
        at = 0
        for start, end in self.whole:
            if not self.only_whole:
                yield from self._split(at, start, dialect)
            yield from self._one(start, end, dialect)
            at = end
        if not self.only_whole:
            yield from self._split(at, len(self.text), dialect)

    def _split(self, start: int, end: int, dialect: Dialect) -> Iterator[Statement]:
        """Cut a part with as many line feeds before it as the file has, so that lines are true."""
        part = self.text[start:end]
        above = self.line - 1 + self.text.count("\n", 0, start)
        if start == 0 and part.startswith(BOM):
            above = 0
        text = "\n" * above + part
        for found in split(text, dialect, self.file, as_server=self.bodies):
            shift = start - above
            yield replace(found, start=found.start + shift, end=found.end + shift)

    def _one(self, start: int, end: int, dialect: Dialect) -> Iterator[Statement]:
        """The part as one statement, without blanks and comments before it; none if empty."""
        part = self.text[start:end]
        pieces: list[Statement] = []
        with suppress(ScenarioError):
            pieces = list(self._split(start, end, dialect))
            if len(pieces) < 2:
                yield from pieces
                return
        begin = pieces[0].start if pieces else start + len(part) - len(part.lstrip())
        stop = start + len(part.rstrip())
        if begin >= stop:
            return
        line = self.line + self.text.count("\n", 0, begin)
        column = begin - self.text.rfind("\n", 0, begin)
        kind = pieces[0].kind if pieces else ""
        yield Statement(self.text[begin:stop], begin, stop, line, column, self.file, kind)


@dataclass(frozen=True)
class Migration:
    """One step of the schema.

    ``version`` is what the tool's own table has for it (each layout says what that is), ``name``
    the stem of its file or folder. ``up`` is None for a migration that is code: then only the
    tool can run it. ``down`` is None if there is no way back, or if it is code too. ``files`` are
    all files that belong to it, named as in messages.
    """

    version: str
    name: str
    up: Script | None
    down: Script | None
    files: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """What a folder was found to be. ``evidence`` is what in it says so, for people."""

    name: str
    title: str
    evidence: str


@dataclass(frozen=True)
class Kind:
    """One way to lay out migrations.

    ``looks_for`` says in a few words what makes a folder one; ``matches`` gives the evidence, or
    None. ``read`` gives the migrations in the order in which the tool runs them, and tells the
    folder what is wrong. A ``last_resort`` is only asked about if nothing else fits.
    """

    name: str
    title: str
    looks_for: str
    matches: Callable[[Folder], str | None]
    read: Callable[[Folder], tuple[Migration, ...]]
    last_resort: bool = False

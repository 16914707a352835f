"""A dump of the user's own, of whatever size: read in pieces, and never held in memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
import shlex
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from harness import registry
from harness.errors import StepFailed, UsageError
from harness.ports import Engine
from harness.servers.throwaway import ThrowawayServer

BEGIN = 4096
PIECE = 1 << 20
PACKED: Mapping[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
"""How packed files begin, and what unpacks them."""
ZSTD = b"\x28\xb5\x2f\xfd"
TABLE_OF_CONTENTS = "toc.dat"
AT_LINE = re.compile(r"line (\d+): ")


class NotReadHere(UsageError):
    """It may be well, and more has to be known or done before it can be read here."""


@dataclass(frozen=True)
class Whole:
    """What is known once all of a dump was read. Sizes in bytes."""

    size: int
    """As it lies there, packed or not."""
    sha256: str
    """Of what lies there; of a folder of its files' names and contents."""
    unpacked: int
    end: bytes
    """Its last few kilobytes, unpacked."""


@dataclass(frozen=True)
class Dump:
    """A dump of an engine's own tool, to start from; unpacked, if it was packed.

    A folder is one of pg_dump's directory format, and becomes a tar.
    """

    path: Path
    tell: Callable[[str], None] = print
    """Is told what was made for it."""

    @cached_property
    def begin(self) -> bytes:
        """Its first few kilobytes. UsageError if it cannot be read."""
        found = b""
        for piece in self.pieces():
            found += piece
            if len(found) >= BEGIN:
                break
        return found[:BEGIN]

    def pieces(self) -> Iterator[bytes]:
        """All of it, in pieces. UsageError where it cannot be read on."""
        try:
            yield from self._folder() if self.path.is_dir() else self._file()
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"{self.path} cannot be read: {reason}") from error

    @property
    def engine(self) -> Engine | None:
        """The engine that it says it is of; None if it does not say."""
        known = registry.engines().values()
        return next((engine for engine in known if engine.backups.is_own(self.begin)), None)

    def whole(self) -> Whole:
        """Read all of it once. UsageError if it is empty or cannot be read to its end."""
        unpacked, end, is_blank = 0, b"", True
        for piece in self.pieces():
            unpacked += len(piece)
            end = (end + piece)[-BEGIN:]
            is_blank = is_blank and not piece.strip()
        if self.begin.startswith(ZSTD):
            raise NotReadHere(
                f"{self.path}: found zstd, wanted SQL, an archive, gzip, bzip2 or xz. "
                f"Next: zstd -d {shlex.quote(str(self.path))}"
            )
        if is_blank:
            raise UsageError(f"{self.path} is empty; wanted a dump")
        size, sha256 = self._fingerprint()
        return Whole(size, sha256, unpacked, end)

    def check(self, engine: Engine) -> None:
        """UsageError if it is of another engine's kind."""
        own = self.engine
        if own is not None and own.dialect != engine.dialect:
            raise UsageError(
                f"{self.path}: found a dump of {own.title}, wanted one of {engine.title}, on which "
                f"it is to be restored. Next: --engine {own.name}, or another dump"
            )

    def load(self, server: ThrowawayServer, database: str) -> None:
        """Restore it into an empty database. UsageError if the server does not take it."""
        try:
            for line in server.load(database, self):
                self.tell(line)
        except StepFailed as error:
            place, told = self.refusal(error)
            raise UsageError(f"{place}: the dump cannot be restored: {told}") from error

    def refusal(self, error: StepFailed) -> tuple[str, str]:
        """Where it was refused (``dump.sql:12``), and what was said."""
        found = AT_LINE.match(str(error))
        if found is None:
            return str(self.path), str(error)
        return f"{self.path}:{found[1]}", str(error)[found.end() :]

    # ------------------------------------------------------------------ its files

    def files(self) -> list[Path]:
        """The files it consists of, the table of contents of a folder first."""
        if not self.path.is_dir():
            return [self.path]
        found = sorted((f for f in self.path.iterdir() if f.is_file()), key=_contents_first)
        if not found or found[0].name != TABLE_OF_CONTENTS:
            raise UsageError(
                f"{self.path}: found a folder without {TABLE_OF_CONTENTS}, wanted one of "
                "pg_dump -Fd, or a file"
            )
        return found

    def _file(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            mark = file.read(8)
        unpack = next((of for begin, of in PACKED.items() if mark.startswith(begin)), None)
        with unpack(self.path) if unpack else self.path.open("rb") as content:
            yield from _pieces(content)

    def _folder(self) -> Iterator[bytes]:
        """The folder as a tar, its table of contents first."""
        for file in self.files():
            member = tarfile.TarInfo(f"./{file.name}")
            member.size, member.mode = file.stat().st_size, 0o644
            yield member.tobuf(tarfile.GNU_FORMAT)
            with file.open("rb") as content:
                yield from _pieces(content)
            yield b"\0" * (-member.size % tarfile.BLOCKSIZE)
        yield b"\0" * (2 * tarfile.BLOCKSIZE)

    def _fingerprint(self) -> tuple[int, str]:
        size, found = 0, hashlib.sha256()
        for file in self.files():
            if self.path.is_dir():
                found.update(f"{file.name} {file.stat().st_size}\n".encode())
            with file.open("rb") as content:
                for piece in _pieces(content):
                    size += len(piece)
                    found.update(piece)
        return size, found.hexdigest()


def read(path: Path | None, tell: Callable[[str], None]) -> Dump | None:
    """A dump, read to its end before any server is started. UsageError if it is none."""
    if path is None:
        return None
    dump = Dump(path, tell)
    dump.whole()
    return dump


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(PIECE):
        yield piece


def _contents_first(file: Path) -> tuple[bool, str]:
    return file.name != TABLE_OF_CONTENTS, file.name

"""A dump of the user's own, from which the first state of a sweep is restored."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import shlex
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import registry
from harness.errors import StepFailed, UsageError
from harness.ports import Engine
from harness.sweep.sweep_server import SweepServer

BEGIN = 4096
PACKED: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
}
"""How packed files begin, and what unpacks them."""
ZSTD = b"\x28\xb5\x2f\xfd"
TABLE_OF_CONTENTS = "toc.dat"
AT_LINE = re.compile(r"line (\d+): ")


@dataclass(frozen=True)
class Dump:
    """A dump of an engine's own tool, to start from."""

    path: Path
    raw: bytes
    tell: Callable[[str], None] = print
    """Is told what was made for it."""

    @property
    def engine(self) -> Engine | None:
        """The engine that it says it is of; None if it does not say."""
        begin = self.raw[:BEGIN]
        known = registry.engines().values()
        return next((engine for engine in known if engine.backups.is_own(begin)), None)

    def check(self, engine: Engine) -> None:
        """UsageError if it is of another engine's kind."""
        own = self.engine
        if own is not None and own.dialect != engine.dialect:
            raise UsageError(
                f"{self.path}: found a dump of {own.title}, wanted one of {engine.title}, on which "
                f"the sweep runs. Next: --engine {own.name}, or another dump"
            )

    def load(self, server: SweepServer, database: str) -> None:
        """Restore it into an empty database. UsageError if the server does not take it."""
        try:
            for line in server.load(database, self.raw):
                self.tell(line)
        except StepFailed as error:
            found = AT_LINE.match(str(error))
            place = f"{self.path}:{found[1]}" if found else str(self.path)
            told = str(error)[found.end() :] if found else str(error)
            raise UsageError(f"{place}: the dump cannot be restored: {told}") from error


def read(path: Path | None, tell: Callable[[str], None]) -> Dump | None:
    """The bytes of a dump, read before any server is started; unpacked, if it was packed.

    A folder is one of pg_dump's directory format, and becomes a tar. UsageError if it is none, or
    cannot be read.
    """
    if path is None:
        return None
    try:
        raw = _folder(path) if path.is_dir() else path.read_bytes()
        for mark, unpack in PACKED.items():
            if raw.startswith(mark):
                raw = unpack(raw)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}") from error
    if raw.startswith(ZSTD):
        raise UsageError(
            f"{path}: found zstd, wanted SQL, an archive, gzip, bzip2 or xz. "
            f"Next: zstd -d {shlex.quote(str(path))}"
        )
    if not raw.strip():
        raise UsageError(f"{path} is empty; wanted a dump")
    return Dump(path, raw, tell)


def _folder(path: Path) -> bytes:
    """The folder as a tar, its table of contents first."""
    names = sorted((file.name for file in path.iterdir() if file.is_file()), key=_contents_first)
    if TABLE_OF_CONTENTS not in names:
        raise UsageError(
            f"{path}: found a folder without {TABLE_OF_CONTENTS}, wanted one of pg_dump -Fd, or a "
            "file"
        )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            tar.add(path / name, f"./{name}", filter=_of_nobody)
    return packed.getvalue()


def _contents_first(name: str) -> tuple[bool, str]:
    return name != TABLE_OF_CONTENTS, name


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose file it was here does not matter to who unpacks it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member

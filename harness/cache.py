"""Folders that are kept from run to run: bounded, checked, and never seen half made.

What is kept can always be made anew, so nothing here is an error to its caller: what cannot be kept
or is damaged is simply not there. A copy is checked after it was made, so it does not matter who
removes or damages the original meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
NAME = "migration-drill"
READY = "ready"
"""Data directories as they were made, in which no password of a server is."""
STATES = "states"
"""Data directories of servers on which a sweep's earlier migrations were run."""
MOST, MOST_BYTES = 48, 4 << 30
"""How much is kept, of all kinds together; what was not used for longest goes first."""
LARGEST, LEFT_FREE = 1 << 30, 1 << 30
"""Nothing larger is kept, and nothing that would leave fewer bytes free on the disk."""
DATA, ABOUT = "data", "about.json"
UNDER_WAY = "."
"""How folders begin that are being made or removed."""
BLOCK = 1 << 16
ZEROS = bytes(BLOCK)
Prints = dict[str, list[int]]


class Unkeepable(OSError):
    """The folder has something whose contents are elsewhere: a link, a socket."""


@dataclass(frozen=True)
class Kept:
    """One folder that is kept: what it is for, its bytes, when it was last used (s)."""

    kind: str
    key: str
    bytes: int
    used: float


def usual() -> Cache | None:
    """The cache of this user; None if there can be none, as without a home that is ours.

    ``MDRILL_CACHE`` names another folder; ``XDG_CACHE_HOME`` is followed.
    """
    return None if why_none() else Cache(_place())


def why_none() -> str:
    """Why there can be no cache; "" if there can."""
    try:
        folder = _place()
        return _not_ours(folder) or _not_usable(folder)
    except RuntimeError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def _place() -> Path:
    """RuntimeError if this user has no home folder."""
    if own := os.environ.get("MDRILL_CACHE"):
        return Path(own).absolute()
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches).absolute() / NAME
    return Path.home() / ".cache" / NAME


def _not_ours(folder: Path) -> str:
    """Under sudo a home may be that of somebody else, who would find files of root's in it."""
    if "MDRILL_CACHE" in os.environ:
        return ""
    home = next(place for place in folder.parents if place.exists())
    return "" if home.stat().st_uid == os.geteuid() else f"{home} belongs to somebody else"


def _not_usable(folder: Path) -> str:
    """A folder that somebody else may write to could give us anybody's data."""
    if not os.path.lexists(folder):
        folder.mkdir(parents=True, mode=0o700)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode):
        return f"{folder} is no folder"
    if about.st_uid != os.geteuid() or about.st_mode & 0o022:
        return f"others may write to {folder}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written to"


def key_of(*parts: object) -> str:
    """A short name for all that makes a folder what it is; bytes, texts, or what has a repr."""
    digest = hashlib.sha256()
    for part in (FORMAT, *parts):
        text = part if isinstance(part, bytes) else repr(part).encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()[:32]


class Cache:
    """What is kept in one folder, by kind and key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(
        self, kind: str, key: str, source: Path, about: Mapping[str, Any] | None = None
    ) -> bool:
        """Keep a copy of a folder; False if it cannot be kept. What is kept already stays."""
        try:
            place = self.folder / kind
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            size = _bytes(_prints(source))
            if size > LARGEST or shutil.disk_usage(place).free < size + LEFT_FREE:
                return False
            with _under_way(place) as new:
                (new / DATA).mkdir()
                copy(source, new / DATA)
                found = _prints(new / DATA)
                told = {"about": about or {}, "bytes": _bytes(found), "prints": found}
                (new / ABOUT).write_text(json.dumps(told), "utf-8")
                new.rename(place / key)
        except OSError as error:
            return error.errno in (errno.ENOTEMPTY, errno.EEXIST)
        self.trim()
        return True

    def keep_note(self, kind: str, key: str, about: Mapping[str, Any]) -> bool:
        """Keep what is to be told, with an empty folder."""
        with tempfile.TemporaryDirectory() as nothing:
            return self.keep(kind, key, Path(nothing), about)

    def about(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """What was told of it when it was kept; None if it is not here."""
        found: Mapping[str, Any] | None = self._read(kind, key).get("about")
        return found

    def take(self, kind: str, key: str, target: Path) -> bool:
        """Copy what is kept into an empty folder; False, and nothing in it, if that cannot be had.

        One that is not whole is thrown away.
        """
        told = self._read(kind, key)
        if not told:
            return False
        try:
            copy(self.folder / kind / key / DATA, target)
            whole = _prints(target) == told["prints"]
        except OSError:
            whole = False
        if whole:
            with suppress(OSError):
                os.utime(self.folder / kind / key / ABOUT)
            return True
        for entry in target.iterdir():
            _remove(entry)
        self.discard(kind, key)
        return False

    def discard(self, kind: str, key: str) -> None:
        """Throw it away; no error if it is not there."""
        with suppress(OSError), _under_way(self.folder / kind) as going:
            (self.folder / kind / key).rename(going / key)

    def kept(self) -> list[Kept]:
        """All that is here, what was used last first."""
        found = []
        with suppress(OSError):
            for path in self.folder.glob(f"*/*/{ABOUT}"):
                kind, key = path.parts[-3:-1]
                if not key.startswith(UNDER_WAY) and (told := self._read(kind, key)):
                    found.append(Kept(kind, key, told["bytes"], path.stat().st_mtime))
        return sorted(found, key=lambda one: one.used, reverse=True)

    def trim(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> list[Kept]:
        """Throw away what is too much, and what a killed process left half made; what went."""
        for path in self.folder.glob(f"*/{UNDER_WAY}*"):
            _remove_left(path)
        gone, held = [], 0
        for number, one in enumerate(self.kept()):
            held += one.bytes
            if number >= most or held > most_bytes:
                self.discard(one.kind, one.key)
                gone.append(one)
        return gone

    def _read(self, kind: str, key: str) -> dict[str, Any]:
        """Its note; empty if there is none that can be read, and then it is thrown away."""
        try:
            told = json.loads((self.folder / kind / key / ABOUT).read_text("utf-8"))
            if told.keys() == {"about", "bytes", "prints"}:
                return dict(told)
        except FileNotFoundError:
            if not (self.folder / kind / key).exists():
                return {}
        except (OSError, ValueError, AttributeError):
            pass
        self.discard(kind, key)
        return {}


def copy(source: Path, target: Path) -> None:
    """Copy all that is in a folder into another; by shared blocks where the file system can.

    OSError if that fails.
    """
    try:
        argv = ["cp", "-a", "--reflink=auto", f"{source}/.", str(target)]
        if subprocess.run(argv, capture_output=True, check=False).returncode == 0:
            return
    except OSError:
        pass
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    if os.geteuid() == 0:
        for path in source.rglob("*"):
            about = path.lstat()
            copied = target / path.relative_to(source)
            os.chown(copied, about.st_uid, about.st_gid, follow_symlinks=False)


def _prints(folder: Path) -> Prints:
    """Each file's size and checksum, and each folder below, by its path. Unkeepable for a link."""
    found: Prints = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                name = f"{below}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    found[name] = []
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    found[name] = _print_of(entry.path)
                else:
                    raise Unkeepable(f"{entry.path} is neither a file nor a folder")
    return found


def _print_of(path: str) -> list[int]:
    """Size and CRC; blocks of zeros, of which a server's log has many, cost nothing."""
    size, crc = 0, 0
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            if block != ZEROS:
                crc = zlib.crc32(block, crc ^ (size // BLOCK & 0xFFFFFFFF))
            size += len(block)
    return [size, crc]


def _bytes(prints: Prints) -> int:
    return sum(print_[0] for print_ in prints.values() if print_)


@contextmanager
def _under_way(place: Path) -> Iterator[Path]:
    """A folder beside what is kept, removed in the end; locked, so that one whose process was
    killed can be told.
    """
    folder = Path(tempfile.mkdtemp(prefix=UNDER_WAY, dir=place))
    lock = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(lock)
        if folder.exists():
            _remove(folder)


def _remove_left(folder: Path) -> None:
    """Remove it if nobody is at work on it."""
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        finally:
            os.close(lock)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

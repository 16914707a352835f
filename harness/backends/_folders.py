"""The private folder of a local server, and whose it is; not a backend itself.

Every server has one folder ``mdrill-server-…`` in the temporary directory. ``owner.json`` in it
names the process that started the server, so that another run can tell what a dead owner left
from what a living one uses.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from harness.backends import _owner, _processes

PREFIX = "mdrill-server-"
LONGEST_BASE = 50
"""A Unix socket's path may have about 100 characters; this leaves room for the rest of it."""
UNCLAIMED_S = 600
"""A folder without ``owner.json`` this old (s) belongs to an owner that died while making it."""


def base() -> Path:
    """The temporary directory; ``/tmp`` where that is too long or closed to other accounts."""
    usual = Path(tempfile.gettempdir()).resolve()
    closed = os.geteuid() == 0 and not all(
        folder.stat().st_mode & stat.S_IXOTH for folder in (usual, *usual.parents)
    )
    return Path("/tmp").resolve() if closed or len(str(usual)) > LONGEST_BASE else usual


def make(run_id: str) -> Path:
    """A new private folder that says whose it is; others may pass through, not look in."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base()))
    write(folder / "owner.json", json.dumps({"run": run_id, "owner": _owner.of_this_process()}))
    folder.chmod(0o711)
    return folder


def write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def clear(folder: Path, recorded: int | None = None) -> int:
    """Kill everything at work in a folder and remove it; returns how many processes it killed."""
    seen = _processes.at_work_in(folder / "data", recorded)
    segments = _processes.shared_memory(seen)
    killed = 0
    while seen:
        _processes.send(seen, signal.SIGKILL)
        _processes.wait_gone(seen)
        killed += len(seen)
        seen = _processes.at_work_in(folder / "data")
    _processes.remove_shared_memory(segments)
    shutil.rmtree(folder, ignore_errors=True)
    return killed


def abandoned() -> list[tuple[Path, str]]:
    """The folders of ours whose owner is dead, each with the reason that it may go.

    A folder of another user, of another machine (a shared disk), or that cannot be read is
    never in the list.
    """
    found = []
    for folder in sorted(base().glob(f"{PREFIX}*")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            about = folder.lstat()
            if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid():
                reason = _why_abandoned(folder, about.st_mtime)
                if reason:
                    found.append((folder, reason))
    return found


def recorded_pid(folder: Path) -> int | None:
    """The server process noted in a folder."""
    with suppress(OSError, ValueError):
        return int((folder / "server.pid").read_text())
    return None


def _why_abandoned(folder: Path, changed: float) -> str:
    try:
        note = json.loads((folder / "owner.json").read_text())
    except FileNotFoundError:
        return "nobody ever claimed it" if time.time() - changed > UNCLAIMED_S else ""
    if not _owner.is_dead(note["owner"]):
        return ""
    return f"its run {note['run']}, process {note['owner']}, is gone"

"""Processes of this machine, told apart by pid and start time; not a backend itself.

Linux is read from ``/proc``, any other Unix from ``ps``. A pid alone is never trusted: every
signal goes to a process whose start time is the one that was seen before.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import DeadlineExceeded

POLL_S = 0.001
PROC = Path("/proc")
SHARED_MEMORY = re.compile(
    r"^\S+ \S+ \S+ \S+ (?P<inode>\d+) +(?P<path>/SYSV|/dev/shm/\S+)", re.MULTILINE
)


@dataclass(frozen=True)
class Process:
    """One process as the system lists it; ``started`` tells two users of one pid apart."""

    pid: int
    parent: int
    state: str
    started: str


@dataclass(frozen=True)
class SharedMemory:
    """Segments that outlive a killed process: System V ids and files of POSIX shared memory."""

    ids: frozenset[int] = frozenset()
    files: frozenset[str] = frozenset()


def has_proc() -> bool:
    """True where the kernel shows its processes as files."""
    return (PROC / "self" / "stat").exists()


def find(pid: int) -> Process | None:
    """The process of that pid; None if there is none or it has died and is only unburied."""
    found = _from_stat(pid) if has_proc() else _from_ps("-p", str(pid)).get(pid)
    return found if found and found.state[0] not in "ZX" else None


def table() -> dict[int, Process]:
    """Every process of the machine by pid."""
    if not has_proc():
        return _from_ps("-A")
    seen = (_from_stat(int(entry)) for entry in os.listdir(PROC) if entry.isdigit())
    return {process.pid: process for process in seen if process}


def alive(process: Process) -> bool:
    """True while that very process runs or is stopped."""
    now = find(process.pid)
    return now is not None and now.started == process.started


def family(pid: int) -> list[Process]:
    """The process and all that descend from it, parents first."""
    everyone = table()
    found = [everyone[pid]] if pid in everyone else []
    for parent in found:
        found += [child for child in everyone.values() if child.parent == parent.pid]
    return [process for process in found if process.state[0] not in "ZX"]


def at_work_in(folder: Path, recorded: int | None = None) -> list[Process]:
    """Every process whose working directory is in the folder, with its descendants.

    The ``recorded`` pid counts as well if its command line names the folder, which is
    all that can be known of it without ``/proc``.
    """
    pids = [pid for pid in table() if pid != os.getpid() and _stands_in(pid, folder)]
    if recorded and str(folder) in _command(recorded):
        pids.append(recorded)
    found = {member.pid: member for pid in pids for member in family(pid)}
    found.pop(os.getpid(), None)
    return list(found.values())


def send(processes: Iterable[Process], signum: int) -> None:
    """Signal each of the processes that is still the one it was."""
    for process in processes:
        if alive(process):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signum)


def freeze(pid: int, deadline_s: float = 10) -> list[Process]:
    """Stop the process and all its descendants; returns them once the system calls all stopped.

    Parents first, and again until nobody new turns up: a stopped process has no more children.
    """
    end = time.monotonic() + deadline_s
    while True:
        members = family(pid)
        running = [member for member in members if member.state[0] not in "Tt"]
        if not running:
            return members
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"process {running[0].pid} did not stop within {deadline_s:g} s")
        send(running, signal.SIGSTOP)
        time.sleep(POLL_S)


def wait_gone(processes: Iterable[Process], deadline_s: float = 10) -> None:
    """Wait until none of the processes runs any more; DeadlineExceeded if one stays."""
    end = time.monotonic() + deadline_s
    for process in processes:
        while alive(process):
            if time.monotonic() >= end:
                raise DeadlineExceeded(
                    f"process {process.pid} is still there {deadline_s:g} s after SIGKILL"
                )
            time.sleep(POLL_S)


def shared_memory(processes: Iterable[Process]) -> SharedMemory:
    """The segments these processes have attached; nothing where there is no ``/proc``."""
    ids: set[int] = set()
    files: set[str] = set()
    for process in processes:
        with suppress(OSError):
            for found in SHARED_MEMORY.finditer((PROC / str(process.pid) / "maps").read_text()):
                if found["path"] == "/SYSV":
                    ids.add(int(found["inode"]))
                else:
                    files.add(found["path"])
    return SharedMemory(frozenset(ids), frozenset(files))


def remove_shared_memory(segments: SharedMemory) -> None:
    """Give back what killed processes had attached; what is gone already is no error."""
    for path in segments.files:
        Path(path).unlink(missing_ok=True)
    if segments.ids:
        remove = ctypes.CDLL(None, use_errno=True).shmctl
        for identifier in segments.ids:
            remove(identifier, 0, None)


@cache
def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text()[:8]


def _from_stat(pid: int) -> Process | None:
    """``/proc/<pid>/stat`` by proc(5); the start time counts from boot, so the boot is added."""
    try:
        text = (PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return Process(pid, int(fields[1]), fields[0], f"{_boot()}-{fields[19]}")


def _from_ps(*which: str) -> dict[int, Process]:
    found = {}
    for line in _ps(*which, "-o", "pid=,ppid=,state=,lstart=").splitlines():
        pid, parent, state, started = line.split(maxsplit=3)
        found[int(pid)] = Process(int(pid), int(parent), state, started.strip())
    return found


def _stands_in(pid: int, folder: Path) -> bool:
    with suppress(OSError):
        return Path(os.readlink(PROC / str(pid) / "cwd")).is_relative_to(folder)
    return False


def _command(pid: int) -> str:
    if not has_proc():
        return _ps("-p", str(pid), "-o", "command=")
    with suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace")
    return ""


def _ps(*arguments: str) -> str:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    return subprocess.run(
        ["ps", *arguments], capture_output=True, text=True, timeout=10, check=False, env=environment
    ).stdout

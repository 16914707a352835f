"""Who owns what a run leaves on this machine, and whether that process still lives."""

from __future__ import annotations

import os
import re
import socket

from harness.backends import _processes


def of_this_process() -> str:
    """``<host>:<pid>:<start of the process>``: a pid used again by another process differs."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid)}"


def is_dead(owner: str) -> bool:
    """True only if the owner was on this host and its process is gone; in doubt it lives."""
    host, _, process = owner.partition(":")
    pid, _, started = process.partition(":")
    if host != _host() or not pid.isdecimal() or not started:
        return False
    return _started(int(pid)) != started


def _host() -> str:
    """The host's name and, on Linux, the pid namespace: pids mean nothing outside it."""
    try:
        namespace = re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    except OSError:
        namespace = ""
    name = socket.gethostname().replace(":", "-")
    return f"{name}/{namespace}" if namespace else name


def _started(pid: int) -> str:
    """When the process began, as an opaque word; "" if there is none or it is a zombie."""
    found = _processes.find(pid)
    return re.sub(r"\W+", "-", found.started) if found else ""

"""Imported by the prepared process that emulated tools are forked from, and by nobody else.

Multiprocessing leaves it to the parent to remove the folder of its socket. A parent that was killed
cannot, so this process does when it ends, which it does as soon as its parent is gone.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

PREFIX = "pymp-"
"""How multiprocessing calls the folder."""


def listens_in() -> Path | None:
    """The folder of the socket on which this process is asked to fork."""
    for number in os.listdir("/dev/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(number))) as found:
            address = found.getsockname()
            folder = Path(address).parent if isinstance(address, str) and address else None
            if folder is not None and folder.name.startswith(PREFIX):
                return folder
    return None


if folder := listens_in():
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

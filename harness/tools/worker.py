"""The process that a migrator runs in, so that it can really be killed.

Talks JSON lines: the job comes on stdin, then one line for each checkpoint it may pass; what
happens goes to stdout. Ends at once when stdin closes, so it never outlives the harness.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any

from harness import registry
from harness.errors import DatabaseError, DrillError
from harness.ports import Address
from harness.servers import guard


def main() -> None:
    """Read one job, run it, report how it ended; the exit status is 0 only on success."""
    inbox = _listen()
    job = inbox.get()
    try:
        _run(job, inbox)
    except DatabaseError as error:
        _tell(kind="ended", finished=False, code=error.code, message=error.message, lost=error.lost)
        sys.exit(1)
    except DrillError as error:
        _tell(kind="ended", finished=False, code="guard", message=str(error), lost=False)
        sys.exit(1)
    _tell(kind="ended", finished=True, code="", message="", lost=False)


def _run(job: dict[str, Any], inbox: queue.Queue) -> None:
    engine = registry.engine(job["engine"])
    session = engine.connector.connect(
        Address(**job["address"]), job["database"], application="migration"
    )
    guard.check(engine, session, job["nonce"], job["identity"])
    if job["limits"]:
        engine.connector.limit(session, **job["limits"])
    _tell(kind="session", pid=session.pid)

    def checkpoint(where: str, first: int, last: int) -> str | None:
        _tell(kind="checkpoint", where=where, first=first, last=last)
        order = inbox.get()
        if order.get("limits"):
            engine.connector.limit(session, **order["limits"])
        return order.get("instead")

    registry.kind("migrators", job["tool"])().apply(session, job, checkpoint)
    session.close()


def _listen() -> queue.Queue:
    inbox: queue.Queue = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            inbox.put(json.loads(line))
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    return inbox


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A proxy that understands PostgreSQL's and MySQL's protocols well enough to stop a client.

It numbers the messages that can change something, and holds the run before one of them is sent
on, or when its answer has come and the client does not know it.
"""

from __future__ import annotations

from harness.wire.changing import TAKES_A_LOCK, can_change
from harness.wire.exchange import Breakpoint, Message
from harness.wire.proxy import LOCK, Proxy

__all__ = ["LOCK", "TAKES_A_LOCK", "Breakpoint", "Message", "Proxy", "can_change"]

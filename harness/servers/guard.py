"""The guard that every connection of every role passes before it may send anything.

A scenario has no place for an address, and there is no switch that turns the guard off. A
connection is good only if all three hold: the server is one this run started (its label or
process, told by the backend), it shows the nonce this run planted, and it is the very server
on which the nonce was planted (``system_identifier``, ``server_uuid``).
"""

from __future__ import annotations

import secrets
import time

from harness.errors import DatabaseError, GuardRefused, ServerLost
from harness.ports import Engine, Server, Session

POLL_S = 0.005


def check(engine: Engine, session: Session, nonce: str, identity: str) -> None:
    """Refuse a session whose server does not show the nonce or is not the same server."""
    try:
        seen = engine.databases.read_nonce(session)
    except DatabaseError as error:
        if error.lost:
            raise
        seen = None
    if seen != nonce:
        raise GuardRefused(
            "the server does not show this run's nonce "
            f"(found {'none' if seen is None else 'another one'}); nothing was sent to it"
        )
    found = engine.connector.identity(session)
    if found != identity:
        raise GuardRefused(
            f"the server is {found}, but this run started {identity}; nothing was sent to it"
        )


class Guard:
    """Holds what one server must show, and opens proven connections to it."""

    def __init__(self, engine: Engine, server: Server) -> None:
        self.engine = engine
        self.server = server
        self.nonce = secrets.token_hex(16)
        self.identity = ""
        self.own_pids: set[int] = set()
        """Server sessions that were opened through this guard, also those that are gone."""

    def adopt(self, deadline_s: float = 60) -> str:
        """Wait until the new server answers, plant the nonce, and return its version."""
        session = self._reach(self.engine.databases.maintenance, "guard", deadline_s)
        try:
            self.identity = self.engine.connector.identity(session)
            self.engine.databases.plant_nonce(session, self.nonce)
            return self.engine.connector.version(session)
        finally:
            session.close()

    def connect(
        self, database: str, application: str, *, deadline_s: float = 0, timeout_s: float = 5
    ) -> Session:
        """A proven session. With a deadline (s), keeps trying while the server comes back."""
        session = self._reach(database, application, deadline_s, timeout_s)
        try:
            check(self.engine, session, self.nonce, self.identity)
        except BaseException:
            session.close()
            raise
        return session

    def _reach(
        self, database: str, application: str, deadline_s: float, timeout_s: float = 5
    ) -> Session:
        end = time.monotonic() + deadline_s
        while True:
            try:
                self.server.proof()
                session: Session = self.engine.connector.connect(
                    self.server.address(), database, application=application, timeout_s=timeout_s
                )
                self.own_pids.add(session.pid)
                return session
            except DatabaseError as error:
                if deadline_s == 0:
                    raise
                if time.monotonic() >= end:
                    raise ServerLost(
                        f"{self.engine.title} did not answer within {deadline_s:g} s: {error}\n"
                        f"the end of its log:\n{self.server.logs()[-2000:]}"
                    ) from error
            time.sleep(POLL_S)

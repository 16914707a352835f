"""Nothing is sent to a server that this run did not start."""

from __future__ import annotations

import pytest

from harness.errors import DatabaseError, GuardRefused, ServerLost
from harness.servers.guard import Guard, check
from harness.testing import FakeServer, fake_engine


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def guard(server: FakeServer) -> Guard:
    guard = Guard(fake_engine(server), server)
    guard.adopt(deadline_s=0)
    return guard


def test_a_proven_server_lets_sessions_through(server: FakeServer, guard: Guard) -> None:
    """Nonce, identity and proof agree: the session is open and may be used."""
    session = guard.connect("shop", "operator")
    session.run("SELECT 1")
    assert (session.open, server.sent) == (True, [("operator", "SELECT 1")])


def test_every_adoption_plants_a_nonce_of_its_own(server: FakeServer, guard: Guard) -> None:
    """Two runs never take each other's servers for their own."""
    other = FakeServer()
    Guard(fake_engine(other), other).adopt(deadline_s=0)
    assert len(server.nonce) >= 32
    assert server.nonce != other.nonce


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another run's"},
        {"nonce": None},
        {"identity": "fake-2"},
    ],
    ids=str,
)
def test_a_server_that_shows_something_else_gets_nothing(
    server: FakeServer, guard: Guard, change: dict
) -> None:
    """The connection is closed before a statement of anybody's went over it."""
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(GuardRefused, match="nothing was sent"):
        guard.connect("shop", "operator")
    assert server.sent == []
    assert not any(session.open for session in server.sessions)


def test_without_proof_there_is_not_even_a_connection(server: FakeServer, guard: Guard) -> None:
    """The backend is asked first; a refusal is not tried again until a deadline."""
    before = len(server.sessions)
    server.is_ours = False
    with pytest.raises(GuardRefused):
        guard.connect("shop", "operator", deadline_s=60)
    assert len(server.sessions) == before


def test_a_server_that_cannot_be_asked_for_its_nonce_is_refused(server: FakeServer) -> None:
    """An error in place of the nonce is no nonce; a lost connection stays what it is."""
    engine = fake_engine(server)
    session = engine.connector.connect(server.address(), "shop", application="x")

    def refuse(_session):
        raise DatabaseError("42P01", "no such table")

    def lose(_session):
        raise DatabaseError("", "gone", lost=True)

    engine.databases.read_nonce = refuse
    with pytest.raises(GuardRefused):
        check(engine, session, "n", server.identity)
    engine.databases.read_nonce = lose
    with pytest.raises(DatabaseError, match="gone"):
        check(engine, session, "n", server.identity)


def test_a_server_that_is_down_is_waited_for_and_then_given_up(
    server: FakeServer, guard: Guard
) -> None:
    """With a deadline the guard tries again; the error shows the end of the server's log."""
    server.up = False
    with pytest.raises(DatabaseError):
        guard.connect("shop", "operator")
    with pytest.raises(ServerLost, match="the log of a fake"):
        guard.connect("shop", "operator", deadline_s=0.02)

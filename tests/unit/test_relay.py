"""The relay passes bytes unread, and can be cut so that one side or both notice."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from harness.wire.relay import Relay

SOON_S = 30


@pytest.fixture
def upstream() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SOON_S)
        yield listener


@pytest.fixture
def relay(upstream: socket.socket) -> Iterator[Relay]:
    relay = Relay("127.0.0.1", upstream.getsockname()[1])
    yield relay
    relay.close()


@pytest.fixture
def ends(relay: Relay, upstream: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """(client, server), connected through the relay."""
    client = socket.create_connection(("127.0.0.1", relay.port), timeout=SOON_S)
    server, _ = upstream.accept()
    server.settimeout(SOON_S)
    with client, server:
        client.sendall(b"hello")
        assert receive(server, 5) == b"hello"
        yield client, server


def receive(end: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (block := end.recv(count - len(got))):
        got += block
    return got


def is_closed(end: socket.socket) -> bool:
    try:
        return end.recv(1) == b""
    except ConnectionError:
        return True


def test_bytes_pass_both_ways_unchanged(ends) -> None:
    """Also more of them than fit into one read."""
    client, server = ends
    blob = bytes(range(256)) * 1000
    client.sendall(blob)
    assert receive(server, len(blob)) == blob
    server.sendall(blob[::-1])
    assert receive(client, len(blob)) == blob[::-1]


def test_an_orderly_end_is_passed_on(ends) -> None:
    """A client that closes is seen to close, as without a relay."""
    client, server = ends
    client.shutdown(socket.SHUT_WR)
    assert is_closed(server)


def test_a_cut_that_both_notice(relay: Relay, ends) -> None:
    """Both connections end; the number cut is told."""
    client, server = ends
    assert relay.cut(server_notices=True) == 1
    assert is_closed(client)
    assert is_closed(server)


def test_a_cut_that_the_server_does_not_notice(relay: Relay, ends) -> None:
    """As when a cable is pulled: the client is gone and the server goes on waiting."""
    client, server = ends
    assert relay.cut(server_notices=False) == 1
    assert is_closed(client)
    server.settimeout(0.2)
    with pytest.raises(TimeoutError):
        server.recv(1)
    relay.close()
    server.settimeout(SOON_S)
    assert is_closed(server)


def test_closing_twice_is_safe_and_ends_the_listening(relay: Relay) -> None:
    """Teardown may come twice; afterwards nobody gets in."""
    relay.close()
    relay.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port), timeout=SOON_S)

"""Packets of MySQL's protocol, and the two that say what a connection can do.

A payload of 16 MB and more travels in several packets: all but the last are full.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from harness.wire.mysql_answer import FULL

LOCAL_FILES = 1 << 7
MULTI_STATEMENTS = 1 << 16
DEPRECATE_EOF = 1 << 24
QUERY_ATTRIBUTES = 1 << 27

_COMPRESS = 1 << 5
_SSL = 1 << 11
_OPTIONAL_METADATA = 1 << 25
_ZSTD = 1 << 26
WITHHELD = _COMPRESS | _SSL | _ZSTD | _OPTIONAL_METADATA
"""What the server offers and the client does not learn of: bytes nobody but they could read,
and result sets whose columns are left out."""
_MARIADB_CACHE_METADATA = 1 << 4
_MYSQL_ITSELF = 1


@dataclass(frozen=True)
class Packet:
    """A payload with the bytes it travelled in."""

    sequence: int
    payload: bytes
    raw: bytes


def take_physical(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Whole packets, taken out of the buffer: the payload's length, and all bytes."""
    at = 0
    try:
        while len(buffer) >= at + 4:
            length = int.from_bytes(buffer[at : at + 3], "little")
            if len(buffer) < at + 4 + length:
                return
            start, at = at, at + 4 + length
            yield length, bytes(buffer[start:at])
    finally:
        del buffer[:at]


class Assembler:
    """Puts packets together that continue each other."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begun: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Packet]:
        self._buffer += data
        for length, raw in take_physical(self._buffer):
            self._begun.append(raw)
            if length < FULL:
                begun, self._begun = self._begun, []
                payload = b"".join(part[4:] for part in begun)
                yield Packet(begun[0][3], payload, b"".join(begun))


def count(payload: bytes) -> int:
    """In how many packets a payload travels; a full one is always followed by another."""
    return len(payload) // FULL + 1


def packed(payload: bytes) -> bytes:
    """A command's payload in as many packets as it takes."""
    packets = []
    for sequence, at in enumerate(range(0, len(payload) + 1, FULL)):
        part = payload[at : at + FULL]
        packets.append(len(part).to_bytes(3, "little") + bytes([sequence & 0xFF]) + part)
    return b"".join(packets)


def modest_greeting(raw: bytes) -> tuple[bytes, int, int]:
    """The greeting without what is withheld, the thread's id, and what is still offered.

    A refusal instead of a greeting passes as it is, with id 0. ValueError for anything else.
    """
    if raw[4] == 0xFF:
        return raw, 0, 0
    if raw[4] != 10:
        raise ValueError(f"the server does not greet in version 10 of the protocol: {raw[4]}")
    packet = bytearray(raw)
    at = packet.index(0, 5) + 1
    thread = struct.unpack_from("<I", packet, at)[0]
    low, high = at + 13, at + 18
    offered = int.from_bytes(packet[low : low + 2], "little")
    offered |= int.from_bytes(packet[high : high + 2], "little") << 16
    if not offered & _MYSQL_ITSELF:
        packet[high + 9] &= ~_MARIADB_CACHE_METADATA & 0xFF
    offered &= ~WITHHELD
    packet[low : low + 2] = (offered & 0xFFFF).to_bytes(2, "little")
    packet[high : high + 2] = (offered >> 16).to_bytes(2, "little")
    return bytes(packet), thread, offered


def wanted_capabilities(login: bytes) -> int:
    """What a client asks for in its first packet. ValueError if it would speak TLS."""
    wanted = int.from_bytes(login[:4], "little")
    if wanted & _SSL or len(login) < 32:
        raise ValueError("the client wants TLS, or speaks a protocol older than 4.1")
    return wanted

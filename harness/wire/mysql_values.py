"""Values bound to a prepared statement of MySQL or MariaDB, and attributes of a query.

Both are the same list in the binary protocol: a bitmap of NULLs, types, values. Numbers and
strings become text; of other types (dates, times, floating point) only the length is known.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.wire.mysql_answer import read_length

Values = tuple[str | None, ...]
Types = tuple[tuple[int, bool], ...]
"""Of each value: the type's code, and whether it is unsigned."""

_INTEGERS = {1: 1, 2: 2, 13: 2, 3: 4, 9: 4, 8: 8}
_FLOATS = {4: 4, 5: 8}
_DATES = frozenset({7, 10, 11, 12})
_NULL = 6


class Opaque(Exception):
    """A value, or the list of them, cannot be shown as text."""


@dataclass(frozen=True)
class Bound:
    """A list of values as it was read."""

    types: Types
    values: Values | None
    """None if one of them cannot be shown as text."""
    end: int
    """Where the list ends in the payload."""


def read_values(payload: bytes, at: int, count: int, types: Types, *, named: bool) -> Bound:
    """The list that begins at ``at``; ``types`` are those of the execution before.

    Opaque, IndexError or struct.error if it cannot be followed.
    """
    nulls = payload[at : at + (count + 7) // 8]
    at += len(nulls)
    at += 1
    if payload[at - 1] == 1:
        types, at = _read_types(payload, at, count, named)
    if len(types) != count:
        raise Opaque("the types were never given")
    values: list[str | None] = []
    shown = True
    for i, (kind, unsigned) in enumerate(types):
        if nulls[i // 8] >> (i % 8) & 1 or kind == _NULL:
            values.append(None)
            continue
        text, at = _read_value(payload, at, kind, unsigned)
        shown = shown and text is not None
        values.append(text)
    return Bound(types, tuple(values) if shown else None, at)


def _read_types(payload: bytes, at: int, count: int, named: bool) -> tuple[Types, int]:
    types = []
    for _ in range(count):
        types.append((payload[at], bool(payload[at + 1] & 0x80)))
        at += 2
        if named:
            length, at = read_length(payload, at)
            at += length
    return tuple(types), at


def _read_value(payload: bytes, at: int, kind: int, unsigned: bool) -> tuple[str | None, int]:
    if kind in _INTEGERS:
        size = _INTEGERS[kind]
        raw = payload[at : at + size]
        return str(int.from_bytes(raw, "little", signed=not unsigned)), at + size
    if kind in _FLOATS:
        return None, at + _FLOATS[kind]
    if kind in _DATES:
        return None, at + 1 + payload[at]
    length, at = read_length(payload, at)
    if at + length > len(payload):
        raise Opaque("a value is cut off")
    return payload[at : at + length].decode("utf-8", "surrogateescape"), at + length


def after_attributes(payload: bytes, at: int) -> int:
    """Where the SQL begins in a query whose attributes begin at ``at``.

    ValueError if that cannot be told.
    """
    try:
        count, at = read_length(payload, at)
        _, at = read_length(payload, at)
        return read_values(payload, at, count, (), named=True).end if count else at
    except (Opaque, IndexError, struct.error) as error:
        raise ValueError(f"the query's attributes cannot be read: {error}") from error

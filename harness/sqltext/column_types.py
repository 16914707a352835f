"""Whether values can get lost where a column gets another type, as far as its words tell; pure.

What is lost by which change was tried on servers: a numeric with fewer places is rounded silently
even in strict mode, a CHAR loses its trailing blanks, a timestamp with a time zone depends on the
session's, json keeps what jsonb does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from harness.sqltext.words import follows

_ENDS = frozenset(
    {
        *("NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "REFERENCES", "CHECK", "CONSTRAINT"),
        *("COLLATE", "GENERATED", "AUTO_INCREMENT", "COMMENT", "CHARSET", "ON", "USING", "AFTER"),
        *("FIRST", "AS", "KEY", "STORAGE", "VIRTUAL", "VISIBLE", "INVISIBLE"),
    }
)
"""Words behind a type that say more about its column."""
_INTEGERS = {
    **dict.fromkeys(("TINYINT",), 1),
    **dict.fromkeys(("SMALLINT", "INT2", "SMALLSERIAL"), 2),
    **dict.fromkeys(("MEDIUMINT",), 3),
    **dict.fromkeys(("INT", "INTEGER", "INT4", "SERIAL"), 4),
    **dict.fromkeys(("BIGINT", "INT8", "BIGSERIAL"), 8),
}
_FLOATS = {"REAL": 4, "FLOAT4": 4, "FLOAT": 4, "DOUBLE": 8, "DOUBLE PRECISION": 8, "FLOAT8": 8}
_BYTES = {"TINYBLOB": 255, "BLOB": 65_535, "MEDIUMBLOB": 2**24 - 1, "LONGBLOB": inf, "BYTEA": inf}
_TEXTS = {"TINYTEXT": 255, "MEDIUMTEXT": 2**24 - 1, "LONGTEXT": inf, "CITEXT": inf, "NAME": 63}
_LIMITED = frozenset({"VARCHAR", "CHARACTER VARYING", "NVARCHAR", "CHARACTER", "CHAR", "BPCHAR"})
_PADDED = frozenset({"CHARACTER", "CHAR", "BPCHAR"})
_TIMES = {
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"), "zoned"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE", "DATETIME"), "moment"),
    "DATE": "date",
}


@dataclass(frozen=True)
class ColumnType:
    """A type as it is written: its words in capitals, and the numbers behind them."""

    name: str
    numbers: tuple[int, ...] = ()
    unsigned: bool = False
    array: bool = False

    def __str__(self) -> str:
        told = self.name.lower()
        if self.numbers:
            told += f"({','.join(map(str, self.numbers))})"
        return f"{told}{' unsigned' if self.unsigned else ''}{'[]' if self.array else ''}"


def type_at(words: Sequence[str], at: int) -> ColumnType:
    """The type that is written there, up to what says more about the column."""
    name: list[str] = []
    numbers: list[int] = []
    depth, unsigned, array = 0, False, False
    for place in range(at, len(words)):
        word = words[place].upper()
        if depth == 0 and (word in _ENDS or follows(words, place, "CHARACTER", "SET")):
            break
        depth += (word == "(") - (word == ")")
        if word == "UNSIGNED":
            unsigned = True
        elif word == "[":
            array = True
        elif word.isdigit() and depth:
            numbers.append(int(word))
        elif depth == 0 and word.strip('"`').replace("_", "").isalnum() and not word.isdigit():
            name.append(word.strip('"`'))
    return ColumnType(" ".join(name), tuple(numbers), unsigned, array)


def loses(old: ColumnType, new: ColumnType, dialect: str) -> bool | None:
    """Whether a value of the old type may not come back from the new; None if that is not told."""
    if old == new:
        return False
    if old.array or new.array:
        return None
    for rule in (_integers, _decimals, _floats, _texts, _bytes, _times):
        told = rule(old, new, dialect)
        if told is not None:
            return told
    if _characters(new, dialect) == inf:
        return False
    if (old.name, new.name) == ("JSON", "JSONB"):
        return True
    return None


def _integers(old: ColumnType, new: ColumnType, dialect: str) -> bool | None:
    had, has = _INTEGERS.get(old.name), _INTEGERS.get(new.name)
    if had is None:
        return None
    if has is None:
        digits = _digits(new, dialect)
        if digits is not None:
            return digits[0] < len(str(2 ** (8 * had)))
        if new.name in _FLOATS:
            return had >= _FLOATS[new.name]
        return None
    return has < had or (old.unsigned != new.unsigned and (has == had or new.unsigned))


def _digits(of: ColumnType, dialect: str) -> tuple[float, float] | None:
    """Digits before and behind the point."""
    if of.name not in ("DECIMAL", "NUMERIC", "DEC"):
        return None
    if not of.numbers:
        return (inf, inf) if dialect == "postgres" else (10, 0)
    whole, places = (*of.numbers, 0)[:2]
    return whole - places, places


def _decimals(old: ColumnType, new: ColumnType, dialect: str) -> bool | None:
    had, has = _digits(old, dialect), _digits(new, dialect)
    if had is None:
        return None
    if has is not None:
        return has[0] < had[0] or has[1] < had[1]
    return True if new.name in _FLOATS or new.name in _INTEGERS else None


def _floats(old: ColumnType, new: ColumnType, dialect: str) -> bool | None:
    had, has = _FLOATS.get(old.name), _FLOATS.get(new.name)
    if had is None:
        return None
    if has is None:
        return True if new.name in _INTEGERS or _digits(new, dialect) else None
    return has < had


def _characters(of: ColumnType, dialect: str) -> float | None:
    if of.name == "TEXT":
        return inf if dialect == "postgres" else 65_535
    if of.name in _TEXTS:
        return _TEXTS[of.name]
    if of.name not in _LIMITED:
        return None
    endless = inf if of.name not in _PADDED and dialect == "postgres" else 1
    return of.numbers[0] if of.numbers else endless


def _texts(old: ColumnType, new: ColumnType, dialect: str) -> bool | None:
    had, has = _characters(old, dialect), _characters(new, dialect)
    if had is None:
        return None
    if has is None:
        return None
    return has < had or (new.name in _PADDED and old.name not in _PADDED)


def _bytes(old: ColumnType, new: ColumnType, _dialect: str) -> bool | None:
    had, has = _BYTES.get(old.name), _BYTES.get(new.name)
    return None if had is None or has is None else has < had


def _times(old: ColumnType, new: ColumnType, _dialect: str) -> bool | None:
    had, has = _TIMES.get(old.name), _TIMES.get(new.name)
    if had is None or has is None:
        return None
    if had == has:
        return (*new.numbers, 6)[0] < (*old.numbers, 6)[0] if new.numbers else False
    return had != "date"

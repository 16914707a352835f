"""Values that are seldom and that migrations trip over, made of a row's usual value.

Each text is SQL of ``{u}`` (the row's usual value), ``{p}`` (that of the row before) and ``{i}``
(the row's number), alike in all engines but for the words of a :class:`Dialect`. None of them
breaks a key: what a column's key would take for equal is never made of another row's value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.engines.value_formulas import Dialect, words_of
from harness.ports.table_specs import BEFORE, INDEX, USUAL, Keyed, Variants

ACCENTS = {"a": "á", "e": "é", "o": "ø", "A": "Á"}
CAPITALS = "ÀÉ"
FOREIGN = ("漢字", "Ж", "Ω", "ł", "ß")
"""The first that a character set has."""
LONG = 300
"""Characters of a long text where nothing limits it."""
REFERENCE = re.compile(r"(^|_)(id|fk)$")
"""Numbers of this name mean a row of some table, declared or not, so they stay usual."""

DAYS = ("2024-02-29", "2023-12-31", "2024-01-31", "1969-12-31", "2023-04-30", "1899-12-31")
CLOCKS = (
    "2024-02-29 23:59:59", "2023-12-31 23:59:59", "2024-03-31 02:30:00", "1969-12-31 23:59:59",
    "2024-10-27 02:30:00", "2024-03-10 02:30:00", "2024-01-31 00:00:00", "1901-12-13 20:45:51",
)  # fmt: skip
"""The end of a month, of a year, of February; hours that are not there, or there twice, in Europe
and America; before 1970 and before what 32 bits can count."""


@dataclass(frozen=True)
class TextColumn:
    """What decides which texts a column can hold, and which its key tells apart.

    ``limit`` are the characters that its key sees, ``length`` those that fit; None: no end.
    ``codec`` is Python's name of its character set, or ``bmp``; "" if it has none but ASCII.
    """

    name: str
    limit: int | None
    length: int | None
    codec: str
    keyed: Keyed = Keyed.NOT
    tells_case: bool = True
    tells_blanks: bool = True
    padded: bool = False
    """Of a fixed length: blanks at its end are not kept."""


def can_write(codec: str, text: str) -> bool:
    """Whether a character set has these letters."""
    if codec == "bmp":
        return all(ord(letter) < 0x10000 for letter in text)
    try:
        text.encode(codec or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def texts(dialect: Dialect, column: TextColumn) -> Variants:
    """Capitals, blanks at either end, letters beyond ASCII, lengths, "", and near-duplicates."""
    mail = re.search(r"(^|_)e?mail(_|$)", words_of(column.name)) is not None
    swapped = _swapped(dialect, USUAL)
    odd = [
        swapped,
        f"concat(upper(substr({USUAL}, 1, 1)), lower(substr({USUAL}, 2)))",
        _if_fits(f"concat(' ', {USUAL})", column.limit),
    ]
    if not column.padded:
        odd.append(_if_fits(f"concat({USUAL}, ' ')", column.length))
    odd += _beyond_ascii(dialect, column)
    if (full := _full(column, mail)) is not None:
        odd.append(full)
    if mail:
        odd += [_if_short(f"concat('b', {INDEX}, '@x.io')", column.limit, 18)]
    if column.keyed is Keyed.NOT:
        odd += ["''", _if_fits(f"concat(' ', {swapped})", column.length)]
        odd.append(
            _if_short(f"concat('c', {INDEX}, '@y.eu')", column.limit, 18)
            if mail
            else _if_short(f"concat(substr({USUAL}, 1, 1), {INDEX})", column.limit, 6)
        )
    return Variants(tuple(odd), _near(dialect, column))


def _near(dialect: Dialect, column: TextColumn) -> tuple[str, ...]:
    """Of the row before, but for case or blanks; only what the column's key lets in."""
    free = column.keyed is Keyed.NOT
    if column.keyed is Keyed.PARTLY:
        return ()
    near = [_if_fits(f"concat(' ', {BEFORE})", column.limit)]
    if free or column.tells_case:
        differs = [dialect.differs(f"{word}({BEFORE})", BEFORE) for word in ("upper", "lower")]
        near.append(
            f"CASE WHEN {differs[0]} THEN upper({BEFORE}) "
            f"WHEN {differs[1]} THEN lower({BEFORE}) ELSE {USUAL} END"
        )
    if not column.padded and (free or column.tells_blanks):
        near.append(_if_fits(f"concat({BEFORE}, ' ')", column.length, of=BEFORE))
    return tuple(near)


def _swapped(dialect: Dialect, text: str) -> str:
    differs = dialect.differs(f"upper({text})", text)
    return f"CASE WHEN {differs} THEN upper({text}) ELSE lower({text}) END"


def _if_fits(sql: str, limit: int | None, more: int = 1, of: str = USUAL) -> str:
    of = BEFORE if BEFORE in sql else of
    if limit is None:
        return sql
    return f"CASE WHEN char_length({of}) <= {limit - more} THEN {sql} ELSE {USUAL} END"


def _if_short(sql: str, limit: int | None, size: int) -> str:
    return sql if limit is None or limit >= size else USUAL


def _full(column: TextColumn, mail: bool) -> str | None:
    """As long as fits; an address is lengthened in front, for its end must stay as it is."""
    size = column.length if column.length and column.length <= 4000 else LONG
    whole = column.limit is None or column.limit >= min(column.length or LONG, 4000)
    in_front = mail and whole
    return f"{'lpad' if in_front else 'rpad'}({USUAL}, {size}, 'x')" if size > 1 else None


def _beyond_ascii(dialect: Dialect, column: TextColumn) -> list[str]:
    """By replacing vowels, and by letters in front; both keep apart what was apart."""
    found, accented = [], USUAL
    for letter, other in ACCENTS.items():
        if can_write(column.codec, other):
            accented = f"replace({accented}, '{letter}', '{other}')"
    if accented != USUAL:
        found.append(accented)
    foreign = next((text for text in FOREIGN if can_write(column.codec, text)), "")
    for letters in (CAPITALS, foreign):
        if letters and can_write(column.codec, letters):
            sql = f"concat({dialect.quote(letters)}, {USUAL})"
            found.append(_if_fits(sql, column.limit, len(letters)))
    if column.limit == 1 and column.keyed is Keyed.NOT and can_write(column.codec, CAPITALS):
        found = [dialect.quote(CAPITALS[-1])]
    return found


def numbers(name: str, keyed: Keyed, large: Decimal, least: Decimal, scale: int) -> Variants:
    """Zero, one, the usual value below zero, a large one, a fraction as small as can be."""
    if keyed is not Keyed.NOT or REFERENCE.search(words_of(name)):
        return Variants()
    found = ["0", f"{min(Decimal(1), large):f}", f"{large:f}"]
    if least < 0:
        found += [f"-({USUAL})", f"{max(Decimal(-1), least):f}"]
    if scale > 0:
        found.append(f"{Decimal(1).scaleb(-scale):f}")
    return Variants(tuple(found))


def large(precision: int, scale: int) -> Decimal:
    """A tenth of the largest number of so many digits; the largest where all are decimals."""
    if precision > scale:
        return Decimal(10) ** (precision - scale - 1)
    return (Decimal(10**precision) - 1).scaleb(-scale)


def fixed(keyed: Keyed, values: Sequence[str]) -> Variants:
    """These values, as SQL, unless the column is part of a key."""
    return Variants(tuple(values)) if keyed is Keyed.NOT else Variants()

"""Values that a column may be tried with; every engine's SQL is the same here but for two words.

The first formula is the likeliest. ``literals`` are the constants of the conditions on the
column: bounds, members of a list, patterns.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from harness.ports.table_specs import Formula

NUMBER = re.compile(r"-?\d+(\.\d+)?")
WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven",
    "indigo", "jasper", "lotus", "maple", "north", "ocean", "pearl", "quartz",
)  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST = 4000
FIRST_DAY, EARLY_DAY, LATE_DAY = "2021-01-01", "1990-01-01", "2036-01-01"


@dataclass(frozen=True)
class Dialect:
    """The words in which dialects differ: the k-th of several texts, whole division, a literal,
    32 hexadecimal digits of a text, and whether two texts differ in any letter."""

    pick: Callable[[str, Sequence[str]], str]
    quotient: Callable[[str, int], str]
    quote: Callable[[str], str]
    digest: str
    differs: Callable[[str, str], str]


def words_of(name: str) -> str:
    """A name's words in small letters with ``_`` between: ``userEmail`` is ``user_email``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def decimals(literals: Collection[str]) -> list[Decimal]:
    """The numbers among the literals, ascending."""
    return sorted({Decimal(text) for text in literals if NUMBER.fullmatch(text)})


def spans(points: Sequence[Decimal]) -> list[tuple[Decimal, Decimal]]:
    """The widest span between the points, then the neighbours."""
    if len(points) < 2:
        return []
    return [
        (points[0], points[-1]),
        *((a, b) for a, b in itertools.pairwise(points) if len(points) > 2),
    ]


def numbers(
    literals: Collection[str], scale: int, lowest: Decimal, highest: Decimal
) -> list[Formula]:
    """Between, above, at and below the constants; in steps of the last decimal place."""
    step = Decimal(1).scaleb(-scale)
    points = [p for p in decimals(literals) if lowest <= p <= highest]
    found = [_between(a + edge, b - edge, step) for a, b in spans(points) for edge in (0, step)]
    for point in reversed(points):
        found += [_between(point, highest, step), _between(point + step, highest, step)]
    for point in points:
        found += [_below(point, lowest, step), _below(point - step, lowest, step)]
    found += [Formula(f"{point:f}", 1) for point in [*points, Decimal(0), Decimal(1), Decimal(-1)]]
    found += [_below(Decimal(-1), lowest, step), _between(Decimal(1_000_000), highest, step)]
    return [formula for formula in found if formula.capacity != 0]


def _between(low: Decimal, high: Decimal, step: Decimal) -> Formula:
    count = max(0, int((high - low) / step) + 1)
    scaled = "" if step == 1 else f" * {step:f}"
    return Formula(f"({low:f} + ({{i}} % {max(count, 1)}){scaled})", count)


def _below(high: Decimal, low: Decimal, step: Decimal) -> Formula:
    count = max(0, int((high - low) / step) + 1)
    scaled = "" if step == 1 else f" * {step:f}"
    return Formula(f"({high:f} - ({{i}} % {max(count, 1)}){scaled})", count)


def moments(
    literals: Collection[str], at: Callable[[str], Formula], unit: timedelta
) -> list[Formula]:
    """Between, from and before the constants; ``at`` counts on from a moment by that unit."""
    points = sorted({p.replace(tzinfo=None) for p in map(_moment, literals) if p})
    found = []
    pairs = [*itertools.pairwise(points), *([(points[0], points[-1])] if points else [])]
    for start, end in pairs:
        if (count := (end - start) // unit) > 0:
            inside = at(f"{start}").sql.replace("{i}", f"({{i}} % {count})")
            found.append(Formula(inside, count))
    found += [at(f"{point}") for point in reversed(points)]
    found += [at(f"{point - unit * 100_000}") for point in points[:1]]
    return [*found, at(EARLY_DAY), at(LATE_DAY), *(Formula(at(f"{p}").at("0"), 1) for p in points)]


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def texts(
    dialect: Dialect, name: str, limit: int | None, literals: Collection[str] = ()
) -> Iterator[Formula]:
    """By the column's name and length first; then the literals, usual formats, and lengths."""
    limit = limit or LONGEST
    yield from (f for f in (_by_name(dialect, name, limit), _plain(dialect, limit)) if f)
    words = [text for text in literals if len(text) <= limit and "%" not in text]
    yield from (_filled_in(dialect, text) for text in literals if "%" in text or "_" in text)
    if len(words) > 1:
        yield Formula(dialect.pick("{i}", words), len(words))
    yield from (Formula(dialect.quote(text), 1) for text in words)
    yield from _formats(dialect, limit)
    yield from (
        _sized(dialect, size)
        for number in decimals(literals)
        for size in (int(number), int(number) + 1, int(number) - 1)
        if 0 < size <= limit
    )
    if literals:
        yield Formula("''", 1)


def _word(dialect: Dialect, index: str = "{i}") -> str:
    return dialect.pick(index, WORDS)


def _plain(dialect: Dialect, limit: int) -> Formula:
    if limit <= 3:
        return letters(dialect, limit)
    if limit < 12:
        return Formula(f"concat('a', {{i}} % {10 ** (limit - 1)})", 10 ** (limit - 1))
    if limit < 40:
        return Formula(f"concat({_word(dialect)}, ' ', {{i}})")
    return Formula(f"concat({_word(dialect)}, ' ', {_word(dialect, '{i} * 5 + 3')}, ' ', {{i}})")


def letters(dialect: Dialect, length: int) -> Formula:
    """Capitals only: AAA, AAB … so that a collation that ignores case tells them apart."""
    parts = [
        f"substr('{LETTERS}', {dialect.quotient('{i}', 26**place)} % 26 + 1, 1)"
        for place in reversed(range(length))
    ]
    return Formula(f"concat({', '.join(parts)})", 26**length)


BY_NAME = (
    (r"e?mail", 30, "concat({word}, '.', {i}, '@example.org')"),
    (r"ur[il]|website|link|href", 40, "concat('https://example.org/', {word}, '/', {i})"),
    (r"slug|handle|username|login|key|code|token", 16, "concat({word}, '-', {i})"),
    (r"phone|mobile|fax", 16, "concat('+1555', lpad(concat({i}), 7, '0'))"),
    (r"hash|digest|checksum|password", 32, "{digest}"),
    (r"body|content|description|comment|notes?|text|message|summary|bio", 200, "{prose}"),
)


def _by_name(dialect: Dialect, name: str, limit: int) -> Formula | None:
    word = _word(dialect)
    prose = ", ' ', ".join(_word(dialect, f"{{i}} * {k} + {k}") for k in (1, 3, 5, 7, 11))
    for pattern, least, sql in BY_NAME:
        if limit >= least and re.search(rf"(^|_)({pattern})(_|$)", words_of(name)):
            prose_sql = f"concat({prose}, ', ', substr({dialect.quote('so it goes on. ' * 9)}, 1, "
            prose_sql += "{i} * 7 % 100), {i})"
            return Formula(
                sql.replace("{word}", word)
                .replace("{prose}", prose_sql)
                .replace("{digest}", dialect.digest)
            )
    return None


def _formats(dialect: Dialect, limit: int) -> list[Formula]:
    """What conditions on texts are usually about."""
    word, digits = _word(dialect), "lpad(concat({i}), 6, '0')"
    md5 = dialect.digest
    dashed = ", '-', ".join(
        f"substr({md5}, {start}, {size})"
        for start, size in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    )
    known = (
        (30, f"concat({word}, '.', {{i}}, '@example.org')"),
        (20, f"concat({word}, '-', {{i}})"),
        (16, f"concat({word}, {{i}})"),
        (16, f"concat(upper({word}), '_', {{i}})"),
        (40, f"concat('https://example.org/', {word}, '/', {{i}})"),
        (12, "concat('+1555', lpad(concat({i}), 7, '0'))"),
        (36, f"concat({dashed})"),
        (32, md5),
        (7, f"concat('#', {digits})"),
        (10, "concat({i} % 9 + 1, '.', {i}, '.0')"),
        (14, "concat('10.0.', {i} % 250, '.', {i} % 200 + 1)"),
        (20, f"concat('/', {word}, '/', {{i}})"),
        (20, "concat('{\"id\": ', {i}, '}')"),
        (10, "'2021-01-01'"),
        (5, "'12:30'"),
    )
    fixed = [Formula(sql, None if "{i}" in sql else 1) for size, sql in known if size <= limit]
    fixed += [_digits(size) for size in (1, 2, 3, 4, 5, 6, 8, 10, 11, 13, 16) if size <= limit]
    upper = [letters(dialect, size) for size in (1, 2, 3, 4, 5) if size <= limit]
    lower = [Formula(f"lower({f.sql})", f.capacity) for f in upper]
    pair = letters(dialect, 2).sql
    tagged = [Formula(f"concat(lower({pair}), '-', {pair})", 676)] if limit >= 5 else []
    return [*fixed, *upper, *lower, *tagged]


def _digits(size: int) -> Formula:
    return Formula(f"lpad(concat({{i}} % {10**size}), {size}, '1')", 9 * 10 ** (size - 1))


def _sized(dialect: Dialect, size: int) -> Formula:
    if size <= 4:
        return letters(dialect, size)
    count = 10 ** min(size - 2, 9)
    return Formula(f"lpad(concat('a', {{i}} % {count}), {size}, '{LETTERS.lower()}')", count)


def _filled_in(dialect: Dialect, pattern: str) -> Formula:
    """A LIKE pattern with its first gap filled by the row's number and others by a letter."""
    head, gap, tail = pattern.replace("_", "a").partition("%")
    number = "{i}" if gap else "''"
    return Formula(
        f"concat({dialect.quote(head)}, 'a', {number}, {dialect.quote(tail.replace('%', 'a'))})",
        None if gap else 1,
    )

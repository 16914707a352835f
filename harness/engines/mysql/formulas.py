"""Values of every common type of MySQL and MariaDB, as SQL of a row's number."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from harness.engines import documents, value_formulas
from harness.engines.mysql import quoting
from harness.ports.table_specs import Formula


@dataclass(frozen=True)
class Kind:
    """A column's type: ``name`` as in DATA_TYPE, ``sql`` as in COLUMN_TYPE.

    ``limit`` is the length in characters or bytes, or of the prefix that a key is made of.
    """

    name: str
    sql: str
    column: str = ""
    limit: int | None = None
    precision: int = 10
    scale: int = 0
    srid: int = 0
    length: int | None = None
    """In characters or bytes, whatever a key sees of it."""
    codec: str = "utf-8"
    """Python's name of its character set."""
    collation: str = ""
    paths: tuple[documents.Path, ...] = ()
    """Members of its documents that something reads."""


def pick(index: str, options: Sequence[str]) -> str:
    """The options in turn, from the first."""
    listed = ", ".join(quoting.value(str(option)) for option in options)
    return f"ELT(({index}) % {len(options)} + 1, {listed})"


def quotient(index: str, by: int) -> str:
    """Whole division."""
    return f"(({index}) DIV {by})"


def differs(one: str, other: str) -> str:
    """Whether two texts differ in any letter, whatever the collation says."""
    return f"hex({one}) <> hex({other})"


def _object(members: Mapping[str, str]) -> str:
    told = ", ".join(f"{quoting.value(key)}, {value}" for key, value in members.items())
    return f"json_object({told})"


def _array(values: Sequence[str]) -> str:
    return f"json_array({', '.join(values)})"


DIGEST = "left(sha2({i}, 256), 32)"
"""Not md5(), which newer versions of MySQL lack."""

DIALECT = value_formulas.Dialect(pick, quotient, quoting.value, DIGEST, differs)
DOCUMENTS = documents.Words(
    _object, _array, "json_extract(if({i} % 2 = 0, 'true', 'false'), '$')", DIALECT
)

BYTES = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
TEXTS = {
    "char": None,
    "varchar": None,
    "tinytext": 255,
    "text": None,
    "mediumtext": None,
    "longtext": None,
}
BINARIES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
SHAPES = {
    "geometry": "POINT({x} {y})",
    "point": "POINT({x} {y})",
    "linestring": "LINESTRING({x} {y}, {x} 1)",
    "polygon": "POLYGON(({x} {y}, {x} 1, 1 1, {x} {y}))",
    "multipoint": "MULTIPOINT({x} {y}, 1 1)",
    "multilinestring": "MULTILINESTRING(({x} {y}, {x} 1))",
    "multipolygon": "MULTIPOLYGON((({x} {y}, {x} 1, 1 1, {x} {y})))",
    "geometrycollection": "GEOMETRYCOLLECTION(POINT({x} {y}))",
    "geomcollection": "GEOMETRYCOLLECTION(POINT({x} {y}))",
}
MEMBER = re.compile(r"'((?:[^']|'')*)'")
LAST_DAY = "2037-01-01"
"""A timestamp ends in January 2038."""

NET = "inet_ntoa(167772161 + {i})"
DASHED = "concat(lpad(hex({i}), 8, '0'), '-0000-4000-8000-', lpad(hex({i} * 7919 + 11), 12, '0'))"
SIMPLE = {
    "float": ("{i} + 0.5", None),
    "double": ("{i} + 0.5", None),
    "json": ("json_object('id', {i}, 'tags', json_array('a', {i} % 7))", None),
    "year": ("2000 + {i} % 100", 100),
    "time": ("sec_to_time({i} % 86400)", 86400),
    "uuid": (DASHED, None),
    "inet4": (NET, None),
    "inet6": (f"concat('::ffff:', {NET})", None),
    "vector": ("string_to_vector('[1]')", 1),
}
ANY = ("concat({i})", "concat('a', {i})", "{i}", "'1'", "''")


def formulas(kind: Kind, literals: Collection[str] = ()) -> list[Formula]:
    """What to try in such a column, the likeliest first."""
    return list(_each(kind, literals))


def likeliest(kind: Kind) -> Formula:
    """The first of :func:`formulas`, without the labour of the others."""
    return next(iter(_each(kind, ())))


def _each(kind: Kind, literals: Collection[str]) -> Iterable[Formula]:
    if kind.name in ("enum", "set"):
        return _members(kind, literals)
    if kind.name in TEXTS:
        return value_formulas.texts(DIALECT, kind.column, kind.limit or TEXTS[kind.name], literals)
    if kind.name in BYTES:
        return _whole(kind, literals)
    if kind.name == "decimal":
        return _decimals(kind, literals)
    if kind.name in ("date", "datetime", "timestamp"):
        return _moments(kind.name, literals)
    if kind.name in BINARIES:
        return _bytes(kind)
    if kind.name in SHAPES:
        return [_shape(kind)]
    if kind.name == "bit":
        count = 2 ** min(kind.precision, 31)
        return [Formula(f"{{i}} % {count}", count), Formula("0", 1), Formula("1", 1)]
    if kind.name not in SIMPLE:
        return [Formula(sql, None if "{i}" in sql else 1) for sql in ANY]
    sql, capacity = SIMPLE[kind.name]
    found = [Formula(sql, capacity)]
    if kind.name in ("float", "double"):
        found += value_formulas.numbers(literals, 3, Decimal(-(10**9)), Decimal(10**9))
    elif kind.name == "year":
        found += value_formulas.numbers(literals, 0, Decimal(1901), Decimal(2155))
    elif kind.name == "json":
        asked = documents.formulas(DOCUMENTS, kind.paths, literals)
        found = [*asked, *found, *_documents(literals)]
    elif kind.name == "time":
        found += [Formula(quoting.value(text), 1) for text in literals]
    return found


def labels(kind: Kind) -> list[str]:
    """The members of an enum or a set."""
    return [text.replace("''", "'") for text in MEMBER.findall(kind.sql)]


def _members(kind: Kind, literals: Collection[str]) -> list[Formula]:
    every = labels(kind)
    chosen = [text for text in every if text in literals]
    lists = [every, *([chosen] if chosen else []), *([label] for label in every)]
    return [Formula(pick("{i}", options), len(options)) for options in lists]


def _whole(kind: Kind, literals: Collection[str]) -> list[Formula]:
    unsigned = "unsigned" in kind.sql
    most = 2 ** (8 * BYTES[kind.name] - (0 if unsigned else 1)) - 1
    first = Formula(f"({{i}} % {most}) + 1", most)
    if kind.sql.startswith("tinyint(1)"):
        first = Formula("{i} % 2", 2)
    least = Decimal(0) if unsigned else Decimal(-most)
    return [first, *value_formulas.numbers(literals, 0, least, Decimal(min(most, 2**63 - 1)))]


def _decimals(kind: Kind, literals: Collection[str]) -> list[Formula]:
    most = Decimal(10**kind.precision - 1).scaleb(-kind.scale)
    count = min(10**kind.precision - 1, 2**62)
    step = Decimal(1).scaleb(-kind.scale)
    least = Decimal(0) if "unsigned" in kind.sql else -most
    return [
        Formula(f"(({{i}} % {count}) + 1) * {step:f}", count),
        *value_formulas.numbers(literals, kind.scale, least, most),
    ]


def _moments(name: str, literals: Collection[str]) -> list[Formula]:
    """A timestamp stays within its years; the session's time zone has no gap at these hours."""
    if name == "date":

        def day(start: str) -> Formula:
            return Formula(f"(date '{start[:10]}' + INTERVAL {{i}} DAY)")

        return [
            day(value_formulas.FIRST_DAY),
            *value_formulas.moments(literals, day, timedelta(days=1)),
        ]

    def at(start: str) -> Formula:
        start = min(start, LAST_DAY) if name == "timestamp" else start
        clock = start if len(start) > 10 else f"{start} 00:00:00"
        cap = 60_000 if name == "timestamp" else None
        index = f"({{i}} % {cap})" if cap else "{i}"
        return Formula(f"(timestamp '{clock}' + INTERVAL ({index} * 61) MINUTE)", cap)

    return [
        at(value_formulas.FIRST_DAY),
        *value_formulas.moments(literals, at, timedelta(minutes=61)),
    ]


def _bytes(kind: Kind) -> list[Formula]:
    size = kind.limit or 16
    if size >= 16:
        return [Formula(f"unhex({DIGEST})"), Formula("'a'", 1)]
    return [Formula(f"unhex(lpad(hex({{i}} % {256**size}), {2 * size}, '0'))", 256**size)]


def _shape(kind: Kind) -> Formula:
    text = SHAPES[kind.name].replace("{x}", "', {i} % 80 + 2, '").replace("{y}", "', {i} % 70, '")
    at = f", {kind.srid}" if kind.srid else ""
    return Formula(f"ST_GeomFromText(concat('{text}'){at})", 560)


def _documents(literals: Collection[str]) -> list[Formula]:
    keys = sorted(
        {text.removeprefix("$.") for text in literals if text[:1].isalpha() or "$." in text}
    )
    named = [
        Formula(f"json_object({', '.join(f'{quoting.value(key)}, {value}' for key in keys)})")
        for value in ("{i}", "concat('a', {i})")
        if keys
    ]
    fixed = ("json_array({i})", "json_quote(concat('a', {i}))", "json_object()", "json_array()")
    return [*named, *(Formula(sql, None if "{i}" in sql else 1) for sql in fixed)]

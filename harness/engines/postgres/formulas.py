"""Values of every common type of PostgreSQL, as SQL of a row's number."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from harness.engines import documents, value_formulas
from harness.engines.postgres import quoting
from harness.ports.table_specs import Formula


@dataclass(frozen=True)
class Kind:
    """A type with its modifier, domains already resolved to what they are made of."""

    name: str
    """As in pg_type: ``int4``, ``varchar``."""
    sql: str
    """To cast to, with the modifier: ``character varying(20)``."""
    family: str
    """pg_type.typtype: b, e, r, m, c; ``a`` for an array."""
    modifier: int = -1
    column: str = ""
    limit: int | None = None
    labels: tuple[str, ...] = ()
    parts: tuple[Kind, ...] = ()
    """The element of an array, the subtype of a range, a multirange's range, a row's fields."""
    codec: str = "utf-8"
    """Python's name of the database's encoding."""
    exact: bool = True
    """Its collation tells apart whatever differs in a byte."""
    paths: tuple[documents.Path, ...] = ()
    """Members of its documents that something reads."""

    def precision(self) -> tuple[int, int]:
        """Digits of a ``numeric``, and how many of them are decimals."""
        scale = (self.modifier - 4) & 0x7FF
        return ((self.modifier - 4) >> 16) & 0xFFFF, scale - (2048 if scale > 1023 else 0)


def pick(index: str, options: Sequence[str]) -> str:
    """The options in turn, from the first."""
    at = f"({index}) % {len(options)} + 1"
    if not any("|" in option for option in options):
        return f"split_part({quoting.value('|'.join(options))}, '|', ({at})::int)"
    listed = ", ".join(quoting.value(option) for option in options)
    return f"(ARRAY[{listed}])[{at}]"


def quotient(index: str, by: int) -> str:
    """Whole division."""
    return f"(({index}) / {by})"


def differs(one: str, other: str) -> str:
    """Whether two texts differ in any letter, whatever the collation says."""
    return f'({one}) COLLATE "C" <> ({other}) COLLATE "C"'


def _object(members: Mapping[str, str]) -> str:
    told = ", ".join(f"{quoting.value(key)}, {value}" for key, value in members.items())
    return f"json_build_object({told})"


def _array(values: Sequence[str]) -> str:
    return f"json_build_array({', '.join(values)})"


DIGEST = "md5(concat({i}))"
DIALECT = value_formulas.Dialect(pick, quotient, quoting.value, DIGEST, differs)
DOCUMENTS = documents.Words(_object, _array, "{i} % 2 = 0", DIALECT)

WHOLE = {"int2": 32767, "int4": 2**31 - 1, "int8": 2**63 - 1}
TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})
SIMPLE = {
    "bool": ("{i} % 2 = 0", 2),
    "uuid": (DIGEST, None),
    "bytea": ("decode(md5(concat({i})), 'hex')", None),
    "json": ("json_build_object('id', {i}, 'tags', json_build_array('a', {i} % 7))", None),
    "jsonb": ("jsonb_build_object('id', {i}, 'tags', jsonb_build_array('a', {i} % 7))", None),
    "inet": ("inet '10.0.0.1' + {i}", None),
    "cidr": ("inet '10.0.0.1' + {i}", None),
    "macaddr": ("lpad(to_hex({i}), 12, '0')", None),
    "macaddr8": ("lpad(to_hex({i}), 16, '0')", None),
    "money": ("({i} + 1)::numeric", None),
    "float4": ("{i} + 0.5", None),
    "float8": ("{i} + 0.5", None),
    "oid": ("{i} + 1", None),
    "interval": ("interval '1 minute' * ({i} + 1)", None),
    "time": ("time '00:00' + interval '1 second' * ({i} % 86400)", 86400),
    "timetz": ("timetz '00:00+00' + interval '1 second' * ({i} % 86400)", 86400),
    "char": ("chr(97 + {i} % 26)", 26),
    "xml": ("concat('<item id=\"', {i}, '\"/>')", None),
    "tsvector": ("to_tsvector('simple', concat('word', {i}, ' of text'))", None),
    "tsquery": ("to_tsquery('simple', concat('word', {i}))", None),
    "point": ("point({i}, {i} + 1)", None),
    "line": ("line(point({i}, 0), point({i}, 1))", None),
    "lseg": ("lseg(point({i}, 0), point({i}, 1))", None),
    "box": ("box(point({i}, 0), point({i} + 0.5, 1))", None),
    "path": ("path(polygon(box(point({i}, 0), point({i} + 0.5, 1))))", None),
    "polygon": ("polygon(box(point({i}, 0), point({i} + 0.5, 1)))", None),
    "circle": ("circle(point({i}, 0), 0.25)", None),
    "pg_lsn": ("pg_lsn '0/0' + ({i})::numeric", None),
    "jsonpath": ("concat('$.a', {i})", None),
    "hstore": ("concat('id=>', {i})", None),
    "ltree": ("concat('top.item', {i})", None),
    "geometry": ("concat('POINT(', {i} % 170, ' ', {i} % 80, ')')", 170),
    "geography": ("concat('POINT(', {i} % 170, ' ', {i} % 80, ')')", 170),
}
ANY = ("{i}", "concat({i})", "concat('a', {i})", "'{}'", "'1'", "'[1,2,3]'", "'(1,2)'", "''")


def formulas(kind: Kind, literals: Collection[str] = ()) -> list[Formula]:
    """What to try in such a column, the likeliest first; each is cast to the column's type."""
    return [_cast(formula, kind) for formula in _bare(kind, literals)]


def likeliest(kind: Kind) -> Formula:
    """The first of :func:`formulas`, without the labour of the others."""
    return _cast(next(iter(_bare(kind, ()))), kind)


def _cast(formula: Formula, kind: Kind) -> Formula:
    return Formula(f"({formula.sql})::{kind.sql}", formula.capacity)


def _bare(kind: Kind, literals: Collection[str]) -> Iterable[Formula]:
    if kind.family == "e":
        members = [text for text in kind.labels if text in literals]
        lists = [kind.labels, *([members] if members else []), *([x] for x in kind.labels)]
        return [Formula(pick("{i}", labels), len(labels)) for labels in lists]
    if kind.family == "a":
        return _arrays(kind.parts[0], literals)
    if kind.family == "r":
        return _ranges(kind, literals)
    if kind.family == "m":
        inner = formulas(kind.parts[0], literals)
        return [replace(f, sql=f"{kind.sql}({f.sql})") for f in inner]
    if kind.family == "c":
        fields = [formulas(part)[0].sql for part in kind.parts]
        return [Formula(f"ROW({', '.join(fields)})")]
    if kind.name in TEXTS:
        written = documents.formulas(DOCUMENTS, kind.paths, literals)
        others = value_formulas.texts(DIALECT, kind.column, kind.limit, literals)
        return itertools.chain(written, others)
    if kind.name in WHOLE:
        most = WHOLE[kind.name]
        first = Formula(f"({{i}} % {most}) + 1", most)
        return itertools.chain(
            [first], value_formulas.numbers(literals, 0, Decimal(-most), Decimal(most))
        )
    return _special(kind, literals)


def _special(kind: Kind, literals: Collection[str]) -> list[Formula]:
    if kind.name == "numeric":
        return _numerics(kind, literals)
    if kind.name in ("bit", "varbit"):
        size = kind.modifier if kind.modifier > 0 else (1 if kind.name == "bit" else 32)
        return [Formula(f"({{i}})::bit({size})", 2 ** min(size, 31))]
    if kind.name == "date":
        return _moments("date", "integer '1'", timedelta(days=1), literals)
    if kind.name in ("timestamp", "timestamptz"):
        return _moments(kind.name, "interval '61 minutes'", timedelta(minutes=61), literals)
    if kind.name in ("vector", "halfvec"):
        size = max(kind.modifier, 3)
        return [Formula(f"array_fill((({{i}} % 97) + 0.5)::real, ARRAY[{size}])", 97)]
    if kind.name not in SIMPLE:
        return [Formula(sql, None if "{i}" in sql else 1) for sql in ANY]
    sql, capacity = SIMPLE[kind.name]
    found = [Formula(sql, capacity)]
    if kind.name == "bool":
        return [*found, Formula("true", 1), Formula("false", 1)]
    if kind.name.startswith("json"):
        asked = documents.formulas(DOCUMENTS, kind.paths, literals)
        return [*asked, *found, *_documents(literals)]
    if kind.name.startswith("float") or kind.name == "money":
        return [*found, *value_formulas.numbers(literals, 3, Decimal(-(10**9)), Decimal(10**9))]
    if kind.name in ("interval", "time", "timetz"):
        return [*found, *(Formula(quoting.value(text), 1) for text in literals)]
    return found


def _moments(name: str, unit_sql: str, unit: timedelta, literals: Collection[str]) -> list[Formula]:
    zone = "+00" if name == "timestamptz" else ""

    def at(start: str) -> Formula:
        return Formula(f"({name} '{start}{zone}' + {unit_sql} * {{i}})")

    return [at(value_formulas.FIRST_DAY), *value_formulas.moments(literals, at, unit)]


def _numerics(kind: Kind, literals: Collection[str]) -> list[Formula]:
    if kind.modifier < 0:
        most, scale = Decimal(10**15), 2
    else:
        digits, scale = kind.precision()
        most = Decimal(10**digits - 1).scaleb(-scale)
    step = Decimal(1).scaleb(-scale)
    count = max(1, int(most / step))
    return [
        Formula(f"(({{i}} % {count}) + 1) * {step:f}", count),
        *value_formulas.numbers(literals, scale, -most, most),
    ]


def _documents(literals: Collection[str]) -> list[Formula]:
    keys = sorted({text for text in literals if text and not text[0].isdigit()})
    told = ", ".join(f"{quoting.value(key)}, {{i}}" for key in keys)
    named = [Formula(f"json_build_object({told})")] if keys else []
    typed = ", ".join(f"{quoting.value(key)}, concat('a', {{i}})" for key in keys)
    named += [Formula(f"json_build_object({typed})")] if keys else []
    fixed = ("concat('[', {i}, ']')", "concat({i})", "concat('\"a', {i}, '\"')", "'{}'", "'[]'")
    return [*named, *(Formula(sql, None if "{i}" in sql else 1) for sql in fixed)]


def _arrays(element: Kind, literals: Collection[str]) -> list[Formula]:
    found = []
    for formula in formulas(element, literals)[:12]:
        one, two = formula.at("{i}"), formula.at("{i} + 1")
        found += [f"ARRAY[{one}, {two}]", f"ARRAY[{one}]", f"ARRAY[{one}, {two}, {one}]"]
    capacity = formulas(element)[0].capacity
    return [*(Formula(sql, capacity) for sql in found), Formula("'{}'", 1)]


def _ranges(kind: Kind, literals: Collection[str]) -> list[Formula]:
    """They do not overlap, as an exclusion constraint would have it."""
    return [
        Formula(f"{kind.sql}({f.at('{i} * 2')}, {f.at('{i} * 2 + 1')})", f.capacity)
        for f in formulas(kind.parts[0], literals)
        if f.capacity is None or f.capacity > 1000
    ]

"""Seldom values of PostgreSQL's types, as SQL of a row's usual value."""

from __future__ import annotations

from decimal import Decimal

from harness.engines import documents, value_variants
from harness.engines.postgres.formulas import DIALECT, DOCUMENTS, TEXTS, Kind
from harness.ports.table_specs import Keyed, Variants

LARGE = {"int2": 12_345, "int4": 1_000_000_000, "int8": 5_000_000_000}
"""Less than half of what fits, that sums and doubles still do; an int8 beyond an int4."""
ZONED = (
    "2024-02-29 23:59:59+00", "2024-01-31 23:30:00-08", "2024-03-31 01:00:00+00",
    "2023-12-31 23:59:59+14", "2024-10-27 00:30:00+00", "1969-12-31 23:59:59+00",
    "2024-03-10 07:00:00+00", "2024-11-03 01:30:00-05", "1901-12-13 20:45:51+00",
)  # fmt: skip
"""Another day or month in another zone; when clocks are set in Europe and America; before 1970."""
FIXED = {
    "date": tuple(f"date '{day}'" for day in value_variants.DAYS),
    "timestamp": tuple(f"timestamp '{clock}'" for clock in value_variants.CLOCKS),
    "timestamptz": tuple(f"timestamptz '{moment}'" for moment in ZONED),
    "time": ("time '00:00:00'", "time '23:59:59'"),
    "timetz": ("timetz '23:59:59-08'", "timetz '00:00:00+14'"),
    "interval": ("interval '-1 day'", "interval '1 month'", "interval '0'"),
    "money": ("0::money", "0.01::money", "(-1)::money", "1500000000::money"),
    "bytea": ("decode('', 'hex')", "decode('00ff', 'hex')"),
}


def variants(kind: Kind, keyed: Keyed) -> Variants:
    """What a column of this type seldom holds; of its very type where nothing else will do."""
    if kind.family == "a":
        return _cast(value_variants.fixed(keyed, ["'{}'", "ARRAY[NULL]"]), kind)
    if kind.family != "b":
        return Variants()
    if kind.name in ("json", "jsonb") or kind.paths:
        return _cast(documents.variants(DOCUMENTS, kind.paths, keyed), kind)
    if kind.name in TEXTS:
        return value_variants.texts(DIALECT, _text(kind, keyed))
    if kind.name in LARGE:
        large = Decimal(LARGE[kind.name])
        return value_variants.numbers(kind.column, keyed, large, -large, 0)
    if kind.name == "numeric":
        return _numerics(kind, keyed)
    if kind.name in ("float4", "float8"):
        large = Decimal(1_500_000_000)
        return value_variants.numbers(kind.column, keyed, large, -large, 2)
    return value_variants.fixed(keyed, FIXED.get(kind.name, ()))


def _cast(of: Variants, kind: Kind) -> Variants:
    odd, near = (tuple(f"({sql})::{kind.sql}" for sql in texts) for texts in (of.odd, of.near))
    return Variants(odd, near)


def _text(kind: Kind, keyed: Keyed) -> value_variants.TextColumn:
    """A ``name`` is cut at its 63rd byte."""
    fixed_length = kind.name == "bpchar"
    return value_variants.TextColumn(
        kind.column,
        kind.limit,
        kind.limit,
        "" if kind.name == "name" else kind.codec,
        keyed,
        tells_case=kind.exact and kind.name != "citext",
        tells_blanks=kind.exact,
        padded=fixed_length,
    )


def _numerics(kind: Kind, keyed: Keyed) -> Variants:
    if kind.modifier < 0:
        return value_variants.numbers(kind.column, keyed, Decimal(10**12), Decimal(-(10**12)), 6)
    precision, scale = kind.precision()
    large = value_variants.large(precision, scale)
    return value_variants.numbers(kind.column, keyed, large, -large, scale)

"""Seldom values of MySQL's and MariaDB's types, as SQL of a row's usual value."""

from __future__ import annotations

from decimal import Decimal

from harness.engines import documents, value_variants
from harness.engines.mysql import quoting
from harness.engines.mysql.formulas import BINARIES, BYTES, DIALECT, DOCUMENTS, TEXTS, Kind, labels
from harness.ports.table_specs import Keyed, Variants

LARGE = {1: 50, 2: 12_345, 3: 1_000_000, 4: 1_000_000_000, 8: 5_000_000_000}
"""By bytes; less than half of what fits, that sums and doubles still do."""
MOMENTS = (
    1709251199, 1706744700, 1711846800, 1704067199, 1729989000, 1710054000, 1730615400, 86400,
)  # fmt: skip
"""Seconds since 1970, as no session's zone can make them impossible: the end of February and of
January and of a year, when clocks are set in Europe and America, and the first days of all."""
FIXED = {
    "date": tuple(f"date '{day}'" for day in value_variants.DAYS),
    "datetime": tuple(f"timestamp '{clock}'" for clock in value_variants.CLOCKS),
    "timestamp": tuple(f"from_unixtime({moment})" for moment in MOMENTS),
    "time": ("time '00:00:00'", "time '23:59:59'", "time '-12:30:00'"),
    "year": ("1970", "2000", "1901", "2155"),
}


def variants(kind: Kind, keyed: Keyed) -> Variants:
    """What a column of this type seldom holds."""
    if kind.name == "json":
        return documents.variants(DOCUMENTS, kind.paths, keyed)
    if kind.name in TEXTS:
        return value_variants.texts(DIALECT, _text(kind, keyed))
    if kind.name in (*BYTES, "decimal", "float", "double"):
        return _numbers(kind, keyed)
    if kind.name in BINARIES:
        wide = (kind.length or 0) > 1
        return value_variants.fixed(keyed, ["''", "unhex('00ff')"] if wide else [])
    if kind.name == "set":
        return value_variants.fixed(keyed, ["''", quoting.value(",".join(labels(kind)[:64]))])
    return value_variants.fixed(keyed, FIXED.get(kind.name, ()))


def _text(kind: Kind, keyed: Keyed) -> value_variants.TextColumn:
    """Older collations take ``'a '`` for ``'a'``; the name of a collation tells."""
    collation = kind.collation
    return value_variants.TextColumn(
        kind.column,
        kind.limit or TEXTS[kind.name],
        kind.length or TEXTS[kind.name],
        kind.codec,
        keyed,
        tells_case="_ci" not in collation,
        tells_blanks="_0900_" in collation or "nopad" in collation or collation == "binary",
        padded=kind.name == "char",
    )


def _numbers(kind: Kind, keyed: Keyed) -> Variants:
    if kind.sql.startswith("tinyint(1)"):
        return Variants()
    if kind.name in BYTES:
        large, scale = Decimal(LARGE[BYTES[kind.name]]), 0
    elif kind.name == "decimal" or "(" in kind.sql:
        large, scale = value_variants.large(kind.precision, kind.scale), kind.scale
    else:
        large, scale = Decimal(1_500_000_000), 2
    least = Decimal(0) if "unsigned" in kind.sql else -large
    return value_variants.numbers(kind.column, keyed, large, least, scale)

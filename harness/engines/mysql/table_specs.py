"""What MySQL's catalogue says about the tables of the session's database, for making rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.engines import documents
from harness.engines.mysql import formulas as types
from harness.engines.mysql import json_paths, quoting
from harness.engines.mysql import variants as seldom
from harness.engines.mysql.connector import MySQLSession
from harness.engines.value_formulas import LONGEST
from harness.ports.table_specs import Check, ColumnSpec, Key, Link, TableSpec

TABLES = """
SELECT TABLE_NAME FROM information_schema.tables
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME
"""

COLUMNS = """
SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH,
       NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE, EXTRA, COLUMN_DEFAULT,
       COALESCE(GENERATION_EXPRESSION, ''), {srid}, CHARACTER_SET_NAME, COLLATION_NAME
FROM information_schema.columns WHERE TABLE_SCHEMA = DATABASE()
ORDER BY TABLE_NAME, ORDINAL_POSITION
"""

KEYS = """
SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, {expression}, NON_UNIQUE
FROM information_schema.statistics
WHERE TABLE_SCHEMA = DATABASE() AND (NOT NON_UNIQUE OR {expression} IS NOT NULL)
ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX
"""
"""The unique ones, and what any other computes."""

LINKS = """
SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA = DATABASE(),
       REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
FROM information_schema.key_column_usage
WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
"""

CHECKS = """
SELECT t.TABLE_NAME, c.CHECK_CLAUSE FROM information_schema.check_constraints c
JOIN information_schema.table_constraints t USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME)
WHERE c.CONSTRAINT_SCHEMA = DATABASE() AND t.CONSTRAINT_TYPE = 'CHECK'
ORDER BY t.TABLE_NAME, CONSTRAINT_NAME
"""

SRID, EXPRESSION = "SRS_ID", "EXPRESSION"
NUMERIC = re.compile(r"-?\d+(\.\d+)?")

UNCHECKED = "SET SESSION foreign_key_checks = 0"
CHECKED = "SET SESSION foreign_key_checks = 1"
"""For rows of a cycle that nothing else can begin."""

CODECS = {
    "utf8mb4": "utf-8", "utf8mb3": "bmp", "utf8": "bmp", "ucs2": "bmp", "utf16": "utf-8",
    "utf32": "utf-8", "latin1": "cp1252", "latin2": "iso8859-2", "latin5": "iso8859-9",
    "greek": "iso8859-7", "cp1250": "cp1250", "cp1251": "cp1251", "koi8r": "koi8-r",
    "gbk": "gbk", "gb18030": "gb18030", "big5": "big5", "sjis": "shift_jis", "euckr": "euc_kr",
}  # fmt: skip
"""What Python calls the character sets that are known here; in another one only ASCII is written.
"""

formulas = types.formulas
likeliest = types.likeliest
quotient = types.quotient
variants = seldom.variants


def specs(s: MySQLSession) -> list[TableSpec]:
    """Every base table of the session's database."""
    return read(
        s.run(TABLES).rows,
        s.run(COLUMNS.format(srid=SRID)).rows,
        s.run(KEYS.format(expression=EXPRESSION)).rows,
        s.run(LINKS).rows,
        [(table, unescaped(clause)) for table, clause in s.run(CHECKS).rows],
        _constant,
    )


def unescaped(clause: str) -> str:
    """The catalogue writes a quote in a condition as ``\\'``."""
    return clause.replace("\\'", "'")


def read(
    tables: Sequence[Any], columns: Sequence[Any], keys: Sequence[Any], links: Sequence[Any],
    checks: Sequence[tuple[str, str]], constant: Any,
) -> list[TableSpec]:  # fmt: skip
    """Blanks from the catalogue's rows; ``constant`` tells a default as SQL, or ""."""
    prefixes = {(t, c): part for t, _, c, part, *_ in keys if part}
    of_key, of_link = _keys(keys), _links(links)
    made: dict[str, list[ColumnSpec]] = defaultdict(list)
    documented = {(t, m[1]) for t, text in checks if (m := JSON_VALID.fullmatch(text))}
    asked = _asked(columns, keys, checks)
    for table, name, *rest in columns:
        paths = documents.merged(asked.get((table, name), ()))
        is_json = bool(paths) or (table, name) in documented
        column = _column(name, prefixes.get((table, name)), is_json, constant, *rest)
        made[table].append(replace(column, kind=replace(column.kind, paths=paths)))
    others = [check for check in checks if not JSON_VALID.fullmatch(check[1])]
    conditions = [*others, *_computed(made)]
    return [
        TableSpec(
            table,
            quoting.name(table),
            quoting.name(table),
            tuple(made[table]),
            tuple(of_key[table]),
            tuple(of_link[table]),
            tuple(_check(made[table], text) for owner, text in conditions if owner == table),
        )
        for (table,) in tables
    ]


def _asked(
    columns: Sequence[Any], keys: Sequence[Any], checks: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[documents.Path]]:
    """Column by table → the members of its documents that something reads."""
    texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for table, text in checks:
        texts[table].append((text, ""))
    for table, _, _, _, expression, _ in keys:
        texts[table] += [(unescaped(expression), "")] if expression else []
    for table, _, data_type, *rest in columns:
        texts[table] += [(unescaped(rest[7]), data_type)] if rest[7] else []
    found: dict[tuple[str, str], list[documents.Path]] = defaultdict(list)
    for table, name, data_type, *rest in columns:
        for text, sql_type in texts[table]:
            if "$" in text and (paths := json_paths.paths_in(text, name, sql_type)):
                found[table, name] += paths
        if "{" in str(rest[6]) and data_type in ("json", "longtext"):
            default = unescaped(str(rest[6]))
            found[table, name] += documents.members_of(
                default[default.find("{") : default.rfind("}") + 1]
            )
    return found


def _computed(made: Mapping[str, Sequence[ColumnSpec]]) -> list[tuple[str, str]]:
    """What the server computes must fit and be there: a condition on what it follows from."""
    found = []
    for table, columns in made.items():
        for column in columns:
            if column.generated:
                found += [(table, text) for text in _fitting(column.kind, column.quoted)]
                found += [] if column.nullable else [(table, f"{column.quoted} IS NOT NULL")]
    return found


def _fitting(kind: types.Kind, quoted: str) -> list[str]:
    """Conditions that a value can be stored in a column of that type; no text is a number."""
    if kind.name in types.BYTES:
        bits = 8 * types.BYTES[kind.name]
        unsigned = "unsigned" in kind.sql
        low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return [f"{quoted} BETWEEN {low} AND {high}", f"{quoted} REGEXP '^-?[0-9.e+]+$'"]
    if kind.name == "decimal":
        most = 10 ** (kind.precision - kind.scale)
        return [f"abs({quoted}) < {most}", f"{quoted} REGEXP '^-?[0-9.e+]+$'"]
    texts = kind.name in ("char", "varchar") and kind.length
    return [f"char_length({quoted}) <= {kind.length}"] if texts else []


JSON_VALID = re.compile(r"json_valid\(`([^`]+)`\)")
"""How MariaDB says that a column is JSON."""


def inserts(spec: TableSpec, columns: Sequence[str], select: str) -> list[str]:
    """Ways to insert, one after the other; the second leaves a row that is there as it is.

    A table in which the server makes every value is given NULL for its number.
    """
    if not columns:
        served = next(c.quoted for c in spec.columns if c.served or not c.generated)
        value = "NULL" if spec.column(served.strip("`")).served else "DEFAULT"
        columns, select = [served], re.sub(r"^SELECT ", f"SELECT {value}", select)
    plain = f"INSERT INTO {spec.quoted} ({', '.join(columns)}) {select}"
    same = f"{spec.quoted}.{columns[0]}"
    spared = select.replace("SELECT ", "SELECT * FROM (SELECT ", 1) + ") AS drafted_rows"
    return [
        plain,
        f"INSERT INTO {spec.quoted} ({', '.join(columns)}) {spared} "
        f"ON DUPLICATE KEY UPDATE {columns[0]} = {same}",
    ]


def updates(spec: TableSpec, sets: Sequence[tuple[str, str]], numbered: str, condition: str) -> str:
    """UPDATE from a parent's rows ``p`` and the table's own, numbered as ``c.rn`` by its key."""
    key = next((key for key in spec.keys if key.primary), spec.keys[0] if spec.keys else None)
    columns = key.columns if key else tuple(c.name for c in spec.columns)
    own = [quoting.name(name) for name in columns]
    named = ", ".join(f"{c} AS k{n}" for n, c in enumerate(own))
    same = " AND ".join(f"target.{c} = c.k{n}" for n, c in enumerate(own))
    return (
        f"UPDATE {spec.quoted} AS target JOIN (SELECT {named}, row_number() OVER "
        f"(ORDER BY {', '.join(own)}) AS rn FROM {spec.quoted}) AS c ON {same} "
        f"JOIN {numbered} ON {condition} SET {', '.join(f'target.{c} = {v}' for c, v in sets)}"
    )


def defer(s: MySQLSession) -> None:
    """Open a transaction, to take back rows of a cycle that could not be closed."""
    s.run("START TRANSACTION")


def _column(
    name: str, prefix: int | None, is_json: bool, constant: Any, data_type: str, column_type: str,
    length: int | None, precision: int | None, scale: int | None, nullable: str, extra: str,
    default: Any, generated: str, srid: int | None, charset: str | None, collation: str | None,
) -> ColumnSpec:  # fmt: skip
    kind = types.Kind(
        "json" if is_json else data_type.lower(),
        column_type.lower() if data_type.lower() not in ("enum", "set") else column_type,
        name,
        min(int(length or LONGEST), int(prefix or LONGEST)),
        int(precision or 10),
        int(scale or 0),
        int(srid or 0),
        int(length) if length else None,
        CODECS.get(charset or "", ""),
        collation or "",
    )
    value = constant(default, extra)
    of_sequence = not value and str(default).startswith("nextval(")
    return ColumnSpec(
        name,
        quoting.name(name),
        kind,
        nullable == "YES",
        served="auto_increment" in extra or of_sequence,
        generated=unescaped(generated),
        default=value,
    )


def _constant(default: Any, extra: str) -> str:
    """The catalogue gives a constant default without its quotes, an expression with a mark."""
    text = None if default is None else str(default)
    if text is None or "DEFAULT_GENERATED" in extra or text.startswith("b'"):
        return ""
    return text if NUMERIC.fullmatch(text) else quoting.value(text)


def _keys(rows: Sequence[Any]) -> dict[str, list[Key]]:
    """A key on an expression counts for the columns that the expression names."""
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    folded = set()
    for table, index, column, _, expression, repeats in rows:
        if repeats:
            continue
        parts[table, index] += [column] if column else re.findall(r"`([^`]+)`", expression or "")
        folded |= {(table, index)} if expression else set()
    found: dict[str, list[Key]] = defaultdict(list)
    for (table, index), columns in parts.items():
        is_folded = (table, index) in folded
        found[table].append(
            Key(tuple(dict.fromkeys(columns)), primary=index == "PRIMARY", folded=is_folded)
        )
    return found


def _links(rows: Sequence[Any]) -> dict[str, list[Link]]:
    parts: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for table, constraint, *rest in rows:
        parts[table, constraint].append(rest)
    found: dict[str, list[Link]] = defaultdict(list)
    for (table, _), columns in parts.items():
        _, is_here, schema, parent, _ = columns[0]
        elsewhere = f"{quoting.name(schema)}.{quoting.name(parent)}"
        found[table].append(
            Link(
                tuple(column[0] for column in columns),
                parent if is_here else f"{schema}.{parent}",
                quoting.name(parent) if is_here else elsewhere,
                tuple(quoting.name(column[4]) for column in columns),
            )
        )
    return found


def _check(columns: Sequence[ColumnSpec], text: str) -> Check:
    return Check(tuple(c.name for c in columns if c.quoted in text), text)

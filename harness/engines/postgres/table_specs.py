"""What PostgreSQL's catalogue says about the tables of all user schemas, for making rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from harness.engines.postgres import formulas as types
from harness.engines.postgres import quoting
from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.databases import GUARD_SCHEMA
from harness.ports.table_specs import Check, ColumnSpec, Key, Link, TableSpec

OURS = f"""
WITH t AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('information_schema', '{GUARD_SCHEMA}')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
)
"""

TABLES = (
    OURS
    + """
SELECT oid::int8, nspname, relname, relkind = 'p',
       CASE WHEN relkind = 'p' THEN
         ARRAY(SELECT coalesce(pg_get_partition_constraintdef(p.relid), 'true')
               FROM pg_partition_tree(oid) p WHERE p.isleaf ORDER BY p.relid) END
FROM t WHERE NOT relispartition ORDER BY nspname COLLATE "C", relname COLLATE "C"
"""
)

COLUMNS = (
    OURS
    + """
SELECT t.oid::int8, a.attname, a.atttypid::int8, a.atttypmod, NOT a.attnotnull,
       a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid)
FROM t JOIN pg_attribute a ON a.attrelid = t.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT t.relispartition ORDER BY t.oid, a.attnum
"""
)

KEYS = (
    OURS
    + """
SELECT coalesce(pg_partition_root(t.oid), t.oid)::int8, x.indisprimary, x.indpred IS NOT NULL,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0
             AND (a.attnum = ANY (x.indkey[0:x.indnkeyatts - 1]) OR x.indexprs IS NOT NULL
                  AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = x.indexrelid
                              AND d.classid = 'pg_class'::regclass AND d.refobjid = t.oid
                              AND d.refobjsubid = a.attnum))
             ORDER BY a.attnum)
FROM t JOIN pg_index x ON x.indrelid = t.oid
WHERE x.indisunique AND NOT EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = x.indexrelid)
ORDER BY x.indisprimary DESC, x.indexrelid
"""
)
"""A key may be declared on a partition alone; it counts for the whole, and so does a link."""

CONSTRAINTS = (
    OURS
    + """
SELECT coalesce(pg_partition_root(t.oid), t.oid)::int8, c.contype::text, c.condeferrable,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, at)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.at),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, at)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.at),
       pg_get_expr(c.conbin, c.conrelid), n.nspname, p.relname, p.relkind = 'p',
       m.nspname, w.relname
FROM t JOIN pg_constraint c ON c.conrelid = t.oid
LEFT JOIN pg_class p ON p.oid = c.confrelid LEFT JOIN pg_namespace n ON n.oid = p.relnamespace
LEFT JOIN pg_class w ON w.oid = coalesce(pg_partition_root(p.oid), p.oid)
LEFT JOIN pg_namespace m ON m.oid = w.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0 OR c.contype = 'c' AND NOT t.relispartition
ORDER BY c.conname COLLATE "C", t.relname COLLATE "C"
"""
)

TYPES = """
SELECT y.oid::int8, y.typname, y.typtype::text, y.typbasetype::int8, y.typtypmod, y.typnotnull,
       CASE WHEN y.typcategory = 'A' THEN y.typelem::int8 ELSE 0 END,
       coalesce(r.rngsubtype, m.rngtypid, 0)::int8,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = y.oid ORDER BY e.enumsortorder),
       ARRAY(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
             WHERE c.contypid = y.oid AND c.contype = 'c' ORDER BY c.conname),
       ARRAY(SELECT ARRAY[a.atttypid::int8, a.atttypmod] FROM pg_attribute a
             WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum)
FROM pg_type y LEFT JOIN pg_range r ON r.rngtypid = y.oid
LEFT JOIN pg_range m ON m.rngmultitypid = y.oid
WHERE y.typtype <> 'p' AND (y.typtype <> 'c' OR
      EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = y.typrelid AND c.relkind = 'c'))
"""

CONSTANT = re.compile(
    r"\(?('([^']|'')*'|-?\d+(\.\d+)?|true|false)\)?(::[\w\s\".\[\](),]+)?", re.IGNORECASE
)
IN_QUOTES = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")

UNCHECKED = "SET LOCAL session_replication_role = replica"
CHECKED = "SET LOCAL session_replication_role = origin"
"""For rows of a cycle that nothing else can begin; triggers are silent meanwhile."""

formulas = types.formulas
quotient = types.quotient


def specs(s: PostgresSession) -> list[TableSpec]:
    """Every base table of the user's schemas; a partitioned one stands for its partitions."""
    kinds, columns = Kinds(s), _columns(s)
    keys, links, checks = _keys(s), *_constraints(s)
    found = []
    for oid, schema, table, partitioned, parts in s.run(TABLES).rows:
        made, conditions = [], [*checks[oid]]
        for row in columns[oid]:
            column, of_domain = kinds.column(*row)
            made.append(column)
            conditions += of_domain
        if parts:
            every = tuple(column.name for column in made)
            conditions.append(Check(every, " OR ".join(f"({part})" for part in parts)))
        quoted, source = _sources(schema, table, partitioned)
        label = label_of(schema, table)
        found.append(
            TableSpec(label, quoted, source, tuple(made), tuple(keys[oid]), tuple(links[oid]),
                  tuple(conditions))
        )  # fmt: skip
    return found


def label_of(schema: str, table: str) -> str:
    """``users``, or ``crm.users`` outside of schema ``public``."""
    return table if schema == "public" else f"{schema}.{table}"


def inserts(spec: TableSpec, columns: Sequence[str], select: str) -> list[str]:
    """Ways to insert, one after the other: rows that would collide are left out if it can be.

    A deferrable key and a table with rules do not allow the first.
    """
    listed = f" ({', '.join(columns)}) OVERRIDING SYSTEM VALUE" if columns else ""
    plain = f"INSERT INTO {spec.quoted}{listed} {select}"
    return [f"{plain} ON CONFLICT DO NOTHING", plain]


def updates(spec: TableSpec, sets: Sequence[tuple[str, str]], numbered: str, condition: str) -> str:
    """UPDATE from a parent's rows ``p`` and the table's own, numbered as ``c.rn``."""
    key = next((key for key in spec.keys if key.primary), None)
    own = [quoting.name(c) for c in key.columns] if key else ["ctid", "tableoid"]
    order = ", ".join(own)
    same = " AND ".join(f"target.{c} = c.k{n}" for n, c in enumerate(own))
    named = ", ".join(f"{c} AS k{n}" for n, c in enumerate(own))
    return (
        f"UPDATE {spec.source} AS target SET {', '.join(f'{c} = {v}' for c, v in sets)} "
        f"FROM (SELECT {named}, row_number() OVER (ORDER BY {order}) AS rn FROM {spec.source}) "
        f"AS c JOIN {numbered} ON {condition} WHERE {same}"
    )


def defer(s: PostgresSession) -> None:
    """Open a transaction in which deferrable constraints are looked at only when it ends."""
    s.run("BEGIN; SET CONSTRAINTS ALL DEFERRED")


class Kinds:
    """The types of the database, looked up once."""

    def __init__(self, s: PostgresSession) -> None:
        self._rows = {row[0]: row[1:] for row in s.run(TYPES).rows}
        self._session = s
        self._names: dict[tuple[int, int], str] = {}

    def column(
        self, name: str, oid: int, modifier: int, nullable: bool, identity: str,
        generated: str, expression: str | None,
    ) -> tuple[ColumnSpec, list[Check]]:  # fmt: skip
        """The column, and the conditions of its domain as conditions on it."""
        quoted, texts, checks = quoting.name(name), expression or "", []
        while oid in self._rows and self._rows[oid][1] == "d":
            _, _, base, of_base, not_null, *_, conditions, _ = self._rows[oid]
            nullable = nullable and not not_null
            checks += [Check((name,), _of_value(text, quoted)) for text in conditions]
            oid, modifier = base, of_base if of_base >= 0 else modifier
        column = ColumnSpec(
            name,
            quoted,
            self.kind(oid, modifier, name),
            nullable,
            served=bool(identity) or ("nextval(" in texts and not generated),
            generated=texts if generated else "",
            default=texts if CONSTANT.fullmatch(texts) and not generated else "",
        )
        return column, checks

    def kind(self, oid: int, modifier: int, column: str) -> types.Kind:
        if oid not in self._rows:
            return types.Kind("unknown", "text", "b", column=column)
        name, family, base, _, _, element, inner, labels, _, fields = self._rows[oid]
        if family == "d":
            return self.kind(base, modifier, column)
        parts: list[tuple[int, int]] = [(p[0], p[1]) for p in fields] if family == "c" else []
        if element:
            family, parts = "a", [(element, modifier)]
        elif inner:
            parts = [(inner, -1)]
        limit = modifier - 4 if name in ("varchar", "bpchar") and modifier > 4 else None
        limit = 63 if name == "name" else limit
        return types.Kind(
            name, self._sql(oid, modifier), family, modifier, column, limit, tuple(labels),
            tuple(self.kind(part, of_part, column) for part, of_part in parts),
        )  # fmt: skip

    def _sql(self, oid: int, modifier: int) -> str:
        known = (oid, modifier)
        if known not in self._names:
            found = self._session.run(
                "SELECT format_type(%s::int8::oid, %s)", (oid, modifier if modifier >= 0 else None)
            )
            self._names[known] = found.scalar()
        return self._names[known]


def _columns(s: PostgresSession) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, *row in s.run(COLUMNS).rows:
        found[oid].append(tuple(row))
    return found


def _keys(s: PostgresSession) -> dict[int, list[Key]]:
    found: dict[int, list[Key]] = defaultdict(list)
    for oid, primary, partial, columns in s.run(KEYS).rows:
        found[oid].append(Key(tuple(columns), partial, primary))
    return found


def _constraints(s: PostgresSession) -> tuple[dict[int, list[Link]], dict[int, list[Check]]]:
    links: dict[int, list[Link]] = defaultdict(list)
    checks: dict[int, list[Check]] = defaultdict(list)
    for oid, kind, deferrable, columns, others, text, *parent in s.run(CONSTRAINTS).rows:
        if kind == "c":
            checks[oid].append(Check(tuple(columns), text))
            continue
        schema, table, partitioned, *whole = parent
        _, source = _sources(schema, table, partitioned)
        quoted = tuple(map(quoting.name, others))
        link = Link(tuple(columns), label_of(*whole), source, quoted, deferrable)
        if link not in links[oid]:
            links[oid].append(link)
    return links, checks


def _sources(schema: str, table: str, partitioned: bool) -> tuple[str, str]:
    quoted = f"{quoting.name(schema)}.{quoting.name(table)}"
    return quoted, quoted if partitioned else f"ONLY {quoted}"


def _of_value(definition: str, quoted: str) -> str:
    """``CHECK ((VALUE > 0))`` of a domain, as a condition on a column."""
    inner = re.sub(r"^CHECK\s*|\s*NOT VALID$|\s*NOT ENFORCED$", "", definition)
    pieces = IN_QUOTES.split(inner)
    return "".join(
        piece if number % 2 else re.sub(r"\bVALUE\b", lambda _: quoted, piece)
        for number, piece in enumerate(pieces)
    )

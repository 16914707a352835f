"""What PostgreSQL's catalogue says about the tables of all user schemas, for making rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.engines import documents
from harness.engines.postgres import formulas as types
from harness.engines.postgres import json_paths, quoting
from harness.engines.postgres import variants as seldom
from harness.engines.postgres.connector import PostgresSession
from harness.engines.postgres.table_specs_sql import (
    COLUMNS,
    CONSTRAINTS,
    EXPRESSIONS,
    KEYS,
    TABLES,
    TYPES,
)
from harness.ports.table_specs import Check, ColumnSpec, Key, Link, TableSpec

CONSTANT = re.compile(
    r"\(?('([^']|'')*'|-?\d+(\.\d+)?|true|false)\)?(::[\w\s\".\[\](),]+)?", re.IGNORECASE
)
IN_QUOTES = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")

UNCHECKED = "SET LOCAL session_replication_role = replica"
CHECKED = "SET LOCAL session_replication_role = origin"
"""For rows of a cycle that nothing else can begin; triggers are silent meanwhile."""

CODECS = {"UTF8": "utf-8", "LATIN1": "latin-1", "LATIN9": "iso8859-15", "WIN1252": "cp1252"}
"""What Python calls the encodings that are known here; in another one only ASCII is written."""

formulas = types.formulas
likeliest = types.likeliest
quotient = types.quotient
variants = seldom.variants


def specs(s: PostgresSession) -> list[TableSpec]:
    """Every base table of the user's schemas; a partitioned one stands for its partitions."""
    kinds, columns = Kinds(s), _columns(s)
    keys, links, checks = _keys(s), *_constraints(s)
    indexed = _expressions(s) if kinds.has_documents(columns) else {}
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
            TableSpec(
                label, quoted, source, _asked(made, conditions, indexed.get(oid, ())),
                tuple(keys[oid]), tuple(links[oid]), tuple(conditions),
            )
        )  # fmt: skip
    return found


def _asked(
    columns: Sequence[ColumnSpec], checks: Sequence[Check], indexed: Sequence[str]
) -> tuple[ColumnSpec, ...]:
    """The columns, with the members of their documents that something reads."""
    texts = [column.generated for column in columns if column.generated]
    texts += [*(check.sql for check in checks), *indexed]
    read = " ".join(texts)
    found = []
    for column in columns:
        kind = column.kind
        if kind.family == "b" and (kind.name in ("json", "jsonb") or "json" in read):
            paths = json_paths.paths_in(read, column.name) if column.name in read else []
            if column.default and kind.name in ("json", "jsonb"):
                text = column.default.rpartition("::")[0].strip("()'").replace("''", "'")
                paths += documents.members_of(text)
            kind = replace(kind, paths=documents.merged(paths))
        found.append(replace(column, kind=kind))
    return tuple(found)


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
        self._codec = CODECS.get(s.run("SHOW server_encoding").scalar(), "")

    def has_documents(self, columns: Mapping[int, Sequence[tuple[Any, ...]]]) -> bool:
        """Whether a column of any table holds JSON."""
        names = {"json", "jsonb"}
        return any(
            row[1] in self._rows and self._rows[row[1]][0] in names
            for of_table in columns.values()
            for row in of_table
        )

    def column(
        self, name: str, oid: int, modifier: int, nullable: bool, identity: str,
        generated: str, expression: str | None, exact: bool,
    ) -> tuple[ColumnSpec, list[Check]]:  # fmt: skip
        """The column, and the conditions of its domain as conditions on it.

        What the server computes must fit and be there, which is a condition on its sources.
        """
        quoted, texts, checks = quoting.name(name), expression or "", []
        while oid in self._rows and self._rows[oid][1] == "d":
            _, _, base, of_base, not_null, *_, conditions, _ = self._rows[oid]
            nullable = nullable and not not_null
            checks += [Check((name,), _of_value(text, quoted)) for text in conditions]
            oid, modifier = base, of_base if of_base >= 0 else modifier
        kind = replace(self.kind(oid, modifier, name), exact=exact)
        if generated:
            checks += [Check((name,), text) for text in _fitting(kind, quoted)]
            checks += [] if nullable else [Check((name,), f"{quoted} IS NOT NULL")]
        column = ColumnSpec(
            name,
            quoted,
            kind,
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
            tuple(self.kind(part, of_part, column) for part, of_part in parts), self._codec,
        )  # fmt: skip

    def _sql(self, oid: int, modifier: int) -> str:
        known = (oid, modifier)
        if known not in self._names:
            found = self._session.run(
                "SELECT format_type(%s::int8::oid, %s)", (oid, modifier if modifier >= 0 else None)
            )
            self._names[known] = found.scalar()
        return self._names[known]


def _fitting(kind: types.Kind, quoted: str) -> list[str]:
    """Conditions that a value can be stored in a column of that type."""
    if kind.name in types.WHOLE:
        return [f"{quoted} BETWEEN {-types.WHOLE[kind.name]} AND {types.WHOLE[kind.name]}"]
    if kind.name == "numeric" and kind.modifier >= 0:
        digits, scale = kind.precision()
        return [f"abs({quoted}) < 1{'0' * max(0, digits - scale)}"]
    return [f"char_length({quoted}) <= {kind.limit}"] if kind.limit else []


def _expressions(s: PostgresSession) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for oid, text in s.run(EXPRESSIONS).rows:
        found[oid].append(text)
    return found


def _columns(s: PostgresSession) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, *row in s.run(COLUMNS).rows:
        found[oid].append(tuple(row))
    return found


def _keys(s: PostgresSession) -> dict[int, list[Key]]:
    found: dict[int, list[Key]] = defaultdict(list)
    for oid, primary, partial, folded, one_null, columns in s.run(KEYS).rows:
        found[oid].append(Key(tuple(columns), partial, primary, folded, one_null))
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

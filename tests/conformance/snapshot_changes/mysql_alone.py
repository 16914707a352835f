"""Changes that only MySQL has."""

from __future__ import annotations

from snapshot_changes.model import change
from snapshot_changes.mysql_family import IX, T


def _has(table: str) -> tuple[str, str]:
    asked = (
        "SELECT COUNT(*) FROM information_schema.tables "
        f"WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = '{table}'"
    )
    return asked, f"information_schema.{table}"


LIBRARY = "CREATE LIBRARY {l} LANGUAGE JAVASCRIPT AS 'export function f(n) {{return {n}}}'"
USER = (
    "CREATE FUNCTION {f}(n integer) RETURNS integer DETERMINISTIC LANGUAGE JAVASCRIPT "
    "USING ({l} AS a) AS 'return {n}'"
)
DUALITY = (
    "CREATE JSON RELATIONAL DUALITY VIEW {v} AS "
    "SELECT JSON_DUALITY_OBJECT('_id': {A}, 'b': {B}) FROM {t}"
)
KEYED = "CREATE TABLE {t} ({A} integer PRIMARY KEY, {B} integer)"
IN_LIBRARIES = ("information_schema.LIBRARIES",)

ALL = (
    change("a table is created with a key", (),
           "CREATE TABLE {t} ({A} integer, UNIQUE KEY {I} ({A}))",
           new=("table {t:key}", "column {t:key}.{A:key}", "index {t:key}.{I:key}"),
           writes=("information_schema.TABLES_EXTENSIONS", "information_schema.COLUMNS_EXTENSIONS",
                   "information_schema.TABLE_CONSTRAINTS_EXTENSIONS")),
    change("an index is invisible", (T, IX), "ALTER TABLE {t} ALTER INDEX {I} INVISIBLE",
           changed="index {t:key}.{I:key}", back="ALTER TABLE {t} ALTER INDEX {I} VISIBLE"),
    change("an index is of an expression", T, "CREATE INDEX {I} ON {t} ((upper({B})))",
           new="index {t:key}.{I:key}"),
    change("an index is upside down", (T, IX),
           "ALTER TABLE {t} DROP INDEX {I}, ADD INDEX {I} ({B} DESC)",
           changed="index {t:key}.{I:key}"),
    change("an index of words has another parser",
           (T, "CREATE FULLTEXT INDEX {I} ON {t} ({B})"),
           ("DROP INDEX {I} ON {t}", "CREATE FULLTEXT INDEX {I} ON {t} ({B}) WITH PARSER ngram"),
           changed="index {t:key}.{I:key}"),
    change("a check is not enforced", (T, "ALTER TABLE {t} ADD CONSTRAINT {K} CHECK ({A} < 9)"),
           "ALTER TABLE {t} ALTER CHECK {K} NOT ENFORCED", changed="constraint {t:key}.{K:key}",
           back="ALTER TABLE {t} ALTER CHECK {K} ENFORCED"),
    change("a column has a system of reference", "CREATE TABLE {t} ({A} point NOT NULL)",
           "ALTER TABLE {t} MODIFY {A} point NOT NULL SRID 4326",
           changed="column {t:key}.{A:key}", writes=("information_schema.ST_GEOMETRY_COLUMNS",)),
    change("a table moves to a tablespace", T, "ALTER TABLE {t} TABLESPACE {space}",
           changed="table {t:key}"),
    change("a histogram is made", (T, "INSERT INTO {t} VALUES (1, 'x')"),
           "ANALYZE TABLE {t} UPDATE HISTOGRAM ON {A} WITH 5 BUCKETS",
           new="histogram {t:key}.{A:key}", back="ANALYZE TABLE {t} DROP HISTOGRAM ON {A}",
           writes=("information_schema.COLUMN_STATISTICS",)),
    change("a histogram is finer", (T, "INSERT INTO {t} VALUES (1, 'x')",
                                    "ANALYZE TABLE {t} UPDATE HISTOGRAM ON {A} WITH 5 BUCKETS"),
           "ANALYZE TABLE {t} UPDATE HISTOGRAM ON {A} WITH 9 BUCKETS",
           changed="histogram {t:key}.{A:key}"),
    change("the database is encrypted by default", (), "ALTER DATABASE {database} ENCRYPTION = 'Y'",
           changed="database default", back="ALTER DATABASE {database} ENCRYPTION = 'N'"),
    change("the database is read only", (), "ALTER DATABASE {database} READ ONLY = 1",
           changed="database default", back="ALTER DATABASE {database} READ ONLY = 0",
           writes=("information_schema.SCHEMATA_EXTENSIONS",)),
    change("a library is created", (), LIBRARY, new="library {l:key}", back="DROP LIBRARY {l}",
           needs=_has("LIBRARIES"), writes=IN_LIBRARIES),
    change("a library is another", LIBRARY,
           ("DROP LIBRARY {l}", LIBRARY.replace("{n}", "{n} + 1")), changed="library {l:key}",
           needs=_has("LIBRARIES")),
    change("a library has a comment", LIBRARY, "ALTER LIBRARY {l} COMMENT 'so'",
           changed="library {l:key}", needs=_has("LIBRARIES")),
    change("somebody gets a right on a library", LIBRARY, "GRANT EXECUTE ON LIBRARY {l} TO {one}",
           new="grant on library {l:key}", needs=_has("LIBRARIES")),
    change("a function uses a library", LIBRARY, USER, new="function {f:key}",
           back="DROP FUNCTION {f}", needs=_has("LIBRARIES"),
           writes=("information_schema.ROUTINE_LIBRARIES",)),
    change("a function uses another library",
           (LIBRARY, LIBRARY.replace("{l}", "{m}"), USER),
           ("DROP FUNCTION {f}", USER.replace("{l}", "{m}")), changed="function {f:key}",
           needs=_has("LIBRARIES")),
    change("a view gives documents", KEYED, DUALITY, new="view {v:key}", back="DROP VIEW {v}",
           needs=_has("JSON_DUALITY_VIEWS"),
           writes=("information_schema.JSON_DUALITY_VIEWS",
                   "information_schema.JSON_DUALITY_VIEW_COLUMNS",
                   "information_schema.JSON_DUALITY_VIEW_TABLES")),
    change("a view gives documents in documents",
           (KEYED, "CREATE TABLE {u} ({C} integer PRIMARY KEY, {D} integer)"),
           "CREATE JSON RELATIONAL DUALITY VIEW {v} AS SELECT JSON_DUALITY_OBJECT('_id': {A}, "
           "'of': (SELECT JSON_ARRAYAGG(JSON_DUALITY_OBJECT('c': {C}, 'd': {D})) FROM {u} "
           "WHERE {D} = {A})) FROM {t}", new="view {v:key}", needs=_has("JSON_DUALITY_VIEWS"),
           writes=("information_schema.JSON_DUALITY_VIEW_LINKS",)),
    change("a view gives other documents", (KEYED, DUALITY),
           ("DROP VIEW {v}", DUALITY.replace("'b'", "'c'")), changed="view {v:key}",
           needs=_has("JSON_DUALITY_VIEWS")),
    change("a view reads a table and calls a function",
           (T, "CREATE FUNCTION {f}(a integer) RETURNS integer DETERMINISTIC RETURN a"),
           "CREATE VIEW {v} AS SELECT {f}({A}) AS a FROM {t}", new="view {v:key}",
           writes=("information_schema.VIEW_TABLE_USAGE", "information_schema.VIEW_ROUTINE_USAGE")),
)  # fmt: skip

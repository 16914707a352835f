"""Changes that only MariaDB has."""

from __future__ import annotations

from snapshot_changes.model import change
from snapshot_changes.mysql_family import IX, T


def _since(version: str) -> tuple[str, str]:
    number = "".join(f"{int(part):02}" for part in version.split("."))
    asked = (
        "SELECT CAST(SUBSTRING_INDEX(VERSION(), '.', 1) * 100 "
        "+ SUBSTRING_INDEX(SUBSTRING_INDEX(VERSION(), '.', 2), '.', -1) AS UNSIGNED) "
        f">= {int(number)}"
    )
    return asked, f"MariaDB {version}"


SEQUENCE = "CREATE SEQUENCE {s} START WITH 10 INCREMENT BY 2 NOCACHE"
VERSIONED = "CREATE TABLE {t} ({A} integer, {B} varchar(20)) WITH SYSTEM VERSIONING"
PERIOD = "CREATE TABLE {t} ({A} date NOT NULL, {B} date NOT NULL, {C} integer)"
PACKAGE = "CREATE PACKAGE {f} AS FUNCTION a RETURN INT; END"
BODY = "CREATE PACKAGE BODY {f} AS FUNCTION a RETURN INT AS BEGIN RETURN 1; END; END"
ORACLE, PLAIN = "SET sql_mode = ORACLE", "SET sql_mode = DEFAULT"

ALL = (
    change("an index is ignored", (T, IX), "ALTER TABLE {t} ALTER INDEX {I} IGNORED",
           changed="index {t:key}.{I:key}", back="ALTER TABLE {t} ALTER INDEX {I} NOT IGNORED"),
    change("an index is upside down", (T, IX),
           "ALTER TABLE {t} DROP INDEX {I}, ADD INDEX {I} ({B} DESC)",
           changed="index {t:key}.{I:key}"),
    change("an index is of vectors", "CREATE TABLE {t} ({A} vector(3) NOT NULL)",
           "ALTER TABLE {t} ADD VECTOR INDEX {I} ({A}) M = 8", new="index {t:key}.{I:key}",
           needs=_since("11.7")),
    change("a column is checked", T, "ALTER TABLE {t} MODIFY {A} integer CHECK ({A} < {n})",
           changed="column {t:key}.{A:key}"),
    change("a column is compressed", T, "ALTER TABLE {t} MODIFY {B} varchar(20) COMPRESSED",
           changed="column {t:key}.{B:key}"),
    change("a table's pages are compressed", T, "ALTER TABLE {t} PAGE_COMPRESSED = 1",
           changed="table {t:key}"),
    change("a table keeps what was", T, "ALTER TABLE {t} ADD SYSTEM VERSIONING",
           changed="table {t:key}", back="ALTER TABLE {t} DROP SYSTEM VERSIONING"),
    change("a table keeps what was, but for one column", VERSIONED,
           ("SET @@system_versioning_alter_history = KEEP",
            "ALTER TABLE {t} MODIFY {B} varchar(20) WITHOUT SYSTEM VERSIONING"),
           changed="column {t:key}.{B:key}"),
    change("a table keeps what was in partitions", VERSIONED,
           ("SET @@system_versioning_alter_history = KEEP",
            "ALTER TABLE {t} PARTITION BY SYSTEM_TIME LIMIT 5 "
            "(PARTITION {P} HISTORY, PARTITION {Q} CURRENT)"),
           changed="table {t:key}", new=("partition {t:key}.{P:key}", "partition {t:key}.{Q:key}")),
    change("a table keeps what was in other partitions",
           VERSIONED + " PARTITION BY SYSTEM_TIME LIMIT 5 "
           "(PARTITION {P} HISTORY, PARTITION {Q} CURRENT)",
           ("SET @@system_versioning_alter_history = KEEP",
            "ALTER TABLE {t} PARTITION BY SYSTEM_TIME LIMIT 6 "
            "(PARTITION {P} HISTORY, PARTITION {Q} CURRENT)"), changed="table {t:key}"),
    change("a row of a table that keeps what was", (VERSIONED, "INSERT INTO {t} VALUES (1, 'x')"),
           "UPDATE {t} SET {B} = 'y'", contents="{t:key}",
           back="UPDATE {t} SET {B} = 'x'"),
    change("a table has a period", PERIOD, "ALTER TABLE {t} ADD PERIOD FOR {P} ({A}, {B})",
           new="period {t:key}.{P:key}", back="ALTER TABLE {t} DROP PERIOD FOR {P}"),
    change("a period is in a table of the catalogue", PERIOD,
           "ALTER TABLE {t} ADD PERIOD FOR {P} ({A}, {B})", new="period {t:key}.{P:key}",
           needs=_since("11.4"), writes=("information_schema.PERIODS",)),
    change("a period does not overlap",
           (PERIOD, "ALTER TABLE {t} ADD PERIOD FOR {P} ({A}, {B})"),
           "ALTER TABLE {t} ADD UNIQUE {I} ({C}, {P} WITHOUT OVERLAPS)",
           new="index {t:key}.{I:key}"),
    change("a period of a key is in a table of the catalogue",
           (PERIOD, "ALTER TABLE {t} ADD PERIOD FOR {P} ({A}, {B})"),
           "ALTER TABLE {t} ADD UNIQUE {I} ({C}, {P} WITHOUT OVERLAPS)",
           new="index {t:key}.{I:key}", needs=_since("11.4"),
           writes=("information_schema.KEY_PERIOD_USAGE",)),
    change("a sequence is created", (), SEQUENCE, new="sequence {s:key}", back="DROP SEQUENCE {s}",
           writes=("information_schema.TABLES",)),
    change("a sequence is dropped", SEQUENCE, "DROP SEQUENCE {s}", gone="sequence {s:key}"),
    change("a sequence is in a table of the catalogue", (), SEQUENCE, new="sequence {s:key}",
           needs=_since("11.5"), writes=("information_schema.SEQUENCES",)),
    *(
        change(f"a sequence has another {what}", SEQUENCE, f"ALTER SEQUENCE {{s}} {sql}",
               changed="sequence {s:key}")
        for what, sql in (("step", "INCREMENT BY 3"), ("least value", "MINVALUE 2"),
                          ("largest value", "MAXVALUE {n}"), ("start", "START WITH 20"),
                          ("end", "CYCLE"), ("cache", "CACHE 7"))
    ),
    change("a sequence goes on", SEQUENCE, "SELECT NEXTVAL({s})"),
    change("a sequence is set back", (SEQUENCE, "SELECT SETVAL({s}, {n})"),
           "ALTER SEQUENCE {s} RESTART 12", counters="{s:key}"),
    change("a column takes a sequence's values", (T, SEQUENCE),
           "ALTER TABLE {t} MODIFY {A} integer DEFAULT NEXTVAL({s})",
           changed="column {t:key}.{A:key}"),
    change("a package is created", (), (ORACLE, PACKAGE, PLAIN), new="package {f:key}",
           back=(ORACLE, "DROP PACKAGE {f}", PLAIN), writes=("mysql.proc",)),
    change("a package has a body", (ORACLE, PACKAGE, PLAIN), (ORACLE, BODY, PLAIN),
           new="package body {f:key}", back=(ORACLE, "DROP PACKAGE BODY {f}", PLAIN)),
    change("a package does something else", (ORACLE, PACKAGE, BODY, PLAIN),
           (ORACLE, "DROP PACKAGE BODY {f}", BODY.replace("RETURN 1", "RETURN {n}"), PLAIN),
           changed="package body {f:key}"),
    change("somebody gets a right on a package", (ORACLE, PACKAGE, PLAIN),
           (ORACLE, "GRANT EXECUTE ON PACKAGE {f} TO {one}", PLAIN), new="grant on package {f:key}",
           plain=True),
    change("an event is in a table of its own", (),
           "CREATE EVENT {e} ON SCHEDULE EVERY 1 DAY DO SET @a = 1", new="event {e:key}",
           writes=("mysql.event",)),
    change("a column is of places", (), "CREATE TABLE {t} ({A} point NOT NULL)",
           new=("table {t:key}", "column {t:key}.{A:key}"),
           writes=("information_schema.GEOMETRY_COLUMNS",)),
    change("the database has a comment", (), "ALTER DATABASE {database} COMMENT = 'so'",
           changed="database default", back="ALTER DATABASE {database} COMMENT = ''"),
)  # fmt: skip

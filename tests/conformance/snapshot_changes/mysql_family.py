"""Changes that MySQL and MariaDB have in common; a name has no schema here."""

from __future__ import annotations

from snapshot_changes.model import change

T = "CREATE TABLE {t} ({A} integer, {B} varchar(20))"
ROW = "INSERT INTO {t} VALUES (1, 'x')"
KEYED = "CREATE TABLE {t} ({A} integer PRIMARY KEY, {B} varchar(20))"
CHILD = (
    "CREATE TABLE {u} ({C} integer, KEY {I} ({C}), CONSTRAINT {F} FOREIGN KEY ({C}) "
    "REFERENCES {t} ({A}))"
)
COUNTED = "CREATE TABLE {t} ({A} integer AUTO_INCREMENT PRIMARY KEY, {B} varchar(20))"
PARTED = (
    "CREATE TABLE {t} ({A} integer NOT NULL, {B} varchar(20)) PARTITION BY RANGE ({A}) "
    "(PARTITION {P} VALUES LESS THAN (10), PARTITION {Q} VALUES LESS THAN (20))"
)
IX = "CREATE INDEX {I} ON {t} ({B})"
TRIGGER = "CREATE TRIGGER {G} BEFORE UPDATE ON {t} FOR EACH ROW SET @a = 1"
VIEW = "CREATE VIEW {v} AS SELECT {A}, {B} FROM {t}"
FUNCTION = "CREATE FUNCTION {f}(a integer) RETURNS integer DETERMINISTIC RETURN a + 1"
PROCEDURE = "CREATE PROCEDURE {f}(IN a integer) SELECT a"
EVENT = "CREATE EVENT {e} ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' DO SET @a = 1"

TABLE_KEYS = ("table {t:key}", "column {t:key}.{A:key}", "column {t:key}.{B:key}")
A, B = TABLE_KEYS[1:]
IN_TABLES = ("information_schema.TABLES", "information_schema.COLUMNS")
IN_STATISTICS = ("information_schema.STATISTICS",)
IN_CONSTRAINTS = ("information_schema.TABLE_CONSTRAINTS",)
IN_KEYS = (
    "information_schema.KEY_COLUMN_USAGE",
    "information_schema.REFERENTIAL_CONSTRAINTS",
    *IN_CONSTRAINTS,
)
IN_PARTITIONS = ("information_schema.PARTITIONS",)

TABLES = (
    change("a table is created", (), T, new=TABLE_KEYS, back="DROP TABLE {t}", writes=IN_TABLES),
    change("a table is dropped", T, "DROP TABLE {t}", gone=TABLE_KEYS, writes=IN_TABLES),
    change("a table gets another name", (T, ROW), "RENAME TABLE {t} TO {u}", gone=TABLE_KEYS,
           new=("table {u:key}", "column {u:key}.{A:key}", "column {u:key}.{B:key}"),
           back="RENAME TABLE {u} TO {t}"),
    change("a table has another engine", (T, ROW), "ALTER TABLE {t} ENGINE = MyISAM",
           changed="table {t:key}", back="ALTER TABLE {t} ENGINE = InnoDB"),
    change("a table has a comment", T, "ALTER TABLE {t} COMMENT = 'it''s {n}'",
           changed="table {t:key}", back="ALTER TABLE {t} COMMENT = ''"),
    change("a table has another default collation", T,
           "ALTER TABLE {t} DEFAULT CHARACTER SET latin1", changed="table {t:key}"),
    change("a table has another character set", (T, ROW),
           "ALTER TABLE {t} CONVERT TO CHARACTER SET latin1", changed=("table {t:key}", B)),
    change("a table has another row format", T, "ALTER TABLE {t} ROW_FORMAT = COMPACT",
           changed="table {t:key}"),
    change("a table is compressed", T, "ALTER TABLE {t} ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8",
           changed="table {t:key}"),
    change("a table has options", T, "ALTER TABLE {t} STATS_PERSISTENT = 0 MAX_ROWS = {n}",
           changed="table {t:key}"),
    change("a table is one of several",
           ("CREATE TABLE {u} ({A} integer) ENGINE = MyISAM",
            "CREATE TABLE {t} ({A} integer) ENGINE = MERGE"),
           "ALTER TABLE {t} UNION = ({u})", changed="table {t:key}"),
    change("a table is rebuilt and counted", (T, ROW, IX),
           ("ANALYZE TABLE {t}", "OPTIMIZE TABLE {t}", "ALTER TABLE {t} FORCE")),
)  # fmt: skip

PARTITIONS = (
    change("a table is partitioned", T,
           "ALTER TABLE {t} PARTITION BY RANGE ({A}) (PARTITION {P} VALUES LESS THAN (10))",
           changed="table {t:key}", new="partition {t:key}.{P:key}",
           back="ALTER TABLE {t} REMOVE PARTITIONING", writes=IN_PARTITIONS),
    change("a partition is added", PARTED,
           "ALTER TABLE {t} ADD PARTITION (PARTITION {R} VALUES LESS THAN ({n}))",
           new="partition {t:key}.{R:key}", back="ALTER TABLE {t} DROP PARTITION {R}"),
    change("a partition is dropped", (PARTED, "INSERT INTO {t} VALUES (15, 'x')"),
           "ALTER TABLE {t} DROP PARTITION {Q}", gone="partition {t:key}.{Q:key}",
           contents="{t:key}"),
    change("a partition's bound is another", PARTED,
           "ALTER TABLE {t} REORGANIZE PARTITION {Q} INTO (PARTITION {Q} VALUES LESS THAN ({n}))",
           changed="partition {t:key}.{Q:key}"),
    change("a partition has a comment", PARTED,
           "ALTER TABLE {t} REORGANIZE PARTITION {Q} INTO "
           "(PARTITION {Q} VALUES LESS THAN (20) COMMENT = 'so')",
           changed="partition {t:key}.{Q:key}"),
    change("there are more partitions by hash", "CREATE TABLE {t} ({A} integer) "
           "PARTITION BY HASH ({A}) PARTITIONS 2", "ALTER TABLE {t} ADD PARTITION PARTITIONS 1",
           changed="table {t:key}"),
    change("a table is partitioned in another way",
           "CREATE TABLE {t} ({A} integer) PARTITION BY HASH ({A}) PARTITIONS 2",
           "ALTER TABLE {t} PARTITION BY LINEAR HASH ({A}) PARTITIONS 2", changed="table {t:key}"),
    change("a partition has parts", "CREATE TABLE {t} ({A} integer)",
           "ALTER TABLE {t} PARTITION BY RANGE ({A}) SUBPARTITION BY HASH ({A}) "
           "(PARTITION {P} VALUES LESS THAN (10) (SUBPARTITION {R}, SUBPARTITION {S}))",
           changed="table {t:key}",
           new=("partition {t:key}.{P:key}", "partition {t:key}.{P:key}.{R:key}",
                "partition {t:key}.{P:key}.{S:key}")),
    change("a row is in a partition", PARTED, "INSERT INTO {t} VALUES (1, 'x')",
           contents="{t:key}"),
)  # fmt: skip

COLUMNS = (
    change("a column is added", T, "ALTER TABLE {t} ADD COLUMN {C} {type}",
           new="column {t:key}.{C:key}", order="{t:key}"),
    change("a column is added to rows", (T, ROW), "ALTER TABLE {t} ADD COLUMN {C} {type}",
           new="column {t:key}.{C:key}", order="{t:key}", contents="{t:key}",
           back="ALTER TABLE {t} DROP COLUMN {C}"),
    change("a column is added in front", T, "ALTER TABLE {t} ADD COLUMN {C} {type} FIRST",
           new="column {t:key}.{C:key}", order="{t:key}"),
    change("a column is dropped", (T, ROW), "ALTER TABLE {t} DROP COLUMN {B}", gone=B,
           order="{t:key}", contents="{t:key}"),
    change("a column is put back and stands last", T,
           ("ALTER TABLE {t} DROP COLUMN {A}", "ALTER TABLE {t} ADD COLUMN {A} integer"),
           order="{t:key}"),
    change("a column stands elsewhere", (T, ROW), "ALTER TABLE {t} MODIFY {A} integer AFTER {B}",
           order="{t:key}"),
    change("a column gets another name", "CREATE TABLE {t} ({A} integer)",
           "ALTER TABLE {t} RENAME COLUMN {A} TO {C}", gone=A, new="column {t:key}.{C:key}",
           order="{t:key}", back="ALTER TABLE {t} RENAME COLUMN {C} TO {A}"),
    change("a column has another type", (T, ROW), "ALTER TABLE {t} MODIFY {A} bigint", changed=A,
           back="ALTER TABLE {t} MODIFY {A} integer"),
    change("a column is wider", (T, ROW), "ALTER TABLE {t} MODIFY {B} varchar(30)", changed=B),
    change("a column is NOT NULL", (T, ROW), "ALTER TABLE {t} MODIFY {A} integer NOT NULL",
           changed=A, back="ALTER TABLE {t} MODIFY {A} integer NULL"),
    change("a column has a default", T, "ALTER TABLE {t} ALTER {A} SET DEFAULT {n}", changed=A,
           back="ALTER TABLE {t} MODIFY {A} integer"),
    change("a column has an empty default", T, "ALTER TABLE {t} ALTER {B} SET DEFAULT ''",
           changed=B),
    change("a column's default is computed", T,
           "ALTER TABLE {t} MODIFY {A} integer DEFAULT (1 + 2)", changed=A),
    change("a column keeps the time", "CREATE TABLE {t} ({A} timestamp(3) NULL)",
           "ALTER TABLE {t} MODIFY {A} timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) "
           "ON UPDATE CURRENT_TIMESTAMP(3)", changed=A),
    change("a column has a comment", T, "ALTER TABLE {t} MODIFY {B} varchar(20) COMMENT 'so'",
           changed=B),
    change("a column has another collation", (T, ROW),
           "ALTER TABLE {t} MODIFY {B} varchar(20) COLLATE utf8mb4_bin", changed=B),
    change("a column has another character set", (T, ROW),
           "ALTER TABLE {t} MODIFY {B} varchar(20) CHARACTER SET latin1", changed=B),
    change("a column is invisible", T, "ALTER TABLE {t} MODIFY {B} varchar(20) INVISIBLE",
           changed=B),
    change("a column is computed", T, "ALTER TABLE {t} ADD COLUMN {C} integer AS ({A} * 2) STORED",
           new="column {t:key}.{C:key}", order="{t:key}"),
    change("a virtual column is computed otherwise",
           ("CREATE TABLE {t} ({A} integer, {B} integer AS ({A} * 2) VIRTUAL)",
            "INSERT INTO {t} ({A}) VALUES (1)"),
           "ALTER TABLE {t} MODIFY {B} integer AS ({A} * 3) VIRTUAL", changed=B),
    change("a label is added", "CREATE TABLE {t} ({A} enum('a', 'b'))",
           "ALTER TABLE {t} MODIFY {A} enum('a', 'b', 'c')", changed=A),
    change("a column numbers itself", KEYED, "ALTER TABLE {t} MODIFY {A} integer AUTO_INCREMENT",
           changed=A),
)  # fmt: skip

INDEXES = (
    change("an index is created", T, IX, new="index {t:key}.{I:key}", back="DROP INDEX {I} ON {t}",
           writes=IN_STATISTICS),
    change("an index is dropped", (T, IX), "DROP INDEX {I} ON {t}", gone="index {t:key}.{I:key}"),
    change("an index gets another name", (T, IX), "ALTER TABLE {t} RENAME INDEX {I} TO {J}",
           gone="index {t:key}.{I:key}", new="index {t:key}.{J:key}"),
    change("an index is unique", (T, IX),
           "ALTER TABLE {t} DROP INDEX {I}, ADD UNIQUE INDEX {I} ({B})",
           changed="index {t:key}.{I:key}", writes=IN_CONSTRAINTS),
    change("an index is of a prefix", (T, IX),
           "ALTER TABLE {t} DROP INDEX {I}, ADD INDEX {I} ({B}(5))",
           changed="index {t:key}.{I:key}"),
    change("an index is of two columns", (T, IX),
           "ALTER TABLE {t} DROP INDEX {I}, ADD INDEX {I} ({B}, {A})",
           changed="index {t:key}.{I:key}"),
    change("an index has a comment", (T, IX),
           "ALTER TABLE {t} DROP INDEX {I}, ADD INDEX {I} ({B}) COMMENT 'so'",
           changed="index {t:key}.{I:key}"),
    change("an index is of words", T, "CREATE FULLTEXT INDEX {I} ON {t} ({B})",
           new="index {t:key}.{I:key}"),
    change("an index is of places", "CREATE TABLE {t} ({A} point NOT NULL)",
           "CREATE SPATIAL INDEX {I} ON {t} ({A})", new="index {t:key}.{I:key}"),
    change("an index is a hash", "CREATE TABLE {t} ({A} integer, {B} varchar(20), INDEX {I} ({B})) "
           "ENGINE = MEMORY",
           "ALTER TABLE {t} DROP INDEX {I}, ADD INDEX {I} USING BTREE ({B})",
           changed="index {t:key}.{I:key}"),
    change("a primary key is added", T, "ALTER TABLE {t} ADD PRIMARY KEY ({A})",
           new="index {t:key}.PRIMARY", changed=A),
    change("a primary key is dropped", KEYED, "ALTER TABLE {t} DROP PRIMARY KEY",
           gone="index {t:key}.PRIMARY"),
    change("a foreign key is added", (KEYED, "CREATE TABLE {u} ({C} integer, KEY {I} ({C}))"),
           "ALTER TABLE {u} ADD CONSTRAINT {F} FOREIGN KEY ({C}) REFERENCES {t} ({A})",
           new="constraint {u:key}.{F:key}", back="ALTER TABLE {u} DROP FOREIGN KEY {F}",
           writes=IN_KEYS),
    change("a foreign key acts otherwise", (KEYED, CHILD),
           ("ALTER TABLE {u} DROP FOREIGN KEY {F}",
            "ALTER TABLE {u} ADD CONSTRAINT {F} FOREIGN KEY ({C}) REFERENCES {t} ({A}) "
            "ON DELETE CASCADE"), changed="constraint {u:key}.{F:key}"),
    change("a foreign key is dropped", (KEYED, CHILD), "ALTER TABLE {u} DROP FOREIGN KEY {F}",
           gone="constraint {u:key}.{F:key}"),
    change("a check is added", T, "ALTER TABLE {t} ADD CONSTRAINT {K} CHECK ({A} < {n})",
           new="constraint {t:key}.{K:key}", back="ALTER TABLE {t} DROP CONSTRAINT {K}",
           writes=("information_schema.CHECK_CONSTRAINTS",)),
    change("a check is another", (T, "ALTER TABLE {t} ADD CONSTRAINT {K} CHECK ({A} < 9)"),
           ("ALTER TABLE {t} DROP CONSTRAINT {K}",
            "ALTER TABLE {t} ADD CONSTRAINT {K} CHECK ({A} < {n})"),
           changed="constraint {t:key}.{K:key}"),
)  # fmt: skip

IN_TRIGGERS = ("information_schema.TRIGGERS",)
IN_VIEWS = ("information_schema.VIEWS", "information_schema.TABLES")
IN_ROUTINES = ("information_schema.ROUTINES", "information_schema.PARAMETERS")
IN_EVENTS = ("information_schema.EVENTS",)

PROGRAMS = (
    change("a trigger is created", T, TRIGGER, new="trigger {t:key}.{G:key}",
           back="DROP TRIGGER {G}", writes=IN_TRIGGERS),
    change("a trigger is dropped", (T, TRIGGER), "DROP TRIGGER {G}",
           gone="trigger {t:key}.{G:key}"),
    change("a trigger does something else", (T, TRIGGER),
           ("DROP TRIGGER {G}", TRIGGER.replace("@a = 1", "@a = {n}")),
           changed="trigger {t:key}.{G:key}"),
    change("a trigger fires at another time", (T, TRIGGER),
           ("DROP TRIGGER {G}", TRIGGER.replace("BEFORE UPDATE", "AFTER DELETE")),
           changed="trigger {t:key}.{G:key}"),
    change("triggers fire in another order", (T, TRIGGER, TRIGGER.replace("{G}", "{H}")),
           ("DROP TRIGGER {G}", TRIGGER),
           changed=("trigger {t:key}.{G:key}", "trigger {t:key}.{H:key}")),
    change("a trigger acts for another", (T, TRIGGER),
           ("DROP TRIGGER {G}", TRIGGER.replace("CREATE", "CREATE DEFINER = {one}")),
           changed="trigger {t:key}.{G:key}"),
    change("a trigger was made under another mode", (T, TRIGGER),
           ("DROP TRIGGER {G}", "SET sql_mode = 'ANSI_QUOTES'",
            TRIGGER, "SET sql_mode = DEFAULT"), changed="trigger {t:key}.{G:key}"),
    change("a view is created", T, VIEW, new="view {v:key}", back="DROP VIEW {v}",
           writes=IN_VIEWS),
    change("a view is dropped", (T, VIEW), "DROP VIEW {v}", gone="view {v:key}"),
    change("a view shows something else", (T, VIEW),
           "ALTER VIEW {v} AS SELECT {A}, {B} FROM {t} WHERE {A} < {n}", changed="view {v:key}"),
    change("a view is merged", (T, VIEW),
           "ALTER ALGORITHM = MERGE VIEW {v} AS SELECT {A}, {B} FROM {t}",
           changed="view {v:key}"),
    change("a view checks what goes through", (T, VIEW),
           "ALTER VIEW {v} AS SELECT {A}, {B} FROM {t} WITH LOCAL CHECK OPTION",
           changed="view {v:key}"),
    change("a view acts for its caller", (T, VIEW),
           "ALTER SQL SECURITY INVOKER VIEW {v} AS SELECT {A}, {B} FROM {t}",
           changed="view {v:key}"),
    change("a view acts for another", (T, VIEW),
           "ALTER DEFINER = {one} VIEW {v} AS SELECT {A}, {B} FROM {t}", changed="view {v:key}"),
    change("a view's table is gone", (T, VIEW), "DROP TABLE {t}", gone=TABLE_KEYS),
    change("a function is created", (), FUNCTION, new="function {f:key}", back="DROP FUNCTION {f}",
           writes=IN_ROUTINES),
    change("a function is dropped", FUNCTION, "DROP FUNCTION {f}", gone="function {f:key}"),
    change("a function gives something else", FUNCTION,
           ("DROP FUNCTION {f}", FUNCTION.replace("a + 1", "a + {n}")),
           changed="function {f:key}"),
    change("a function takes something else", FUNCTION,
           ("DROP FUNCTION {f}", FUNCTION.replace("(a integer)", "(a bigint)")),
           changed="function {f:key}"),
    change("a function gives another type", FUNCTION,
           ("DROP FUNCTION {f}", FUNCTION.replace("RETURNS integer", "RETURNS varchar(9)")),
           changed="function {f:key}"),
    change("a function is not deterministic", FUNCTION,
           ("DROP FUNCTION {f}", FUNCTION.replace("DETERMINISTIC", "NO SQL")),
           changed="function {f:key}"),
    change("a function acts for another", FUNCTION,
           ("DROP FUNCTION {f}", FUNCTION.replace("CREATE", "CREATE DEFINER = {one}")),
           changed="function {f:key}"),
    *(
        change(f"a function {what}", FUNCTION, f"ALTER FUNCTION {{f}} {sql}",
               changed="function {f:key}")
        for what, sql in (("has a comment", "COMMENT 'so'"), ("reads", "READS SQL DATA"),
                          ("acts for its caller", "SQL SECURITY INVOKER"))
    ),
    change("a procedure is created", (), PROCEDURE, new="procedure {f:key}",
           back="DROP PROCEDURE {f}"),
    change("a procedure gives something back", PROCEDURE,
           ("DROP PROCEDURE {f}", PROCEDURE.replace("(IN a", "(OUT a")),
           changed="procedure {f:key}"),
    change("a procedure has another parameter", PROCEDURE,
           ("DROP PROCEDURE {f}", PROCEDURE.replace("(IN a integer)", "(IN a integer, IN b text)")),
           changed="procedure {f:key}"),
    change("an event is created", (), EVENT, new="event {e:key}", back="DROP EVENT {e}",
           writes=IN_EVENTS),
    change("an event is dropped", EVENT, "DROP EVENT {e}", gone="event {e:key}"),
    change("an event gets another name", EVENT, "ALTER EVENT {e} RENAME TO {g}",
           gone="event {e:key}", new="event {g:key}"),
    *(
        change(f"an event {what}", EVENT, f"ALTER EVENT {{e}} {sql}", changed="event {e:key}")
        for what, sql in (
            ("is off", "DISABLE"), ("has a comment", "COMMENT 'so'"),
            ("is kept", "ON COMPLETION PRESERVE"), ("does something else", "DO SET @a = {n}"),
            ("comes more often", "ON SCHEDULE EVERY 1 HOUR STARTS '2036-01-01 00:00:00'"),
            ("ends", "ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' "
                     "ENDS '2037-01-01 00:00:00'"),
            ("comes once", "ON SCHEDULE AT '2036-01-01 00:00:00'"),
        )
    ),
    change("an event begins later", EVENT,
           "ALTER EVENT {e} ON SCHEDULE EVERY 1 DAY STARTS '2036-02-01 00:00:00'"),
    change("an event acts for another", EVENT,
           ("DROP EVENT {e}", EVENT.replace("CREATE", "CREATE DEFINER = {one}")),
           changed="event {e:key}"),
)  # fmt: skip

# MariaDB garbles a routine's name in mysql.procs_priv if it is not of ASCII.
GRANTS = (
    change("somebody gets a right on the database",
           "REVOKE ALL PRIVILEGES, GRANT OPTION FROM {one}, {two}",
           "GRANT SELECT ON {database}.* TO {one}",
           new="grant on database default", back="REVOKE SELECT ON {database}.* FROM {one}",
           writes=("mysql.db", "information_schema.SCHEMA_PRIVILEGES")),
    change("somebody may hand on a right on the database", "GRANT SELECT ON {database}.* TO {two}",
           "GRANT INSERT ON {database}.* TO {two} WITH GRANT OPTION",
           changed="grant on database default",
           back="REVOKE INSERT, GRANT OPTION ON {database}.* FROM {two}"),
    change("somebody gets a right on a table", T, "GRANT SELECT ON {t} TO {one}",
           new="grant on table {t:key}", back="REVOKE SELECT ON {t} FROM {one}",
           writes=("mysql.tables_priv", "information_schema.TABLE_PRIVILEGES")),
    change("somebody gets one right more on a table", (T, "GRANT SELECT ON {t} TO {one}"),
           "GRANT UPDATE ON {t} TO {one}", changed="grant on table {t:key}"),
    change("somebody else gets a right on a table", (T, "GRANT SELECT ON {t} TO {one}"),
           "GRANT SELECT ON {t} TO {two}", changed="grant on table {t:key}"),
    change("a role gets a right on a view", (T, VIEW), "GRANT SELECT ON {v} TO {role}",
           new="grant on table {v:key}"),
    change("somebody gets a right on a column", T, "GRANT SELECT ({B}) ON {t} TO {one}",
           new="grant on column {t:key}.{B:key}", back="REVOKE SELECT ({B}) ON {t} FROM {one}",
           writes=("mysql.columns_priv", "information_schema.COLUMN_PRIVILEGES")),
    change("somebody gets a right on a function", FUNCTION,
           "GRANT EXECUTE ON FUNCTION {f} TO {one}",
           new="grant on function {f:key}", back="REVOKE EXECUTE ON FUNCTION {f} FROM {one}",
           writes=("mysql.procs_priv",), plain=True),
    change("somebody gets a right on a procedure", PROCEDURE,
           "GRANT EXECUTE ON PROCEDURE {f} TO {two}", new="grant on procedure {f:key}", plain=True),
    change("somebody gets a right by a pattern", (), "GRANT SELECT ON `nothing%`.* TO {one}",
           back="REVOKE SELECT ON `nothing%`.* FROM {one}"),
)  # fmt: skip

WHOLE = (
    change("the database has another collation", (),
           "ALTER DATABASE {database} COLLATE utf8mb4_unicode_ci", changed="database default",
           back="ALTER DATABASE {database} COLLATE {collation}",
           writes=("information_schema.SCHEMATA",)),
    change("the database has another character set", (),
           "ALTER DATABASE {database} CHARACTER SET latin1", changed="database default",
           back="ALTER DATABASE {database} CHARACTER SET utf8mb4 COLLATE {collation}"),
    change("a value is set aside", (COUNTED, "INSERT INTO {t} ({B}) VALUES ('x')"),
           "ALTER TABLE {t} AUTO_INCREMENT = {n}"),
    change("a value is given again",
           (COUNTED, "INSERT INTO {t} VALUES ({n}, 'x')", "DELETE FROM {t}"),
           "ALTER TABLE {t} AUTO_INCREMENT = 1", counters="{t:key}"),
)  # fmt: skip

ROWS = (
    change("a row more", (T, ROW), "INSERT INTO {t} VALUES ({n}, NULL)", contents="{t:key}",
           back="DELETE FROM {t} WHERE {A} = {n}"),
    change("a row less", (T, ROW), "DELETE FROM {t}", contents="{t:key}"),
    change("a value", (T, ROW), "UPDATE {t} SET {B} = 'y'", contents="{t:key}",
           back="UPDATE {t} SET {B} = 'x'"),
    change("a letter's case", (T, ROW), "UPDATE {t} SET {B} = 'X'", contents="{t:key}"),
    change("NULL for an empty text", (T, "INSERT INTO {t} VALUES (1, '')"),
           "UPDATE {t} SET {B} = NULL", contents="{t:key}"),
    change("a twin", (T, ROW, ROW), ROW, contents="{t:key}"),
    change("the same value again", (T, ROW), "UPDATE {t} SET {B} = 'x', {A} = 1"),
)  # fmt: skip

ALL = (*TABLES, *PARTITIONS, *COLUMNS, *INDEXES, *PROGRAMS, *GRANTS, *WHOLE, *ROWS)

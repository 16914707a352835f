"""Changes of PostgreSQL's functions and types, and of what is built of them."""

from __future__ import annotations

from snapshot_changes.model import change

ICU = (
    "SELECT (pg_collation_actual_version(oid) IS NOT NULL)::int FROM pg_collation "
    "WHERE collprovider = 'i' LIMIT 1",
    "a server built with ICU",
)

F = "CREATE FUNCTION {f}(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1'"
FK = "function {f:key}(integer)"
PROCEDURE = "CREATE PROCEDURE {f}() LANGUAGE sql AS 'SELECT 1'"
AGGREGATE = "CREATE AGGREGATE {f}(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '{}')"
ENUM = "CREATE TYPE {y} AS ENUM ('a', 'b')"
COMPOSITE = "CREATE TYPE {y} AS ({A} integer, {B} text)"
DOMAIN = "CREATE DOMAIN {y} AS integer CONSTRAINT {K} CHECK (VALUE > 0)"
RANGE = "CREATE TYPE {y} AS RANGE (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = {m})"
SHELL = "CREATE TYPE {y}"
IN = (
    "CREATE FUNCTION {f}(cstring) RETURNS {y} LANGUAGE internal IMMUTABLE STRICT AS 'int4in'",
    "CREATE FUNCTION {g}({y}) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out'",
)
BASE = (
    "CREATE TYPE {y} (INPUT = {f}, OUTPUT = {g}, INTERNALLENGTH = 4, PASSEDBYVALUE, "
    "ALIGNMENT = int4)"
)
ELEMENT = "INTERNALLENGTH = 4, ELEMENT = int2, SUBSCRIPT = raw_array_subscript_handler"
EQ = "CREATE FUNCTION {f}({y}, {y}) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
OPERATOR = "CREATE OPERATOR {t:space}.=== (LEFTARG = {y}, RIGHTARG = {y}, FUNCTION = {f})"
OPERATOR_KEY = "operator {y:toldspace}.===({y:told},{y:told})"

ROUTINES = (
    change("a function is created", (), F, new=FK, back="DROP FUNCTION {f}(integer)"),
    change("a function is dropped", F, "DROP FUNCTION {f}(integer)", gone=FK),
    change("a function gets another name", F, "ALTER FUNCTION {f}(integer) RENAME TO {g:bare}",
           gone=FK, new="function {g:key}(integer)"),
    change("a function is overloaded", F,
           "CREATE FUNCTION {f}(text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
           new="function {f:key}(text)"),
    change("a function has another body", F,
           "CREATE OR REPLACE FUNCTION {f}(integer) RETURNS integer LANGUAGE sql AS 'SELECT {n}'",
           changed=FK),
    change("a function has a default", F,
           "CREATE OR REPLACE FUNCTION {f}(integer DEFAULT 5) RETURNS integer LANGUAGE sql AS "
           "'SELECT $1'", changed=FK),
    *(
        change(f"a function is {what}", F, f"ALTER FUNCTION {{f}}(integer) {sql}", changed=FK,
               back=f"ALTER FUNCTION {{f}}(integer) {again}")
        for what, sql, again in (
            ("immutable", "IMMUTABLE", "VOLATILE"), ("strict", "STRICT", "CALLED ON NULL INPUT"),
            ("its definer's", "SECURITY DEFINER", "SECURITY INVOKER"),
            ("leakproof", "LEAKPROOF", "NOT LEAKPROOF"), ("dear", "COST 999", "COST 100"),
            ("parallel", "PARALLEL SAFE", "PARALLEL UNSAFE"),
            ("set up", "SET work_mem = '5MB'", "RESET ALL"),
            ("owned by another", "OWNER TO {one}", "OWNER TO {me}"),
        )
    ),
    change("a function gives rows",
           "CREATE FUNCTION {f}(integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT $1'",
           "ALTER FUNCTION {f}(integer) ROWS 5", changed=FK),
    change("a function has a supporting one", F,
           "ALTER FUNCTION {f}(integer) SUPPORT generate_series_int4_support", changed=FK),
    change("a window function is created", (),
           "CREATE FUNCTION {f}(integer) RETURNS bigint LANGUAGE internal WINDOW AS "
           "'window_row_number'", new=FK),
    change("a procedure is created", (), PROCEDURE, new="procedure {f:key}()",
           back="DROP PROCEDURE {f}()"),
    change("a procedure does something else", PROCEDURE,
           "CREATE OR REPLACE PROCEDURE {f}() LANGUAGE sql AS 'SELECT {n}'",
           changed="procedure {f:key}()"),
    change("a procedure is dropped", PROCEDURE, "DROP PROCEDURE {f}()", gone="procedure {f:key}()"),
    change("an aggregate is created", (), AGGREGATE.replace("'{}'", "'0'"),
           new="aggregate {f:key}(integer)", back="DROP AGGREGATE {f}(integer)"),
    change("an aggregate begins elsewhere", AGGREGATE.replace("'{}'", "'0'"),
           ("DROP AGGREGATE {f}(integer)", AGGREGATE.replace("'{}'", "'{n}'")),
           changed="aggregate {f:key}(integer)"),
    change("an aggregate combines", AGGREGATE.replace("'{}'", "'0'"),
           "CREATE OR REPLACE AGGREGATE {f}(integer) (SFUNC = int4pl, STYPE = integer, "
           "INITCOND = '0', COMBINEFUNC = int4pl, PARALLEL = safe)",
           changed="aggregate {f:key}(integer)"),
    change("an aggregate moves", AGGREGATE.replace("'{}'", "'0'"),
           "CREATE OR REPLACE AGGREGATE {f}(integer) (SFUNC = int4pl, STYPE = integer, "
           "INITCOND = '0', MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = integer)",
           changed="aggregate {f:key}(integer)"),
    change("an aggregate has another owner", AGGREGATE.replace("'{}'", "'0'"),
           "ALTER AGGREGATE {f}(integer) OWNER TO {two}", changed="aggregate {f:key}(integer)"),
)  # fmt: skip

TYPES = (
    change("an enum is created", (), ENUM, new="enum {y:key}", back="DROP TYPE {y}"),
    change("an enum is dropped", ENUM, "DROP TYPE {y}", gone="enum {y:key}"),
    change("an enum has one label more", ENUM, "ALTER TYPE {y} ADD VALUE 'c'",
           changed="enum {y:key}"),
    change("an enum has a label between", ENUM, "ALTER TYPE {y} ADD VALUE 'c' BEFORE 'b'",
           changed="enum {y:key}"),
    change("an enum's label gets another name", ENUM, "ALTER TYPE {y} RENAME VALUE 'a' TO 'z'",
           changed="enum {y:key}", back="ALTER TYPE {y} RENAME VALUE 'z' TO 'a'"),
    change("an enum has another owner", ENUM, "ALTER TYPE {y} OWNER TO {one}",
           changed="enum {y:key}"),
    change("a composite type is created", (), COMPOSITE, new="type {y:key}", back="DROP TYPE {y}"),
    change("a composite type has one attribute more", COMPOSITE,
           "ALTER TYPE {y} ADD ATTRIBUTE {C} integer", changed="type {y:key}"),
    change("a composite type has another attribute", COMPOSITE,
           "ALTER TYPE {y} ALTER ATTRIBUTE {A} TYPE bigint", changed="type {y:key}"),
    change("a composite type's attribute gets another name", COMPOSITE,
           "ALTER TYPE {y} RENAME ATTRIBUTE {A} TO {C}", changed="type {y:key}"),
    change("a composite type has another owner", COMPOSITE, "ALTER TYPE {y} OWNER TO {two}",
           changed="type {y:key}"),
    change("a domain is created", (), DOMAIN, new="domain {y:key}", back="DROP DOMAIN {y}"),
    change("a domain has a default", DOMAIN, "ALTER DOMAIN {y} SET DEFAULT {n}",
           changed="domain {y:key}", back="ALTER DOMAIN {y} DROP DEFAULT"),
    change("a domain is NOT NULL", DOMAIN, "ALTER DOMAIN {y} SET NOT NULL",
           changed="domain {y:key}", back="ALTER DOMAIN {y} DROP NOT NULL"),
    change("a domain has one check more", DOMAIN,
           "ALTER DOMAIN {y} ADD CONSTRAINT {L} CHECK (VALUE < {n}) NOT VALID",
           changed="domain {y:key}"),
    change("a domain's check is validated",
           (DOMAIN, "ALTER DOMAIN {y} ADD CONSTRAINT {L} CHECK (VALUE < {n}) NOT VALID"),
           "ALTER DOMAIN {y} VALIDATE CONSTRAINT {L}", changed="domain {y:key}"),
    change("a domain's check gets another name", DOMAIN,
           "ALTER DOMAIN {y} RENAME CONSTRAINT {K} TO {L}", changed="domain {y:key}"),
    change("a domain's check is dropped", DOMAIN, "ALTER DOMAIN {y} DROP CONSTRAINT {K}",
           changed="domain {y:key}"),
    change("a domain has another collation", "CREATE DOMAIN {y} AS text",
           ("DROP DOMAIN {y}", 'CREATE DOMAIN {y} AS text COLLATE "C"'), changed="domain {y:key}"),
    change("a range is created", (), RANGE, new="type {y:key}", back="DROP TYPE {y}"),
    change("a range's multirange gets another name", RANGE, "ALTER TYPE {m} RENAME TO {z:bare}",
           changed="type {y:key}"),
    change("a range is of another type", RANGE,
           ("DROP TYPE {y}", RANGE.replace("float8", "float8, SUBTYPE_DIFF = float8mi")),
           changed="type {y:key}"),
    change("a shell type is created", (), SHELL, new="type {y:key}"),
    change("a shell type becomes a base type", (SHELL, *IN), BASE, changed="type {y:key}"),
    change("a base type is stored otherwise",
           (SHELL, *IN, "CREATE TYPE {y} (INPUT = {f}, OUTPUT = {g}, STORAGE = plain)"),
           "ALTER TYPE {y} SET (STORAGE = extended)", changed="type {y:key}"),
    change("a base type has an element",
           (SHELL, *IN), BASE.replace("INTERNALLENGTH = 4", ELEMENT), changed="type {y:key}"),
)  # fmt: skip

BUILT = (
    change("an operator is created", (ENUM, EQ), OPERATOR, new=OPERATOR_KEY,
           back="DROP OPERATOR {t:space}.=== ({y}, {y})"),
    change("an operator is dropped", (ENUM, EQ, OPERATOR), "DROP OPERATOR {t:space}.=== ({y}, {y})",
           gone=OPERATOR_KEY),
    change("an operator is guessed at otherwise", (ENUM, EQ, OPERATOR),
           "ALTER OPERATOR {t:space}.=== ({y}, {y}) SET (RESTRICT = eqsel, JOIN = eqjoinsel)",
           changed=OPERATOR_KEY),
    change("an operator calls another function",
           (ENUM, EQ, EQ.replace("{f}", "{g}"), OPERATOR),
           ("DROP OPERATOR {t:space}.=== ({y}, {y})", OPERATOR.replace("{f}", "{g}")),
           changed=OPERATOR_KEY),
    change("an operator has another owner", (ENUM, EQ, OPERATOR),
           "ALTER OPERATOR {t:space}.=== ({y}, {y}) OWNER TO {one}", changed=OPERATOR_KEY),
    change("an operator commutes", (ENUM, EQ),
           OPERATOR.replace("{f})", "{f}, COMMUTATOR = OPERATOR({t:space}.===), MERGES, HASHES)"),
           new=OPERATOR_KEY),
    change("an operator family is created", (), "CREATE OPERATOR FAMILY {o} USING btree",
           new="operator family {o:key} USING btree", back="DROP OPERATOR FAMILY {o} USING btree"),
    change("an operator family has one operator more", "CREATE OPERATOR FAMILY {o} USING btree",
           "ALTER OPERATOR FAMILY {o} USING btree ADD OPERATOR 1 < (int4, int8)",
           changed="operator family {o:key} USING btree"),
    change("an operator family has one function more", "CREATE OPERATOR FAMILY {o} USING btree",
           "ALTER OPERATOR FAMILY {o} USING btree "
           "ADD FUNCTION 1 (int4, int8) btint48cmp(int4, int8)",
           changed="operator family {o:key} USING btree"),
    change("an operator family has another owner", "CREATE OPERATOR FAMILY {o} USING btree",
           "ALTER OPERATOR FAMILY {o} USING btree OWNER TO {two}",
           changed="operator family {o:key} USING btree"),
    change("an operator class is created", (),
           "CREATE OPERATOR CLASS {o} FOR TYPE int4 USING hash AS OPERATOR 1 =, "
           "FUNCTION 1 hashint4(int4)",
           new=("operator class {o:key} USING hash", "operator family {o:key} USING hash")),
    change("an operator class has another owner",
           "CREATE OPERATOR CLASS {o} FOR TYPE int4 USING hash AS OPERATOR 1 =",
           "ALTER OPERATOR CLASS {o} USING hash OWNER TO {one}",
           changed="operator class {o:key} USING hash"),
    change("a cast is created", (ENUM, "CREATE TYPE {z} AS ENUM ('a', 'b')"),
           "CREATE CAST ({y} AS {z}) WITH INOUT", new="cast ({y:told} AS {z:told})",
           back="DROP CAST ({y} AS {z})"),
    change("a cast is implicit",
           (ENUM, "CREATE TYPE {z} AS ENUM ('a', 'b')", "CREATE CAST ({y} AS {z}) WITH INOUT"),
           ("DROP CAST ({y} AS {z})", "CREATE CAST ({y} AS {z}) WITH INOUT AS ASSIGNMENT"),
           changed="cast ({y:told} AS {z:told})"),
    change("a transform is created", ENUM,
           "CREATE TRANSFORM FOR {y} LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
           new="transform for {y:told} language sql",
           back="DROP TRANSFORM FOR {y} LANGUAGE sql"),
    change("a conversion is created", (),
           "CREATE CONVERSION {o} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
           new="conversion {o:key}", back="DROP CONVERSION {o}"),
    change("a conversion has another owner",
           "CREATE CONVERSION {o} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
           "ALTER CONVERSION {o} OWNER TO {one}", changed="conversion {o:key}"),
    change("a collation is created", (), "CREATE COLLATION {o} (LOCALE = 'C')",
           new="collation {o:key}", back="DROP COLLATION {o}"),
    change("a collation is of another locale", "CREATE COLLATION {o} (LOCALE = 'C')",
           ("DROP COLLATION {o}", "CREATE COLLATION {o} (LOCALE = 'POSIX')"),
           changed="collation {o:key}"),
    change("a collation gets another name", "CREATE COLLATION {o} (LOCALE = 'C')",
           "ALTER COLLATION {o} RENAME TO {q:bare}", gone="collation {o:key}",
           new="collation {q:key}"),
    change("a collation has another owner", "CREATE COLLATION {o} (LOCALE = 'C')",
           "ALTER COLLATION {o} OWNER TO {two}", changed="collation {o:key}"),
    change("a collation of ICU has rules",
           "CREATE COLLATION {o} (PROVIDER = icu, LOCALE = 'en')",
           ("DROP COLLATION {o}",
            "CREATE COLLATION {o} (PROVIDER = icu, LOCALE = 'en', DETERMINISTIC = false)"),
           changed="collation {o:key}",
           needs=ICU),
    change("a language is created", (), "CREATE LANGUAGE {L} HANDLER plpgsql_call_handler",
           new="language {L:key}", back="DROP LANGUAGE {L}"),
    change("a language is trusted", "CREATE LANGUAGE {L} HANDLER plpgsql_call_handler",
           "CREATE OR REPLACE TRUSTED LANGUAGE {L} HANDLER plpgsql_call_handler",
           changed="language {L:key}"),
    change("a language has another owner", "CREATE LANGUAGE {L} HANDLER plpgsql_call_handler",
           "ALTER LANGUAGE {L} OWNER TO {one}", changed="language {L:key}"),
    change("an access method is created", (),
           "CREATE ACCESS METHOD {M} TYPE TABLE HANDLER heap_tableam_handler",
           new="access method {M:key}", back="DROP ACCESS METHOD {M}"),
    change("an access method is of another type",
           "CREATE ACCESS METHOD {M} TYPE TABLE HANDLER heap_tableam_handler",
           ("DROP ACCESS METHOD {M}", "CREATE ACCESS METHOD {M} TYPE INDEX HANDLER bthandler"),
           changed="access method {M:key}"),
)  # fmt: skip

CONFIG = "CREATE TEXT SEARCH CONFIGURATION {x} (COPY = simple)"
DICTIONARY = "CREATE TEXT SEARCH DICTIONARY {d} (TEMPLATE = simple)"
PARSER = (
    "CREATE TEXT SEARCH PARSER {x} (START = prsd_start, GETTOKEN = prsd_nexttoken, "
    "END = prsd_end, LEXTYPES = prsd_lextype)"
)

TEXT_SEARCH = (
    change("a text search configuration is created", (), CONFIG,
           new="text search configuration {x:key}", back="DROP TEXT SEARCH CONFIGURATION {x}"),
    change("a text search configuration maps otherwise", CONFIG,
           "ALTER TEXT SEARCH CONFIGURATION {x} ALTER MAPPING FOR word WITH english_stem, simple",
           changed="text search configuration {x:key}"),
    change("a text search configuration maps less", CONFIG,
           "ALTER TEXT SEARCH CONFIGURATION {x} DROP MAPPING FOR word",
           changed="text search configuration {x:key}"),
    change("a text search configuration has another owner", CONFIG,
           "ALTER TEXT SEARCH CONFIGURATION {x} OWNER TO {one}",
           changed="text search configuration {x:key}"),
    change("a text search dictionary is created", (), DICTIONARY,
           new="text search dictionary {d:key}", back="DROP TEXT SEARCH DICTIONARY {d}"),
    change("a text search dictionary has options", DICTIONARY,
           "ALTER TEXT SEARCH DICTIONARY {d} (ACCEPT = false)",
           changed="text search dictionary {d:key}"),
    change("a text search dictionary has another owner", DICTIONARY,
           "ALTER TEXT SEARCH DICTIONARY {d} OWNER TO {two}",
           changed="text search dictionary {d:key}"),
    change("a text search parser is created", (), PARSER, new="text search parser {x:key}",
           back="DROP TEXT SEARCH PARSER {x}"),
    change("a text search parser makes headlines", PARSER,
           ("DROP TEXT SEARCH PARSER {x}",
            PARSER.replace("END =", "HEADLINE = prsd_headline, END =")),
           changed="text search parser {x:key}"),
    change("a text search template is created", (),
           "CREATE TEXT SEARCH TEMPLATE {x} (LEXIZE = dsimple_lexize)",
           new="text search template {x:key}", back="DROP TEXT SEARCH TEMPLATE {x}"),
    change("a text search template begins",
           "CREATE TEXT SEARCH TEMPLATE {x} (LEXIZE = dsimple_lexize)",
           ("DROP TEXT SEARCH TEMPLATE {x}",
            "CREATE TEXT SEARCH TEMPLATE {x} (INIT = dsimple_init, LEXIZE = dsimple_lexize)"),
           changed="text search template {x:key}"),
)  # fmt: skip

ALL = (*ROUTINES, *TYPES, *BUILT, *TEXT_SEARCH)

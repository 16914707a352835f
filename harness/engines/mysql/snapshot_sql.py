"""The catalogue queries of MySQL's and MariaDB's snapshot: one message for a whole database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Listing:
    """One kind of object in ``information_schema``.

    ``key`` are the parts of its name, the table's first; ``order`` tells which row comes first
    where an object has several; ``words`` are expressions with the text in which each value
    stands in the definition. A value of NULL is left out.
    """

    kind: str
    source: str
    space: str
    key: tuple[str, ...]
    words: tuple[tuple[str, str], ...]
    where: str = "TRUE"
    order: str = "0"


def word(column: str, text: str = "{}") -> tuple[str, str]:
    """A column's value in the text, left out if it is empty or NULL."""
    return f"NULLIF(CAST({column} AS BINARY), '')", text


def flag(condition: str, text: str) -> tuple[str, str]:
    """The text if the condition holds."""
    return f"IF({condition}, '', NULL)", text


BY_PROGRAM = (word("SQL_MODE", "MODE {}"), word("DEFINER", "DEFINER {}"))

DATABASE = Listing(
    "database",
    "schemata",
    "SCHEMA_NAME",
    ("'default'",),
    (word("DEFAULT_CHARACTER_SET_NAME"), word("DEFAULT_COLLATION_NAME", "COLLATE {}")),
)
TABLES = Listing(
    "table",
    "tables",
    "TABLE_SCHEMA",
    ("TABLE_NAME",),
    (
        word("NULLIF(TABLE_TYPE, 'BASE TABLE')"),
        word("ENGINE"),
        word("TABLE_COLLATION", "COLLATE {}"),
        word("ROW_FORMAT", "ROW_FORMAT {}"),
        word("CREATE_OPTIONS"),
        word("TABLE_COMMENT", "COMMENT {!r}"),
    ),
    where="TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
)
COLUMNS = Listing(
    "column",
    "columns",
    "TABLE_SCHEMA",
    ("TABLE_NAME", "COLUMN_NAME"),
    (
        word("COLUMN_TYPE"),
        flag("IS_NULLABLE = 'NO'", "NOT NULL"),
        ("COLUMN_DEFAULT", "DEFAULT {!r}"),
        word("EXTRA"),
        word("COLLATION_NAME", "COLLATE {}"),
        word("GENERATION_EXPRESSION", "AS ({})"),
        ("SRS_ID", "SRID {}"),
        word("COLUMN_COMMENT", "COMMENT {!r}"),
    ),
    order="ORDINAL_POSITION",
)
INDEXES = Listing(
    "index",
    "statistics",
    "TABLE_SCHEMA",
    ("TABLE_NAME", "INDEX_NAME"),
    (
        flag("SEQ_IN_INDEX = 1 AND NON_UNIQUE = 0", "UNIQUE"),
        word("IF(SEQ_IN_INDEX = 1, INDEX_TYPE, NULL)"),
        flag("SEQ_IN_INDEX = 1 AND IS_VISIBLE = 'NO'", "INVISIBLE"),
        word("IF(SEQ_IN_INDEX = 1, INDEX_COMMENT, NULL)", "COMMENT {!r}"),
        word("COLUMN_NAME", "`{}`"),
        word("EXPRESSION", "({})"),
        ("SUB_PART", "({})"),
        flag("COLLATION = 'D'", "DESC"),
    ),
    order="SEQ_IN_INDEX",
)
CONSTRAINTS = Listing(
    "constraint",
    "table_constraints",
    "TABLE_SCHEMA",
    ("TABLE_NAME", "CONSTRAINT_NAME"),
    (word("CONSTRAINT_TYPE"), flag("ENFORCED = 'NO'", "NOT ENFORCED")),
)
KEYS = Listing(
    "constraint",
    "key_column_usage",
    "TABLE_SCHEMA",
    ("TABLE_NAME", "CONSTRAINT_NAME"),
    (
        word("COLUMN_NAME", "`{}`"),
        word("NULLIF(REFERENCED_TABLE_SCHEMA, DATABASE())", "IN `{}`"),
        word("REFERENCED_TABLE_NAME", "REFERENCES `{}`"),
        word("REFERENCED_COLUMN_NAME", "(`{}`)"),
    ),
    order="ORDINAL_POSITION",
)
REFERENCES = Listing(
    "constraint",
    "referential_constraints",
    "CONSTRAINT_SCHEMA",
    ("TABLE_NAME", "CONSTRAINT_NAME"),
    (word("UPDATE_RULE", "ON UPDATE {}"), word("DELETE_RULE", "ON DELETE {}")),
    order="100",
)
CHECKS = Listing(
    "constraint",
    "check_constraints JOIN information_schema.table_constraints "
    "USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME)",
    "CONSTRAINT_SCHEMA",
    ("TABLE_NAME", "CONSTRAINT_NAME"),
    (word("CHECK_CLAUSE"),),
    where="CONSTRAINT_TYPE = 'CHECK'",
    order="100",
)
PARTITIONS = Listing(
    "partition",
    "partitions",
    "TABLE_SCHEMA",
    ("TABLE_NAME", "PARTITION_NAME", "COALESCE(SUBPARTITION_NAME, '')"),
    (
        word("PARTITION_METHOD"),
        word("PARTITION_EXPRESSION", "({})"),
        ("PARTITION_DESCRIPTION", "VALUES {}"),
        word("SUBPARTITION_METHOD"),
        word("SUBPARTITION_EXPRESSION", "({})"),
        word("PARTITION_COMMENT", "COMMENT {!r}"),
    ),
    where="PARTITION_NAME IS NOT NULL",
)
TRIGGERS = Listing(
    "trigger",
    "triggers",
    "TRIGGER_SCHEMA",
    ("EVENT_OBJECT_TABLE", "TRIGGER_NAME"),
    (
        word("ACTION_TIMING"),
        word("EVENT_MANIPULATION"),
        word("ACTION_ORDER", "No. {}"),
        word("ACTION_STATEMENT"),
        *BY_PROGRAM,
    ),
)
VIEWS = Listing(
    "view",
    "views",
    "TABLE_SCHEMA",
    ("TABLE_NAME",),
    (
        word("VIEW_DEFINITION"),
        word("NULLIF(CHECK_OPTION, 'NONE')", "CHECK {}"),
        word("SECURITY_TYPE", "SECURITY {}"),
        word("DEFINER", "DEFINER {}"),
    ),
)
ROUTINES = Listing(
    "routine",
    "routines",
    "ROUTINE_SCHEMA",
    ("ROUTINE_TYPE", "ROUTINE_NAME"),
    (
        flag("IS_DETERMINISTIC = 'YES'", "DETERMINISTIC"),
        word("SQL_DATA_ACCESS"),
        word("SECURITY_TYPE", "SECURITY {}"),
        word("ROUTINE_DEFINITION"),
        word("ROUTINE_COMMENT", "COMMENT {!r}"),
        *BY_PROGRAM,
    ),
    order="1000",
)
PARAMETERS = Listing(
    "routine",
    "parameters",
    "SPECIFIC_SCHEMA",
    ("ROUTINE_TYPE", "SPECIFIC_NAME"),
    (
        flag("ORDINAL_POSITION = 0", "RETURNS"),
        word("PARAMETER_MODE"),
        word("PARAMETER_NAME", "`{}`"),
        word("DTD_IDENTIFIER"),
        word("COLLATION_NAME", "COLLATE {}"),
    ),
    order="ORDINAL_POSITION",
)
EVENTS = Listing(
    "event",
    "events",
    "EVENT_SCHEMA",
    ("EVENT_NAME",),
    (
        word("STATUS"),
        flag("EXECUTE_AT IS NOT NULL", "ONCE"),
        word("INTERVAL_VALUE", "EVERY {}"),
        word("INTERVAL_FIELD"),
        flag("ENDS IS NOT NULL", "UNTIL AN END"),
        word("ON_COMPLETION", "ON COMPLETION {}"),
        word("EVENT_DEFINITION"),
        word("EVENT_COMMENT", "COMMENT {!r}"),
        word("TIME_ZONE", "ZONE {}"),
        *BY_PROGRAM,
    ),
)
"""Without the moments at which it begins and ends: the server counts them from when it was made."""

LISTINGS = (
    DATABASE, TABLES, COLUMNS, INDEXES, CONSTRAINTS, KEYS, REFERENCES, CHECKS, PARTITIONS,
    TRIGGERS, VIEWS, ROUTINES, PARAMETERS, EVENTS,
)  # fmt: skip

KEY_PARTS = 3


def union(listings: tuple[Listing, ...]) -> str:
    """All listings in one result: number of the listing, order, parts of the key, values.

    Everything comes as bytes, for ``information_schema`` has columns of several collations, and
    these cannot stand one under the other.
    """
    width = max(len(listing.words) for listing in listings)
    return " UNION ALL ".join(
        _select(number, listing, width) for number, listing in enumerate(listings)
    )


def _select(number: int, listing: Listing, width: int) -> str:
    key = (*listing.key, *("NULL",) * (KEY_PARTS - len(listing.key)))
    values = (
        *(expression for expression, _ in listing.words),
        *("NULL",) * (width - len(listing.words)),
    )
    as_bytes = ", ".join(f"CAST({expression} AS BINARY)" for expression in (*key, *values))
    return (
        f"SELECT {number}, {listing.order}, {as_bytes} FROM information_schema.{listing.source} "
        f"WHERE {listing.space} = DATABASE() AND {listing.where}"
    )
